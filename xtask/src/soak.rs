//! `cargo xtask soak`: runs random sequences of safe operations against the kernel, for any length of time:
//! the test `soak` of `tests/tests/model`, with one seed after another, in one thread and in two, and near
//! the kernel's limits. With `--storm`: uses a file in every way while another process truncates it: the
//! test `soak` of `tests/tests/copy/storm.rs`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::process::{capture, command};

/// Runs random operations against the kernel
#[derive(Parser)]
pub struct Args {
    /// How many operations to run in total
    #[arg(long, default_value_t = 1_000_000)]
    operations: u64,
    /// The first seed, from which the others count up; a new one each time by default
    #[arg(long)]
    seed: Option<u64>,
    /// Run only with this many threads
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=2))]
    threads: Option<u64>,
    /// Run only near this limit
    #[arg(long, value_parser = ["none", "addresses", "data", "locked", "mappings"])]
    limit: Option<String>,
    /// Instead, use a file in every way while another process truncates it
    #[arg(long, conflicts_with_all = ["operations", "seed", "threads", "limit"])]
    storm: bool,
    /// How long to do that
    #[arg(long, default_value_t = 600, requires = "storm")]
    seconds: u64,
    /// Build with optimisations
    #[arg(long)]
    release: bool,
}

/// The circumstances under which a part of the operations runs.
struct Part {
    threads: u64,
    limit: &'static str,
    /// The share, in per cent, of all operations. (At the limit of mappings, each check takes a thousand
    /// times as long.)
    share: u64,
    /// How many operations to run for each seed.
    length: u64,
}

const PARTS: [Part; 6] = [
    Part {
        threads: 1,
        limit: "none",
        share: 52,
        length: 25_000,
    },
    Part {
        threads: 2,
        limit: "none",
        share: 24,
        length: 25_000,
    },
    Part {
        threads: 1,
        limit: "addresses",
        share: 8,
        length: 10_000,
    },
    Part {
        threads: 1,
        limit: "data",
        share: 8,
        length: 10_000,
    },
    Part {
        threads: 1,
        limit: "locked",
        share: 7,
        length: 10_000,
    },
    Part {
        threads: 1,
        limit: "mappings",
        share: 1,
        length: 2_000,
    },
];

/// What makes a program of tests run its test `soak`.
const SOAK: [&str; 4] = ["soak", "--exact", "--ignored", "--nocapture"];

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    if args.storm {
        let program = build("storm", args.release)?;
        let mut command = command(&program);
        command
            .args(SOAK)
            .env("UNIX_MEMORY_STORM_SECONDS", args.seconds.to_string());
        return crate::process::run(&mut command);
    }
    let program = build("model", args.release)?;
    let parts: Vec<_> = PARTS.iter().filter(|part| args.wants(part)).collect();
    let shares: u64 = parts.iter().map(|part| part.share).sum();
    if shares == 0 {
        bail!("no run has two threads near a limit: leave out --threads or --limit");
    }
    let first = args.seed.map_or_else(seed, Ok)?;
    let bar = ProgressBar::new(args.operations).with_style(ProgressStyle::with_template(
        "{elapsed_precise} {wide_bar} {human_pos}/{human_len} {msg} (eta {eta})",
    )?);
    println!(
        "soak: {} operations, starting at seed {first}",
        args.operations
    );
    let (mut next, mut all) = (first, 0);
    for part in parts {
        let wanted = (args.operations * part.share).div_ceil(shares);
        let mut done = 0;
        while done < wanted {
            let length = part.length.min(wanted - done);
            let (threads, limit) = (part.threads, part.limit);
            bar.set_message(format!("threads: {threads}, limit: {limit}, seed {next}"));
            let count = run(&program, part, length, next, &bar)?;
            done += count;
            all += count;
            next += 1;
        }
        bar.println(format!(
            "soak: threads: {}, limit: {}: {done} operations",
            part.threads, part.limit
        ));
    }
    bar.finish_and_clear();
    println!(
        "soak: {all} operations, {} seeds from {first} on: no faults found",
        next - first
    );
    Ok(())
}

impl Args {
    fn wants(&self, part: &Part) -> bool {
        self.threads.is_none_or(|threads| threads == part.threads)
            && self.limit.as_ref().is_none_or(|limit| limit == part.limit)
    }
}

/// Runs about `length` operations, and returns how many it ran.
fn run(program: &str, part: &Part, length: u64, seed: u64, bar: &ProgressBar) -> Result<u64> {
    let mut child = Command::new(program)
        .args(SOAK)
        .env("RUST_BACKTRACE", "0")
        .env("UNIX_MEMORY_SEED", seed.to_string())
        .env("UNIX_MEMORY_SOAK_OPERATIONS", length.to_string())
        .env("UNIX_MEMORY_SOAK_THREADS", part.threads.to_string())
        .env("UNIX_MEMORY_SOAK_LIMIT", part.limit)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let mut said = child.stderr.take().context("its standard error")?;
    let said = std::thread::spawn(move || {
        let mut text = String::new();
        said.read_to_string(&mut text).map(|_| text)
    });
    let lines = BufReader::new(child.stdout.take().context("its standard output")?).lines();
    let (before, mut done) = (bar.position(), 0);
    for line in lines {
        let line = line?;
        if let Some(count) = line.strip_prefix("done ") {
            done = count.parse()?;
            bar.set_position(before + done);
        } else if line.starts_with("skipped: ") {
            bar.println(line);
        }
    }
    let status = child.wait()?;
    let said = said.join().expect("it only reads")?;
    if !status.success() {
        bar.abandon();
        let Part { threads, limit, .. } = part;
        bail!(
            "{said}\nit ended with {status}; to repeat it: cargo xtask soak --seed {seed} --operations {length} \
             --threads {threads} --limit {limit}"
        );
    }
    // Operations under a limit that could not be set were not run, and are not retried forever.
    Ok(done.max(1))
}

/// Builds the tests of `name`, and returns the path of the program.
fn build(name: &str, release: bool) -> Result<String> {
    let mut cargo = command("cargo");
    cargo.args([
        "test",
        "--no-run",
        "--quiet",
        "--package=tests",
        "--test",
        name,
    ]);
    cargo.arg("--message-format=json-render-diagnostics");
    if release {
        cargo.arg("--release");
    }
    let messages = String::from_utf8(capture(&mut cargo)?)?;
    let program = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_it = message["target"]["name"] == name;
        message["executable"]
            .as_str()
            .filter(|_| is_it)
            .map(str::to_owned)
    });
    program.with_context(|| format!("cargo did not build the program {name}"))
}

/// A new seed.
fn seed() -> Result<u64> {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH)?;
    Ok(now.as_secs() % 1_000_000_000)
}
