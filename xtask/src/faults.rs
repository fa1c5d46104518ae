//! `cargo xtask faults`: refuses every system call with every errno, each time that a function makes it:
//! the program `tests/tests/faults` with all of its cells. `cargo test` runs a selection of them.

use anyhow::Result;
use clap::Parser;

use crate::process::{command, run};

/// Refuses each system call with each errno, at each position
#[derive(Parser)]
pub struct Args {
    /// Run only the scenario of this name
    #[arg(long)]
    only: Option<String>,
    /// Build with optimisations
    #[arg(long)]
    release: bool,
}

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    let mut cargo = command("cargo");
    cargo.args(["test", "--quiet", "--package=tests", "--test=faults"]);
    if args.release {
        cargo.arg("--release");
    }
    // What is printed are the cells that were run, and those that were not, and why.
    cargo.args(["--", "--nocapture"]);
    cargo.env("UNIX_MEMORY_FAULTS_WHOLE", "1");
    if let Some(only) = &args.only {
        cargo.env("UNIX_MEMORY_FAULTS", only);
    }
    run(&mut cargo)
}
