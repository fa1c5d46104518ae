//! `cargo xtask emulate`: builds the tests and examples for other architectures and runs them: under qemu's
//! user-mode emulation, or on this machine where it can run them; and for Emscripten, in node.
//!
//! That emulator is not a kernel: tests detect at run time what it lacks, or answers by itself, and print it
//! as "skipped: what: why". Where Debian has a kernel whose page size differs from this machine's, a whole
//! machine is emulated, which lacks nothing. Documentation tests are not run there.

mod build;
mod emscripten;
mod examples;
mod kernel;
mod libtest;
pub mod linker;
mod machine;
mod report;
mod rows;
mod system;
mod verdict;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use self::build::Program;
use self::examples::EXAMPLES;
use self::libtest::Count;
use self::machine::{Job, Machine};
use self::report::Run;
use self::rows::{Kernel, Target};
use self::verdict::{Found, failed, skipped, verdict};
use crate::process::{installed, root, workdir};
use crate::results::Results;
use crate::targets;
use crate::toolchain::Toolchain;
use crate::visit::{Outcome, visit};

/// The command-line arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Run only this target of xtask/emulate.toml (may be repeated)
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<String>,
    /// Run every target of xtask/emulate.toml, which takes an hour
    #[arg(long, conflicts_with = "targets")]
    all: bool,
    /// How many targets to visit at once
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Write the results to xtask/results.toml, for the tables of platforms
    #[arg(long, conflicts_with = "filter")]
    record: bool,
    /// Run only the tests whose names contain this, and no examples
    filter: Option<String>,
}

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    let table = targets::Table::load()?;
    let ours = rows::Table::load()?;
    let selected = ours.select(&args.targets, args.all)?;
    let default = !args.all && args.targets.is_empty();
    let toolchain = ready(&selected, default)?;
    // Those that run on whole machines take longest, and so come first.
    let mut in_turn = selected.clone();
    in_turn.sort_by_key(|target| Reverse(target.kernels(default).count()));
    let rows = in_turn
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
                sizes: target.sizes(default),
                kernels: target.kernels(default).collect(),
                filter: args.filter.as_deref(),
            };
            visit.look(row)
        };
        let found = look().and_then(|found| {
            let spec = toolchain.spec(row.name())?;
            Ok((report::outcome(spec, &found), found))
        });
        let (outcome, mut found) = match found {
            Ok(found) => found,
            Err(error) => {
                // Printed at once too, for a reader who sees only part of the output.
                println!("emulate: {}: FAILED: {error:#}", row.name());
                (Outcome::Failed(format!("{error:#}")), Vec::new())
            }
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

/// The compiler, if everything that must be installed is; the rest is fetched when it is needed.
///
/// # Errors
/// Everything that is missing is reported at once, rather than after an hour.
fn ready(selected: &[&Target], default: bool) -> Result<Toolchain> {
    let kernels = selected.iter().flat_map(|target| target.kernels(default));
    let missing = kernels.filter(|kernel| installed(&kernel.system.command).is_none());
    let mut missing: Vec<_> = missing.map(system::missing).collect();
    let needs_node = selected.iter().any(|target| target.emscripten.is_some());
    if needs_node && emscripten::node().is_none() {
        missing.push(emscripten::MISSING.to_owned());
    }
    missing.sort();
    missing.dedup();
    let toolchain = Toolchain::find();
    if let Err(error) = &toolchain {
        missing.push(format!("{error:#}"));
    }
    if missing.is_empty() {
        return toolchain;
    }
    bail!("{}", missing.join("\n"))
}

/// The arguments of test programs. Emscripten takes any output for a terminal.
const TESTS: [&str; 2] = ["--show-output", "--color=never"];

/// The programs of tests to run, each with the filter of its tests: without `filter` all, a file of tests
/// at a time; with it those files whose names contain it, or else the tests whose names do.
fn filtered<'a>(
    programs: &'a [Program],
    filter: Option<&'a str>,
) -> Vec<(&'a Program, Option<&'a str>)> {
    let tests = programs.iter().filter(|program| !program.example);
    let Some(filter) = filter else {
        return tests.map(|it| (it, it.part.as_deref())).collect();
    };
    let is_named = |it: &&Program| it.part.as_ref().is_some_and(|part| part.contains(filter));
    let named: Vec<_> = tests.clone().filter(is_named).collect();
    if !named.is_empty() {
        return named
            .into_iter()
            .map(|it| (it, it.part.as_deref()))
            .collect();
    }
    // Each program once.
    let mut seen = BTreeSet::new();
    tests
        .filter(|it| seen.insert(&it.path))
        .map(|it| (it, Some(filter)))
        .collect()
}

/// One target.
struct Visit<'a> {
    toolchain: &'a Toolchain,
    target: &'a Target,
    /// The page sizes to run with.
    sizes: &'a [usize],
    /// The kernels to run under in addition.
    kernels: Vec<&'a Kernel>,
    filter: Option<&'a str>,
}

impl Visit<'_> {
    /// Builds once, and runs with each page size.
    fn look(&self, row: targets::Row<'_>) -> Result<Vec<Run>> {
        let name = &self.target.name;
        let start = Instant::now();
        let programs = build::build(self.toolchain, self.target, row)?;
        let seconds = start.elapsed().as_secs();
        println!(
            "emulate: {name}: {} programs after {seconds} s",
            programs.len()
        );
        let jobs = self.jobs(&programs)?;
        let mut runs = Vec::new();
        for &page in self.sizes {
            let machine = Machine::of(self.target, page, &programs[0].path)?;
            let logs = workdir(&format!("emulate/logs/{name}-{page}"))?;
            let start = Instant::now();
            let run_it = |job: &Job<'_>| {
                let log = logs.join(job.program.name.replace('/', "-"));
                if let Some(why) = machine.lacks(job) {
                    return Ok(skipped(&job.program.name, why));
                }
                verdict(job, machine.run(job, &log), page)
            };
            let found = jobs.iter().map(|job| (&*job.program.name, run_it(job)));
            let place = format!("{name}/{page}");
            let run = self.run(place, page, machine.name.clone(), start, found);
            println!("emulate: {name}: {}", run.line());
            runs.push(run);
        }
        for kernel in &self.kernels {
            let place = format!("{name}/{} on {}", kernel.page, kernel.suite);
            let start = Instant::now();
            let run = match system::run(name, kernel, &programs, &jobs) {
                Ok((machine, ended)) => {
                    let found = jobs.iter().zip(ended).map(|(job, ended)| {
                        let found = verdict(job, ended, kernel.page);
                        (&*job.program.name, found)
                    });
                    self.run(place, kernel.page, machine, start, found)
                }
                // The results of earlier runs are kept.
                Err(error) => {
                    println!("emulate: {name}: FAILED: {error:#}");
                    let command = &kernel.system.command;
                    let found = std::iter::once((&**command, Err(error)));
                    self.run(place, kernel.page, command.clone(), start, found)
                }
            };
            println!("emulate: {name}: {}", run.line());
            runs.push(run);
        }
        Ok(runs)
    }

    /// What to run: the test programs; then, unless only some tests were asked for, the examples.
    fn jobs<'a>(&'a self, programs: &'a [Program]) -> Result<Vec<Job<'a>>> {
        let mut jobs: Vec<_> = filtered(programs, self.filter)
            .into_iter()
            .map(|(program, filter)| Job {
                program,
                dir: &program.dir,
                arguments: TESTS.into_iter().chain(filter).collect(),
                good: None,
                residency: false,
            })
            .collect();
        if self.filter.is_none() {
            for (name, arguments, residency, good) in EXAMPLES {
                let mut examples = programs.iter().filter(|program| program.example);
                let program = examples.find(|program| program.name.ends_with(name));
                if program.is_none() && residency {
                    // It is not built where the system reports nothing about pages.
                    continue;
                }
                jobs.push(Job {
                    program: program.with_context(|| format!("cargo did not build {name}"))?,
                    dir: root(),
                    arguments: arguments.to_vec(),
                    good: Some(good),
                    residency,
                });
            }
        }
        Ok(jobs)
    }

    /// Combines what was found on a machine into one run.
    fn run<'a>(
        &self,
        place: String,
        page: usize,
        machine: String,
        start: Instant,
        found: impl Iterator<Item = (&'a str, Result<Found>)>,
    ) -> Run {
        let mut count = Count::default();
        let mut failures = Vec::new();
        let mut seconds = Vec::new();
        for (name, found) in found {
            let (found, failure) = found.unwrap_or_else(|error| failed(&error));
            seconds.push((name.to_owned(), found.seconds));
            count.add(found);
            failures.extend(failure.map(|failure| format!("{name}: {failure}")));
        }
        Run {
            target: self.target.name.clone(),
            place,
            page,
            machine,
            count,
            failures,
            time: start.elapsed(),
            seconds,
        }
    }
}
