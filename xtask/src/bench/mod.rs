//! `cargo xtask bench`: measures what the crate's ways cost beside each other, the bare calls, std and the
//! peers, and writes one report, with a plot for each comparison.
//!
//! The text of the report is `xtask/bench/performance.md`; each number in it is a name that
//! [`report`] replaces. What is timed is in `tests/benches/ratios`, what is counted in
//! `tests/benches/counts`, and the programs whose size is compared in [`programs`].

mod measured;
mod plot;
mod programs;
mod report;

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::counts;
use crate::process::{root, workdir};
use measured::Measured;

/// Measures the speed beside the bare calls, std and the peers, and writes a report with plots
#[derive(Parser)]
pub struct Args {
    /// Measure only comparisons whose names contain this, and print them
    comparison: Option<String>,
    /// Measure in a few rounds, to see whether everything runs
    #[arg(long)]
    quick: bool,
    /// Write the report to docs/performance.md, and its plots beside it, instead of target/xtask/bench
    #[arg(long, conflicts_with_all = ["comparison", "quick"])]
    write: bool,
}

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("bench: skipped: the comparisons are of ways on Linux");
        return Ok(());
    }
    let measured = measure(args)?;
    if args.comparison.is_some() {
        for contest in measured.contests() {
            println!("\n{}\n{}", contest.name, report::table(contest));
        }
        return Ok(());
    }
    let counted = counts::Args {
        peers: true,
        ..counts::Args::default()
    };
    let counted = counts::count(&counted)?.map(|(table, _)| table.to_string());
    let sizes = programs::table()?;
    let text = fs::read_to_string(root().join("xtask/bench/performance.md"))?;
    let text = report::fill(&text, &measured, counted.as_deref(), &sizes)?;

    let dir = if args.write {
        root().join("docs")
    } else {
        workdir("bench")?
    };
    let plots = dir.join("performance");
    fs::create_dir_all(&plots)?;
    for contest in measured.contests() {
        let path = plots.join(report::file_name(&contest.name));
        plot::draw(contest, &path).with_context(|| path.display().to_string())?;
    }
    let path = dir.join("performance.md");
    fs::write(&path, text)?;
    println!("bench: wrote {}", path.display());
    Ok(())
}

/// Runs the comparisons.
fn measure(args: &Args) -> Result<Measured> {
    let program = counts::build("ratios")?;
    let mut command = Command::new(program);
    command.arg("run");
    if args.quick {
        command.arg("--quick");
    }
    command.args(&args.comparison);
    // What is skipped is said on the terminal.
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot start the program that measures")?;
    if !output.status.success() {
        bail!("the program that measures failed: {}", output.status);
    }
    let measured = Measured::from_lines(&String::from_utf8(output.stdout)?)?;
    if measured.contests().is_empty() {
        bail!("no comparison has a name that contains the argument");
    }
    Ok(measured)
}
