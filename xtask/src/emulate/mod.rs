//! `cargo xtask emulate`: the tests and examples, built for other architectures and run: under
//! qemu's user-mode emulation, or by this machine where it can.
//!
//! That emulator is no kernel: what it lacks, or answers by itself, tests find out while they run, and
//! print as "skipped: what: why". Where Debian has a kernel whose pages are not this machine's, a
//! whole machine is emulated, and nothing is lacking. Documentation tests are not run there.

mod build;
mod kernel;
mod libtest;
pub mod linker;
mod machine;
mod report;
mod rows;
mod system;

use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use self::build::Program;
use self::libtest::Count;
use self::machine::{End, Ended, Job, Machine};
use self::report::Run;
use self::rows::{Kernel, Target};
use crate::process::{command, installed, root, text, workdir};
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
    let selected = ours.select(&args.targets, args.all)?;
    let default = !args.all && args.targets.is_empty();
    let toolchain = ready(&selected, default)?;
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
                sizes: target.sizes(default),
                kernel: target.kernel(default),
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
                println!("emulate: {}: FAILED: see below", row.name());
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

/// The compiler, where all is here that has to be installed; the rest is fetched when it is needed.
///
/// # Errors
/// All that is missing, at once, and not after an hour.
fn ready(selected: &[&Target], default: bool) -> Result<Toolchain> {
    let kernels = selected.iter().filter_map(|target| target.kernel(default));
    let missing = kernels.filter(|kernel| installed(&kernel.system.command).is_none());
    let mut missing: Vec<_> = missing.map(system::missing).collect();
    let toolchain = Toolchain::find();
    if let Err(error) = &toolchain {
        missing.push(format!("{error:#}"));
    }
    if missing.is_empty() {
        return toolchain;
    }
    bail!("{}", missing.join("\n"))
}

/// One target.
struct Visit<'a> {
    toolchain: &'a Toolchain,
    target: &'a Target,
    /// The page sizes to run with.
    sizes: &'a [usize],
    /// The kernel to run under as well.
    kernel: Option<&'a Kernel>,
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
        let jobs = self.jobs(&programs)?;
        let mut runs = Vec::new();
        for &page in self.sizes {
            let machine = Machine::of(self.target, page, &programs[0].path)?;
            let logs = workdir(&format!("emulate/logs/{name}-{page}"))?;
            let start = Instant::now();
            let run_it = |job: &Job<'_>| {
                let log = logs.join(job.program.name.replace('/', "-"));
                // An example has nothing by which to find out.
                let why = "an emulator makes each page of several of the kernel's";
                let lacks = !machine.is_here() && page != host_page()?;
                if job.good.is_some() && lacks {
                    return Ok(skipped(&job.program.name, why));
                }
                verdict(job, machine.run(job, &log), page)
            };
            let found = jobs.iter().map(|job| (job, run_it(job)));
            let run = self.run(page, machine.name.clone(), start, found);
            println!("emulate: {name}: {}", run.line());
            runs.push(run);
        }
        if let Some(kernel) = self.kernel {
            let start = Instant::now();
            let run = match system::run(name, kernel, &programs, &jobs) {
                Ok((machine, ended)) => {
                    let found = jobs.iter().zip(ended);
                    let found = found.map(|(job, ended)| (job, verdict(job, ended, kernel.page)));
                    self.run(kernel.page, machine, start, found)
                }
                // What was run before is not lost.
                Err(error) => {
                    let (count, failure) = failed(&error);
                    Run {
                        target: name.clone(),
                        page: kernel.page,
                        machine: kernel.system.command.clone(),
                        count,
                        failures: failure.into_iter().collect(),
                        time: start.elapsed(),
                    }
                }
            };
            println!("emulate: {name}: {}", run.line());
            runs.push(run);
        }
        Ok(runs)
    }

    /// What is to be run: the programs of tests; then, unless only some tests were asked for, the
    /// examples.
    fn jobs<'a>(&'a self, programs: &'a [Program]) -> Result<Vec<Job<'a>>> {
        let tests = programs.iter().filter(|program| !program.example);
        let mut jobs: Vec<_> = tests
            .map(|program| Job {
                program,
                dir: &program.dir,
                arguments: ["--show-output"].into_iter().chain(self.filter).collect(),
                good: None,
            })
            .collect();
        if self.filter.is_none() {
            for (name, arguments, good) in EXAMPLES {
                let mut examples = programs.iter().filter(|program| program.example);
                let program = examples.find(|program| program.name.ends_with(name));
                jobs.push(Job {
                    program: program.with_context(|| format!("cargo did not build {name}"))?,
                    dir: root(),
                    arguments: arguments.to_vec(),
                    good: Some(good),
                });
            }
        }
        Ok(jobs)
    }

    /// All that was found on a machine, together.
    fn run<'a>(
        &self,
        page: usize,
        machine: String,
        start: Instant,
        found: impl Iterator<Item = (&'a Job<'a>, Result<Found>)>,
    ) -> Run {
        let mut count = Count::default();
        let mut failures = Vec::new();
        for (job, found) in found {
            let (found, failure) = found.unwrap_or_else(|error| failed(&error));
            count.add(found);
            failures.extend(failure.map(|failure| format!("{}: {failure}", job.program.name)));
        }
        Run {
            target: self.target.name.clone(),
            page,
            machine,
            count,
            failures,
            time: start.elapsed(),
        }
    }
}

/// What a job's end and output say; beside the count is what it printed about failures.
fn verdict(job: &Job<'_>, ended: Ended, page: usize) -> Result<Found> {
    let (end, output) = ended?;
    let End::Status(status) = end else {
        bail!("still running when its time was over; it had printed:\n{output}");
    };
    if let Some(good) = job.good {
        if !status.success() || !good(output.trim_end(), page) {
            bail!("{status}; it printed:\n{output}");
        }
        let count = Count {
            passed: 1,
            ..Count::default()
        };
        return Ok((count, None));
    }
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

/// A program that was left out.
fn skipped(name: &str, why: &str) -> Found {
    let count = Count {
        skipped: 1,
        reasons: vec![format!("{name}: {why}")],
        ..Count::default()
    };
    (count, None)
}

/// The size of this machine's pages, of which emulators make their own.
fn host_page() -> Result<usize> {
    Ok(text(command("getconf").arg("PAGESIZE"))?.parse()?)
}

/// An example by its name, the arguments to run it with, and whether its output is good.
type Example = (
    &'static str,
    &'static [&'static str],
    fn(&str, usize) -> bool,
);

/// The examples that are run and their output checked. `.ci/run` does the same on this machine.
const EXAMPLES: [Example; 2] = [
    ("/dev_zero", &[], |output, _| {
        output == "mapped 4096 bytes of /dev/zero and read them; all zero: true"
    }),
    ("/pages", &[LOCK_FILE], |output, page| {
        let len = std::fs::metadata(root().join(LOCK_FILE)).map_or(0, |it| it.len());
        shows_pages(output, len.div_ceil(page as u64))
    }),
];

const LOCK_FILE: &str = "Cargo.lock";

/// `Cargo.lock: 40000 bytes, 10 pages, 10 in memory (100%)`, then a picture.
fn shows_pages(output: &str, count: u64) -> bool {
    let line = output.lines().next().unwrap_or_default();
    let numbers = line.strip_prefix("Cargo.lock: ").and_then(|rest| {
        let (_, rest) = rest.split_once(", ")?;
        let (pages, rest) = rest.split_once(" pages, ")?;
        let (resident, percent) = rest.strip_suffix("%)")?.split_once(" in memory (")?;
        let number = |text: &str| text.parse::<u64>().ok();
        Some((number(pages)?, number(resident)?, number(percent)?))
    });
    numbers.is_some_and(|(pages, resident, percent)| {
        pages == count && resident <= pages && percent <= 100
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_output_is_read() {
        let good = "Cargo.lock: 40 bytes, 3 pages, 1 in memory (33%)\n#";
        assert!(shows_pages(good, 3));
        assert!(!shows_pages(good, 1), "of another number of pages");
        for bad in [
            "",
            "Cargo.lock: 40 bytes, 3 pages, 4 in memory (100%)",
            "Cargo.lock: 40 bytes, 3 pages, x in memory (100%)",
            "x",
        ] {
            assert!(!shows_pages(bad, 3), "{bad}");
        }
    }

    #[test]
    fn a_program_that_fails_is_a_failure() {
        use std::os::unix::process::ExitStatusExt;
        use std::process::ExitStatus;
        let program = Program {
            name: "tests/x".to_owned(),
            example: false,
            path: "/x".into(),
            dir: "/".into(),
        };
        let job = |good| Job {
            program: &program,
            dir: root(),
            arguments: Vec::new(),
            good,
        };
        let said = |output: &str, status| {
            Ok((End::Status(ExitStatus::from_raw(status)), output.to_owned()))
        };
        let (good, bad) = (0, 1 << 8);
        let result = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured";
        let test = |output, status| verdict(&job(None), said(output, status), 4096);
        assert_eq!(test(result, good).unwrap().0.passed, 2);
        let (count, failure) = test(result, bad).unwrap();
        assert!(count.failed == 1 && failure.is_some());
        assert!(test("", good).is_err());
        let example = |output, status| {
            let good: fn(&str, usize) -> bool = |output, page| output == page.to_string();
            verdict(&job(Some(good)), said(output, status), 512)
        };
        assert_eq!(example("512\n", good).unwrap().0.passed, 1);
        assert!(example("512\n", bad).is_err());
        assert!(example("4096", good).is_err());
        assert!(verdict(&job(None), Ok((End::Timeout, String::new())), 4096).is_err());
    }
}
