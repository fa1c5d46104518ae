//! The project's chores: `cargo xtask <task>`.
//!
//! Every task is one file here. What a target is, and what can be proved about it on one machine,
//! is said once, in `targets.toml`. Everything that a task downloads or builds is under
//! `target/xtask/`.

#![deny(missing_docs)]

mod api;
mod apt;
mod msrv;
mod process;
mod sysroot;
mod targets;
mod toolchain;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's chores.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

/// One variant for each task; the text is its line in `cargo xtask help`.
#[derive(Subcommand)]
enum Task {
    /// Builds both library crates with the oldest Rust that they promise
    Msrv,
}

fn main() -> Result<()> {
    match Cli::parse().task {
        Task::Msrv => msrv::task(),
    }
}
