//! The project's development tasks: `cargo xtask <task>`.
//!
//! Each task is one file here. `targets.toml` alone defines the targets, and what can be proved about each
//! of them on one machine. Everything that a task downloads or builds is under `target/xtask/`.

#![deny(missing_docs)]

mod allowed;
mod api;
mod apt;
mod bench;
mod calls;
mod check;
mod choices;
mod ci;
mod counts;
mod deny;
mod emulate;
mod facts;
mod faults;
mod fuzz;
mod headers;
mod house;
mod link;
mod links;
mod msrv;
mod mutants;
mod named;
mod process;
mod public_api;
mod results;
mod safety;
mod sanitize;
mod soak;
mod sysroot;
mod table;
mod targets;
mod test_programs;
mod toolchain;
mod unit;
mod visit;
mod zig;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's development tasks.
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
    /// Compares constants of systems without headers with values read in their sources, and calls with a record
    Facts(results::Options),
    /// Links every call against the systems' own libraries, and compares the symbols with C's
    Link(results::Options),
    /// Counts the instructions and system calls of operations, and compares them with limits
    Counts(counts::Args),
    /// Measures the speed beside the bare calls, std and the peers, and writes a report with plots
    Bench(bench::Args),
    /// Runs the tests for other architectures: big-endian, 32-bit, large pages
    Emulate(emulate::Args),
    /// Writes the tables of platforms in README.md and PLATFORMS.md
    Table(table::Args),
    /// Writes the table of unsafe blocks, and of the facts that each relies on
    Safety,
    /// Checks what compilers do not: which files depend on the target, circular imports, what systems lack,
    /// what unsafe blocks rely on, and links between Markdown files
    House,
    /// Compares the public API of both library crates with the record in xtask/api
    Api(public_api::Args),
    /// Checks the licenses and sources of the dependencies with cargo-deny, if it is installed
    Deny,
    /// Builds both library crates with the oldest Rust that they support
    Msrv,
    /// Runs random operations against the kernel, a million by default
    Soak(soak::Args),
    /// Refuses every system call with every errno, at every position
    Faults(faults::Args),
    /// Runs the library on inputs that libFuzzer makes up, for 40 seconds by default
    Fuzz(fuzz::Args),
    /// Runs the tests under AddressSanitizer
    Sanitize(sanitize::Args),
    /// Plants one bug at a time, and runs the tests that should notice it
    Mutants(mutants::Args),
    /// Runs all of the above except `bench`, `safety`, `soak`, `faults`, `sanitize` and `mutants`, with their default
    /// sets, and rustfmt, clippy and the documentation
    Ci,
    /// The linker that `emulate` passes to rustc
    #[command(hide = true)]
    Linker(emulate::linker::Args),
}

fn main() -> ExitCode {
    match dispatch(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // An error is about the outside world, not about a place in this code: no backtrace, whatever
            // RUST_BACKTRACE says.
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the requested task.
fn dispatch(cli: Cli) -> Result<()> {
    match cli.task {
        Task::Check(args) => check::task(&args),
        Task::Headers(args) => headers::task(&args),
        Task::Facts(args) => facts::task(&args),
        Task::Link(args) => link::task(&args),
        Task::Counts(args) => counts::task(&args),
        Task::Bench(args) => bench::task(&args),
        Task::Emulate(args) => emulate::task(&args),
        Task::Table(args) => table::task(&args),
        Task::Safety => safety::task(),
        Task::House => house::task(),
        Task::Api(args) => public_api::task(&args),
        Task::Deny => deny::task(),
        Task::Msrv => msrv::task(),
        Task::Soak(args) => soak::task(&args),
        Task::Faults(args) => faults::task(&args),
        Task::Fuzz(args) => fuzz::task(&args),
        Task::Sanitize(args) => sanitize::task(&args),
        Task::Mutants(args) => mutants::task(&args),
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
