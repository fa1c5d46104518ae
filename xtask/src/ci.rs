//! `cargo xtask ci`: the checks that must pass before a change is accepted, those that fail soonest
//! first.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Parser;

use crate::process::{command, run};
use crate::{Cli, dispatch};

/// Runs the task: every step, even after one fails, so that one run reports all failures.
pub fn task() -> Result<()> {
    let mut failed = Vec::new();
    let mut step = |name: &str, work: &mut dyn FnMut() -> Result<()>| {
        println!("\n== {name}");
        let start = Instant::now();
        let result = work();
        let seconds = start.elapsed().as_secs();
        match result {
            Ok(()) => println!("== {name}: ok, {seconds} s"),
            Err(error) => {
                println!("== {name}: FAILED after {seconds} s: {error:#}");
                failed.push(name.to_owned());
            }
        }
    };
    for (name, arguments) in CARGO {
        step(name, &mut || run(&mut cargo(arguments)));
    }
    for task in TASKS {
        let words = std::iter::once("xtask").chain(task.split(' '));
        step(task, &mut || dispatch(Cli::try_parse_from(words.clone())?));
    }
    if failed.is_empty() {
        println!("\nci: all is well");
        Ok(())
    } else {
        bail!("ci: failed: {}", failed.join(", "));
    }
}

/// Steps that are cargo commands.
const CARGO: [(&str, &[&str]); 4] = [
    ("rustfmt", &["fmt", "--all", "--check"]),
    (
        "clippy",
        &[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-Dwarnings",
        ],
    ),
    (
        "clippy without std",
        &[
            "clippy",
            "--quiet",
            "-p",
            "unix-memory",
            "--no-default-features",
            "--",
            "-Dwarnings",
        ],
    ),
    ("doc", &["doc", "--quiet", "--workspace", "--no-deps"]),
];

/// Steps that are xtask's own tasks, with their default sets.
const TASKS: [&str; 12] = [
    "house",
    "table --check",
    "api --check",
    "deny",
    "fuzz",
    "msrv",
    "counts",
    "headers",
    "facts",
    "link",
    "emulate",
    "check",
];

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = command("cargo");
    cargo.args(arguments);
    if arguments[0] == "doc" {
        cargo.env("RUSTDOCFLAGS", "-Dwarnings");
    }
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_a_task() {
        for task in TASKS {
            let words = std::iter::once("xtask").chain(task.split(' '));
            assert!(Cli::try_parse_from(words).is_ok(), "{task}");
        }
    }
}
