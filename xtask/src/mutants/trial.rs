//! Builds the tests of the copy, and runs them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::list::{Machine, PACKAGES};
use super::tree::Tree;
use crate::process::{command, workdir};

/// How long a program of tests may run. A bug may make it wait forever.
const LONGEST: Duration = Duration::from_secs(150);

/// What became of a bug.
pub enum Verdict {
    /// This test noticed it.
    Caught(String),
    /// Every test passes, but for what these lines of the tests say.
    Missed(Vec<String>),
    /// It would take another machine to notice.
    Skipped(String),
    /// The tests do not compile, and the compiler says this.
    Unbuilt(String),
}

/// Runs the tests, up to the first that fails.
pub fn trial(tree: &Tree, tests: &BTreeSet<&str>) -> Result<Verdict> {
    let (packages, programs): (Vec<&str>, Vec<&str>) =
        tests.iter().partition(|test| PACKAGES.contains(test));
    // Each package by itself: together, features of one would be enabled for the other.
    let mut selections: Vec<Vec<String>> = packages.iter().map(|name| of_package(name)).collect();
    if !programs.is_empty() {
        let programs = programs.iter().map(|name| format!("--test={name}"));
        selections.push(
            std::iter::once("--package=tests".to_owned())
                .chain(programs)
                .collect(),
        );
    }
    let mut skipped = Vec::new();
    for selection in selections {
        let programs = match build(tree, &selection)? {
            Ok(programs) => programs,
            Err(why) => return Ok(Verdict::Unbuilt(why)),
        };
        for program in programs {
            match run(&program)? {
                Ok(lines) => skipped.extend(lines),
                Err(failed) => return Ok(Verdict::Caught(failed)),
            }
        }
    }
    Ok(Verdict::Missed(skipped))
}

/// What selects the tests of a package: those of loom are in files of their own.
fn of_package(name: &str) -> Vec<String> {
    let kind = if name == "interleavings" {
        "--tests"
    } else {
        "--lib"
    };
    vec![format!("--package={name}"), kind.to_owned()]
}

/// A program of tests.
struct Program {
    name: String,
    path: PathBuf,
    /// Where cargo runs it.
    dir: PathBuf,
}

/// Builds the tests that are selected, and returns them, or what the compiler says.
fn build(tree: &Tree, selection: &[String]) -> Result<Result<Vec<Program>, String>> {
    let mut cargo = command("cargo");
    cargo.current_dir(tree.dir());
    cargo.args([
        "test",
        "--no-run",
        "--quiet",
        "--message-format=json-render-diagnostics",
    ]);
    cargo.args(selection);
    // Nobody debugs these, and they link sooner without.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
    let output = cargo.output().context("cannot start cargo")?;
    if !output.status.success() {
        return Ok(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let messages = String::from_utf8(output.stdout)?;
    let mut programs = Vec::new();
    for line in messages.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        let Some(path) = message["executable"].as_str() else {
            continue;
        };
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let manifest = PathBuf::from(text(&message["manifest_path"]));
        programs.push(Program {
            name: text(&message["target"]["name"]),
            path: path.into(),
            dir: manifest.parent().unwrap_or(tree.dir()).to_owned(),
        });
    }
    Ok(Ok(programs))
}

/// Runs a program, and returns which checks it skipped, or what failed.
fn run(program: &Program) -> Result<Result<Vec<String>, String>> {
    let log = workdir("mutants")?.join("log");
    let file = File::create(&log)?;
    let mut command = command(&program.path);
    // What tests that pass have printed.
    command.arg("--show-output").current_dir(&program.dir);
    command.stderr(file.try_clone()?).stdout(file);
    command
        .env("CARGO_MANIFEST_DIR", &program.dir)
        .env("RUST_BACKTRACE", "0");
    let Some(status) = wait(&mut command)? else {
        return Ok(Err(format!("{}: it does not end", program.name)));
    };
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if status.success() {
        let skipped = said.lines().filter(|line| line.starts_with("skipped: "));
        return Ok(Ok(skipped.map(str::to_owned).collect()));
    }
    let mut failed = said.lines().filter_map(|line| {
        let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
        Some(name.to_owned())
    });
    let failed = failed.next().unwrap_or_else(|| status.to_string());
    Ok(Err(format!("{}: {failed}", program.name)))
}

/// Waits until the command has ended; one that takes too long is killed, and its children with it.
fn wait(command: &mut Command) -> Result<Option<ExitStatus>> {
    let mut child = command.process_group(0).spawn()?;
    let end = Instant::now() + LONGEST;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > end {
            let group = format!("-{}", child.id());
            Command::new("kill")
                .args(["-KILL", "--", &group])
                .status()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs the tests of the copy on an emulated machine.
pub fn emulated(tree: &Tree, machine: &Machine) -> Result<Verdict> {
    let log = workdir("mutants")?.join("log");
    let file = File::create(&log)?;
    let mut cargo = command("cargo");
    cargo.current_dir(tree.dir());
    cargo.args([
        "xtask",
        "emulate",
        "--target",
        &machine.target,
        &machine.test,
    ]);
    let status = cargo.stderr(file.try_clone()?).stdout(file).status()?;
    if status.success() {
        return Ok(Verdict::Missed(Vec::new()));
    }
    let said = fs::read_to_string(&log)?;
    Ok(match last_line(&said) {
        Some(line) => Verdict::Caught(format!("{} on {}: {line}", machine.test, machine.target)),
        None => Verdict::Caught(machine.test.clone()),
    })
}

/// The last line that is not empty.
fn last_line(text: &str) -> Option<&str> {
    text.lines().rev().find(|line| !line.trim().is_empty())
}
