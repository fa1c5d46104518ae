//! `cargo xtask fuzz`: runs the targets of `fuzz/` with libFuzzer, each from its corpus on,
//! `fuzz/corpus/<target>`.
//!
//! No nightly compiler is needed: LLVM's pass that counts what was covered is a stable option of rustc's.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::process::{command, installed, root, run, text, workdir};

/// Runs the targets in `fuzz/` with libFuzzer
#[derive(Parser)]
pub struct Args {
    /// How many seconds of a processor to use, for all targets together
    #[arg(long, default_value_t = 40)]
    seconds: u64,
    /// Run only this target (default: all)
    #[arg(long, value_parser = TARGETS)]
    target: Option<String>,
    /// Afterwards, add those inputs to the corpus in `fuzz/corpus` that cover more code
    #[arg(long)]
    keep: bool,
}

const TARGETS: [&str; 4] = ["map_options", "operations", "proc_text", "ring"];

/// The options that make rustc count coverage in the way that libFuzzer reads it.
const FLAGS: &str = "--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0";

/// The longest time that one input may take, in seconds: an endless loop is a finding.
const LONGEST: u32 = 25;

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_pointer_width = "64")) {
        println!("skipped: the targets run on 64-bit Linux");
        return Ok(());
    }
    if installed("c++").is_none() {
        println!("skipped: no C++ compiler (c++), which builds libFuzzer");
        return Ok(());
    }
    let programs = build()?;
    let targets = TARGETS
        .iter()
        .filter(|target| args.target.as_deref().is_none_or(|only| only == **target));
    let targets: Vec<_> = targets.collect();
    let seconds = (args.seconds / targets.len() as u64).max(1);
    // One for each processor at a time, because each runs in one thread.
    let processors = thread::available_parallelism().map_or(1, usize::from);
    for some in targets.chunks(processors) {
        let run = |target| fuzz(&programs.join(target), target, seconds, args.keep);
        thread::scope(|scope| {
            let running: Vec<_> = some
                .iter()
                .map(|&&target| scope.spawn(move || run(target)))
                .collect();
            let ended = running
                .into_iter()
                .map(|it| it.join().expect("it does not panic"));
            // All of them end before the first failure is returned.
            ended
                .collect::<Vec<_>>()
                .into_iter()
                .collect::<Result<()>>()
        })?;
    }
    Ok(())
}

/// Builds the targets, and returns where they are.
fn build() -> Result<PathBuf> {
    let dir = workdir("fuzz")?;
    // With a target named, build scripts and macros do not count anything.
    let triple = text(command("rustc").args(["--print", "host-tuple"]))?;
    let mut cargo = command("cargo");
    cargo
        .args(["build", "--quiet", "--release", "--locked"])
        .arg("--manifest-path=fuzz/Cargo.toml")
        .arg(format!("--target={triple}"))
        .env("CARGO_TARGET_DIR", &dir)
        .env("RUSTFLAGS", FLAGS);
    run(&mut cargo)?;
    Ok(dir.join(triple).join("release"))
}

/// Runs one target.
fn fuzz(program: &Path, target: &str, seconds: u64, keep: bool) -> Result<()> {
    let found = workdir(&format!("fuzz/found/{target}"))?;
    let kept = root().join("fuzz/corpus").join(target);
    let log = workdir("fuzz")?.join(format!("{target}.log"));
    let mut libfuzzer = start(program, &log)?;
    libfuzzer
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={LONGEST}"))
        .arg("-print_final_stats=1")
        .arg(format!(
            "-exact_artifact_path={}",
            failed(target)?.display()
        ))
        // What is found goes into the first.
        .args([&found, &kept]);
    let status = libfuzzer.status().context("cannot start libFuzzer")?;
    let said = fs::read(&log)?;
    let said = String::from_utf8_lossy(&said);
    if !status.success() {
        bail!(
            "{said}\nfuzz: {target} failed ({status}); to repeat it: {} {}",
            program.display(),
            failed(target)?.display()
        );
    }
    let last = said.lines().rev().find(|line| line.contains("cov: "));
    let last = last.context("libFuzzer did not report any coverage")?;
    println!("fuzz: {target}: {seconds} s: {last}");
    if keep {
        let mut merge = start(program, &log)?;
        // As few as reach all the code that all of them reach, however often.
        merge.args(["-set_cover_merge=1", "-use_counters=0", "-max_len=200"]);
        merge.args([&kept, &found]);
        run(&mut merge)?;
    }
    Ok(())
}

/// The program, which writes into `log`.
fn start(program: &Path, log: &Path) -> Result<Command> {
    let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut libfuzzer = command(program);
    libfuzzer.env("RUST_BACKTRACE", "1");
    libfuzzer.stdout(log.try_clone()?).stderr(log);
    Ok(libfuzzer)
}

/// Where the input that fails is written.
fn failed(target: &str) -> Result<PathBuf> {
    Ok(workdir("fuzz")?.join(format!("{target}.failed")))
}
