//! `cargo xtask sanitize`: runs the tests under AddressSanitizer.
//!
//! Its runtime comes with the stable compiler, which takes the option with `RUSTC_BOOTSTRAP=1`.
//!
//! Only the sanitizer's reports count: a use of memory that is freed, not there, or not mapped by
//! anybody who should. A test that merely fails does not count, and several must fail: under the
//! sanitizer `mlock` does nothing, and its shadow of all memory does not fit under a limit of addresses.

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::process::{command, text, workdir};

/// Runs the tests under AddressSanitizer; what counts are its reports
#[derive(Parser)]
pub struct Args {
    /// Run only these test programs of the package `tests` (default: all, and those of both crates)
    #[arg(long)]
    test: Vec<String>,
}

/// The words by which a report of a wrong access begins. (Children that crash on purpose, and limits on
/// memory, are reported in other words: SEGV, BUS, stack-overflow, out of memory, failed to allocate.)
const FINDINGS: [&str; 10] = [
    "heap-",
    "stack-buffer-",
    "stack-use-",
    "global-buffer-overflow",
    "use-after-poison",
    "dynamic-stack-buffer-overflow",
    "attempting double-free",
    "attempting free",
    "negative-size-param",
    "memcpy-param-overlap",
];

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        println!("skipped: AddressSanitizer comes with Rust for GNU/Linux");
        return Ok(());
    }
    let triple = text(command("rustc").args(["--print", "host-tuple"]))?;
    let mut cargo = command("cargo");
    cargo.args(["test", "--no-fail-fast", "--package=tests"]);
    cargo.arg(format!("--target={triple}"));
    if args.test.is_empty() {
        cargo.args(["--package=unix-memory-sys", "--package=unix-memory"]);
        cargo.args(["--lib", "--bins", "--tests"]);
    }
    for name in &args.test {
        cargo.arg(format!("--test={name}"));
    }
    cargo
        .env("CARGO_TARGET_DIR", workdir("asan")?)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zsanitizer=address")
        .env("RUST_BACKTRACE", "0");
    // Failures of tests end it with an error, which is not the question here.
    let output = cargo.output().context("cannot start cargo")?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let log = workdir("asan")?.join("log");
    std::fs::write(&log, said.as_bytes())?;
    let programs = said.matches("\ntest result: ").count();
    if programs == 0 {
        bail!("{said}\nsanitize: no test ran");
    }
    let found: Vec<_> = said.lines().filter(|line| is_finding(line)).collect();
    if !found.is_empty() {
        bail!(
            "sanitize: {}\nMore is in {}",
            found.join("\n"),
            log.display()
        );
    }
    let passed = said
        .lines()
        .filter(|line| line.ends_with(" ... ok"))
        .count();
    let failed = said
        .lines()
        .filter(|line| line.ends_with(" ... FAILED"))
        .count();
    println!(
        "sanitize: {programs} programs, {passed} tests passed, {failed} failed as the sanitizer makes them; \
         no report of a wrong access or a leak. All that was said is in {}",
        log.display()
    );
    Ok(())
}

/// Whether a line begins a report of a wrong access.
fn is_finding(line: &str) -> bool {
    let report = line.split_once("ERROR: AddressSanitizer: ");
    report.is_some_and(|(_, what)| FINDINGS.iter().any(|word| what.starts_with(word)))
        || line.contains("ERROR: LeakSanitizer: detected")
}

#[cfg(test)]
mod tests {
    use super::is_finding;

    #[test]
    fn crashes_on_purpose_are_no_findings() {
        for what in [
            "AddressSanitizer: heap-use-after-free on address 0x1",
            "AddressSanitizer: attempting double-free on 0x1",
            "LeakSanitizer: detected memory leaks",
        ] {
            assert!(is_finding(&format!("==12==ERROR: {what}")), "{what}");
        }
        for what in [
            "AddressSanitizer: SEGV on unknown address 0x1",
            "AddressSanitizer: out of memory: allocator is trying to allocate 0x1 bytes",
            "AddressSanitizer failed to allocate 0x1 (1) bytes",
        ] {
            assert!(!is_finding(&format!("==12==ERROR: {what}")), "{what}");
        }
    }
}
