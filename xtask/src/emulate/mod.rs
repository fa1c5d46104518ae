//! `cargo xtask emulate`: the tests and examples, built for other architectures and run: under
//! qemu's user-mode emulation, or by this machine where it can.
//!
//! The emulator is no kernel: what it lacks, or answers by itself, tests find out while they run, and
//! print as "skipped: what: why". Documentation tests are not run there.

mod build;
mod libtest;
pub mod linker;
mod machine;
mod report;
mod rows;

use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use self::build::Program;
use self::libtest::Count;
use self::machine::{End, Machine};
use self::report::Run;
use self::rows::Target;
use crate::process::{root, text, workdir};
use crate::results::Results;
use crate::targets;
use crate::toolchain::Toolchain;
use crate::visit::{Outcome, visit};

/// What may be asked for.
#[derive(clap::Args)]
pub struct Args {
    /// Only this target of xtask/emulate.toml (may be repeated)
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<String>,
    /// Every target of xtask/emulate.toml: an hour
    #[arg(long, conflicts_with = "targets")]
    all: bool,
    /// How many to visit at once
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Writes what came out to xtask/results.toml, for the README's table
    #[arg(long, conflicts_with = "filter")]
    record: bool,
    /// Only the tests whose names have this in them, and no examples
    filter: Option<String>,
}

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    let table = targets::Table::load()?;
    let ours = rows::Table::load()?;
    let toolchain = Toolchain::find()?;
    let selected = ours.select(&args.targets, args.all)?;
    let rows = selected
        .iter()
        .map(|target| target.row(&table))
        .collect::<Result<Vec<_>>>()?;
    println!("emulate: with {}", toolchain.version);
    let runs = Mutex::new(Vec::new());
    let visits = visit("emulate", &rows, args.jobs, |row, _| {
        let look = || {
            let target = ours.get(row.name()).context("a row of emulate.toml")?;
            let visit = Visit {
                toolchain: &toolchain,
                target,
                sizes: target.sizes(!args.all && args.targets.is_empty()),
                filter: args.filter.as_deref(),
            };
            visit.look(row)
        };
        let (outcome, mut found) = match look() {
            Ok(found) => (report::outcome(&found), found),
            Err(error) => (Outcome::Failed(format!("{error:#}")), Vec::new()),
        };
        runs.lock().expect("no job panics").append(&mut found);
        vec![outcome]
    });
    if args.record {
        Results::record(&["run"], &visits)?;
    }
    let runs = runs.into_inner().expect("no job panics");
    report::print(&toolchain, &selected, &runs, &visits)
}

/// One target.
struct Visit<'a> {
    toolchain: &'a Toolchain,
    target: &'a Target,
    /// The page sizes to run with.
    sizes: &'a [usize],
    filter: Option<&'a str>,
}

impl Visit<'_> {
    /// Builds once, and runs with each size of pages.
    fn look(&self, row: targets::Row<'_>) -> Result<Vec<Run>> {
        let name = &self.target.name;
        let start = Instant::now();
        let programs = build::build(self.toolchain, self.target, row)?;
        let seconds = start.elapsed().as_secs();
        println!(
            "emulate: {name}: {} programs after {seconds} s",
            programs.len()
        );
        let mut runs = Vec::new();
        for &page in self.sizes {
            let run = self.run(page, &programs)?;
            println!("emulate: {name}: {}", run.line());
            runs.push(run);
        }
        Ok(runs)
    }

    /// Runs all programs with pages of `page` bytes.
    fn run(&self, page: usize, programs: &[Program]) -> Result<Run> {
        let start = Instant::now();
        let test = programs.iter().find(|program| !program.example);
        let test = test.context("cargo built no tests")?;
        let machine = Machine::of(self.target, page, &test.path)?;
        let logs = workdir(&format!("emulate/logs/{}-{page}", self.target.name))?;
        let mut count = Count::default();
        let mut failures = Vec::new();
        let mut note = |name: &str, (found, failure): (Count, Option<String>)| {
            count.add(found);
            failures.extend(failure.map(|failure| format!("{name}: {failure}")));
        };
        for program in programs.iter().filter(|program| !program.example) {
            let log = logs.join(program.name.replace('/', "-"));
            let result = self.test(&machine, program, &log);
            note(&program.name, result.unwrap_or_else(|error| failed(&error)));
        }
        if self.filter.is_none() && page == self.target.pages[0] {
            for (name, arguments, good) in EXAMPLES {
                let found = programs
                    .iter()
                    .find(|it| it.example && it.name.ends_with(name));
                let result = found
                    .context("cargo did not build it")
                    .and_then(|program| example(&machine, program, arguments, good));
                note(name, result.unwrap_or_else(|error| failed(&error)));
            }
        }
        Ok(Run {
            target: self.target.name.clone(),
            page,
            machine: machine.name,
            count,
            failures,
            time: start.elapsed(),
        })
    }

    /// Runs a program of tests; beside the count is what it printed about failures.
    fn test(&self, machine: &Machine, program: &Program, log: &Path) -> Result<Found> {
        let mut command = machine.command(program);
        command.arg("--show-output").args(self.filter);
        let (end, output) = machine::run(&mut command, log)?;
        let End::Status(status) = end else {
            bail!("still running when its time was over; it had printed:\n{output}");
        };
        match libtest::read(&output) {
            Some(count) if status.success() && count.failed == 0 => Ok((count, None)),
            Some(mut count) => {
                // None, where it was the end of the program that went wrong.
                count.failed = count.failed.max(1);
                let failure = format!("{status}\n{}", report::failures(&output));
                Ok((count, Some(failure)))
            }
            None => bail!("{status}, before its tests were done; it had printed:\n{output}"),
        }
    }
}

/// What came out of a program, and the text of its failures.
type Found = (Count, Option<String>);

/// What came out of a program that told nothing.
fn failed(error: &anyhow::Error) -> Found {
    let count = Count {
        failed: 1,
        ..Count::default()
    };
    (count, Some(format!("{error:#}")))
}

/// An example by its name, the arguments to run it with, and whether its output is good.
type Example = (&'static str, &'static [&'static str], fn(&str) -> bool);

/// The examples that are run and their output checked. `.ci/run` does the same on this machine.
const EXAMPLES: [Example; 2] = [
    ("/dev_zero", &[], |output| {
        output == "mapped 4096 bytes of /dev/zero and read them; all zero: true"
    }),
    ("/pages", &["Cargo.lock"], pages_of_the_lock_file),
];

/// `Cargo.lock: 40000 bytes, 10 pages, 10 in memory (100%)`, then a picture.
fn pages_of_the_lock_file(output: &str) -> bool {
    let line = output.lines().next().unwrap_or_default();
    let numbers = line.strip_prefix("Cargo.lock: ").and_then(|rest| {
        let (_, rest) = rest.split_once(" pages, ")?;
        rest.strip_suffix("%)")?.split_once(" in memory (")
    });
    numbers.is_some_and(|(pages, percent)| {
        pages.parse::<u64>().is_ok() && percent.parse::<u64>().is_ok()
    })
}

/// Runs an example in the workspace's root and looks at its output.
fn example(
    machine: &Machine,
    program: &Program,
    arguments: &[&str],
    good: fn(&str) -> bool,
) -> Result<Found> {
    let mut command = machine.command(program);
    let output = text(command.current_dir(root()).args(arguments))?;
    if !good(&output) {
        bail!("it printed:\n{output}");
    }
    let count = Count {
        passed: 1,
        ..Count::default()
    };
    Ok((count, None))
}

#[cfg(test)]
mod tests {
    use super::pages_of_the_lock_file;

    #[test]
    fn the_examples_output_is_read() {
        let good = "Cargo.lock: 40 bytes, 1 pages, 1 in memory (100%)\n#";
        assert!(pages_of_the_lock_file(good));
        for bad in ["", "Cargo.lock: 40 bytes, 1 pages, x in memory (100%)", "x"] {
            assert!(!pages_of_the_lock_file(bad), "{bad}");
        }
    }
}
