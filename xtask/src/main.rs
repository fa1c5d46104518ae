//! The project's chores: `cargo xtask <task>`.
//!
//! Every task is one file here. What a target is, and what can be proved about it on one machine,
//! is said once, in `targets.toml`. Everything that a task downloads or builds is under
//! `target/xtask/`.

#![deny(missing_docs)]

mod allowed;
mod api;
mod apt;
mod check;
mod choices;
mod ci;
mod counts;
mod deny;
mod emulate;
mod facts;
mod headers;
mod house;
mod link;
mod links;
mod msrv;
mod process;
mod public_api;
mod results;
mod soak;
mod sysroot;
mod table;
mod targets;
mod toolchain;
mod unit;
mod visit;
mod zig;

use std::process::ExitCode;

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
    /// Checks both library crates on the table of targets
    Check(check::Args),
    /// Proves constants, signatures and types against the systems' own headers
    Headers(results::Options),
    /// Compares constants with values that were read in systems' sources
    Facts(results::Options),
    /// Links every call against the systems' own libraries, and compares the symbols with C's
    Link(results::Options),
    /// Counts instructions and system calls of operations, and compares them with limits
    Counts(counts::Args),
    /// Runs the tests for other architectures: big-endian, 32-bit, large pages
    Emulate(emulate::Args),
    /// Writes the tables of platforms in README.md and PLATFORMS.md
    Table(table::Args),
    /// Checks what no compiler does: where the target is asked for, who imports whom, what systems lack, and
    /// links between Markdown files
    House,
    /// Compares what both library crates offer with what is recorded in xtask/api
    Api(public_api::Args),
    /// Checks the licenses and sources of the dependencies by cargo-deny, where it is installed
    Deny,
    /// Builds both library crates with the oldest Rust that they promise
    Msrv,
    /// Does random operations against the kernel, a million unless told otherwise
    Soak(soak::Args),
    /// All of the above but `soak`, with their default sets, and rustfmt, clippy and the documentation
    Ci,
    /// What `emulate` gives rustc as the linker
    #[command(hide = true)]
    Linker(emulate::linker::Args),
}

fn main() -> ExitCode {
    match dispatch(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // What went wrong outside, not where in here: no backtrace, whatever RUST_BACKTRACE says.
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the task that was asked for.
fn dispatch(cli: Cli) -> Result<()> {
    match cli.task {
        Task::Check(args) => check::task(&args),
        Task::Headers(args) => headers::task(&args),
        Task::Facts(args) => facts::task(&args),
        Task::Link(args) => link::task(&args),
        Task::Counts(args) => counts::task(&args),
        Task::Emulate(args) => emulate::task(&args),
        Task::Table(args) => table::task(&args),
        Task::House => house::task(),
        Task::Api(args) => public_api::task(&args),
        Task::Deny => deny::task(),
        Task::Msrv => msrv::task(),
        Task::Soak(args) => soak::task(&args),
        Task::Ci => ci::task(),
        Task::Linker(args) => emulate::linker::task(&args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_arguments_of_every_task_fit_together() {
        Cli::command().debug_assert();
    }
}
