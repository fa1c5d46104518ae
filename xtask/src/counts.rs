//! `cargo xtask counts`: counts the instructions and system calls that an operation takes, compares them with
//! the bare calls and the peers, and reports operations that take more than `xtask/counts.toml` allows.
//!
//! A count is the difference between two runs, one of which does the operation twice as often as the other.
//! valgrind's callgrind counts the instructions of the program and its libraries, ptrace the system calls.
//! Unlike times, the counts are the same in each run and on a loaded machine. They apply to one kind of
//! processor, compiler and C library: elsewhere they are printed, but not compared with limits.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use serde::Deserialize;

use crate::process::{capture, command, installed, root, text};

/// How often the shorter run does the operation.
const TIMES: u64 = 200;

/// The implementation that has limits.
const OURS: &str = "unix-memory";

#[derive(Parser, Default)]
pub struct Args {
    /// Count only operations whose names contain this
    pub operation: Option<String>,
    /// Count the bare calls and the peers as well, which have no limits
    #[arg(long)]
    pub peers: bool,
}

/// The limit of an operation.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Limit {
    instructions: u64,
    calls: u64,
}

/// By operation, then by implementation.
type Limits = BTreeMap<String, BTreeMap<String, Limit>>;

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    let Some((table, faults)) = count(args)? else {
        return Ok(());
    };
    println!("{table}");
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        println!("{fault}");
    }
    bail!("counts: {} faults, listed above", faults.len());
}

/// The table of counts, and what is over its limit; `None` if nothing can be counted here.
pub fn count(args: &Args) -> Result<Option<(Table, Vec<String>)>> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("counts: skipped: the limits are those of x86_64 and Linux");
        return Ok(None);
    }
    if installed("valgrind").is_none() {
        bail!("valgrind is not installed: run `apt-get install valgrind`");
    }
    let path = root().join("xtask/counts.toml");
    let limits: Limits =
        toml::from_str(&fs::read_to_string(&path)?).with_context(|| path.display().to_string())?;
    let program = build("counts")?;
    let listed = text(command(&program).arg("list"))?;
    let mut operations = Vec::new();
    for line in listed.lines() {
        operations.push(line.split_once('\t').with_context(|| line.to_owned())?);
    }
    let mut faults = unknown(&limits, &operations);

    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "operation",
        "by",
        "instructions",
        "allowed",
        "calls",
        "allowed",
    ]);
    for column in 2..6 {
        table
            .column_mut(column)
            .expect("there are six")
            .set_cell_alignment(CellAlignment::Right);
    }
    for (operation, by) in operations {
        let ours = by.starts_with(OURS);
        let asked = args
            .operation
            .as_ref()
            .is_none_or(|part| operation.contains(part));
        if !asked || !ours && !args.peers {
            continue;
        }
        let count = || -> Result<Limit> {
            Ok(Limit {
                instructions: per_operation(|times| instructions(&program, operation, by, times))?,
                calls: per_operation(|times| calls(&program, operation, by, times))?,
            })
        };
        let counted = match count() {
            Ok(counted) => counted,
            // A peer may not run under valgrind.
            Err(error) if !ours => {
                let why = error.to_string();
                eprintln!("skipped: {}", why.lines().next().unwrap_or_default());
                continue;
            }
            Err(error) => return Err(error),
        };
        let limit = limits.get(operation).and_then(|of| of.get(by)).copied();
        match limit {
            None if ours => faults.push(format!("{operation} by {by}: no limit is set")),
            Some(limit)
                if counted.instructions > limit.instructions || counted.calls > limit.calls =>
            {
                faults.push(format!(
                    "{operation} by {by}: {} instructions and {} calls; the limits are {} and {}",
                    counted.instructions, counted.calls, limit.instructions, limit.calls
                ));
            }
            _ => {}
        }
        let allowed =
            |of: fn(Limit) -> u64| limit.map_or(String::new(), |limit| of(limit).to_string());
        table.add_row([
            operation.to_owned(),
            by.to_owned(),
            counted.instructions.to_string(),
            allowed(|limit| limit.instructions),
            counted.calls.to_string(),
            allowed(|limit| limit.calls),
        ]);
    }
    if table.is_empty() {
        bail!("no operation has a name that contains the argument");
    }
    Ok(Some((table, faults)))
}

/// Limits for operations that do not exist.
fn unknown(limits: &Limits, operations: &[(&str, &str)]) -> Vec<String> {
    let mut unknown = Vec::new();
    for (operation, of) in limits {
        for by in of.keys() {
            if !operations.contains(&(operation, by)) {
                unknown.push(format!(
                    "{operation} by {by}: xtask/counts.toml has a limit, but there is no such operation"
                ));
            }
        }
    }
    unknown
}

/// Builds a program in `tests/benches`, and returns its path.
pub fn build(name: &str) -> Result<PathBuf> {
    let mut cargo = command("cargo");
    cargo.args(["bench", "--quiet", "--locked", "-p", "tests", "--bench"]);
    cargo.arg(name);
    cargo.args(["--no-run", "--message-format", "json"]);
    let messages = capture(&mut cargo)?;
    let mut built = None;
    for message in serde_json::Deserializer::from_slice(&messages).into_iter() {
        let message: serde_json::Value = message?;
        if message["target"]["name"] == name {
            built = message["executable"].as_str().map(PathBuf::from);
        }
    }
    built.context("cargo did not build the program")
}

/// The difference between a run and one that does the operation twice as often, per operation.
fn per_operation(count: impl Fn(u64) -> Result<u64>) -> Result<u64> {
    let (once, twice) = (count(TIMES)?, count(2 * TIMES)?);
    let Some(more) = twice.checked_sub(once) else {
        bail!(
            "{} operations took {twice}, but half as many took {once}",
            2 * TIMES
        );
    };
    Ok(more.div_ceil(TIMES))
}

/// How many instructions a run takes.
fn instructions(program: &Path, operation: &str, by: &str, times: u64) -> Result<u64> {
    let mut valgrind: Command = command("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind
        .arg(program)
        .args(["run", operation, by, &times.to_string()]);
    let output = valgrind.output().context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| {
        line.split_once("Collected : ")?
            .1
            .split(' ')
            .next()?
            .parse()
            .ok()
    });
    match collected {
        Some(collected) if output.status.success() => Ok(collected),
        _ => bail!("{operation} by {by}: valgrind: {said}"),
    }
}

/// How many system calls a run makes, if nothing is made twice: where the kernel places memory differs
/// from run to run, and now and then a ring's two views do not fit there.
fn calls(program: &Path, operation: &str, by: &str, times: u64) -> Result<u64> {
    let mut least = u64::MAX;
    for _ in 0..3 {
        let counted = text(command(program).args(["calls", operation, by, &times.to_string()]))?;
        least = least.min(counted.parse().with_context(|| counted.clone())?);
    }
    Ok(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_nothing_is_noticed() {
        let text = "['a page']\nunix-memory = { instructions = 1, calls = 2 }\n";
        let limits: Limits = toml::from_str(text).unwrap();
        assert_eq!(limits["a page"][OURS].calls, 2);
        assert_eq!(unknown(&limits, &[("a page", OURS)]), [""; 0]);
        assert_eq!(unknown(&limits, &[("a page", "libc")]).len(), 1);
    }

    #[test]
    fn the_start_of_a_program_does_not_count() {
        assert_eq!(per_operation(|times| Ok(1000 + 7 * times)).unwrap(), 7);
        assert_eq!(
            per_operation(|times| Ok(1000 + 7 * times + times / TIMES)).unwrap(),
            8
        );
    }
}
