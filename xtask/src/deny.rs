//! `cargo xtask deny`: checks the dependencies against `deny.toml`: their licenses, their sources, and
//! duplicates. CI checks advisories, because they need the network.

use anyhow::Result;

use crate::process::{command, installed, run};

/// Runs the task.
pub fn task() -> Result<()> {
    if installed("cargo-deny").is_none() {
        println!("skipped: cargo-deny is not installed");
        return Ok(());
    }
    let arguments = ["--all-features", "check", "licenses", "bans", "sources"];
    run(command("cargo").arg("deny").args(arguments))
}
