//! `cargo xtask deny`: what the dependencies may be, as `deny.toml` says: their licenses, their sources, and
//! how often each is there. Advisories are asked for in CI, since they need the network.

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
