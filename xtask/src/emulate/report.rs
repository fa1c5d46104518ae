//! The table at the end: what ran where, what failed, and what was left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Result, bail};
use comfy_table::{Table, presets};

use super::libtest::Count;
use super::rows::Target;
use crate::toolchain::{Spec, Toolchain};
use crate::visit::{Outcome, Visit};

/// One run of all programs of a target.
pub struct Run {
    /// rustc's name of the target.
    pub target: String,
    /// What distinguishes this run from the target's others: its page size, and where its kernel is
    /// from.
    pub place: String,
    /// The size of a page in bytes.
    pub page: usize,
    /// The machine that ran them.
    pub machine: String,
    /// The results of all programs.
    pub count: Count,
    /// The name and the output of each program that failed.
    pub failures: Vec<String>,
    /// How long it took.
    pub time: Duration,
    /// The programs, with their seconds.
    pub seconds: Vec<(String, f64)>,
}

/// How many of the slowest programs a line names.
const SLOWEST: usize = 5;

impl Run {
    /// A line to read while other targets still run.
    pub fn line(&self) -> String {
        let mut slowest: Vec<_> = self.seconds.iter().collect();
        slowest.sort_by(|a, b| b.1.total_cmp(&a.1));
        let slowest = slowest.iter().take(SLOWEST);
        let slowest: Vec<_> = slowest
            .map(|(name, time)| format!("{name} {time:.0}"))
            .collect();
        format!(
            "pages of {}: {} passed, {} failed, {} skipped, {:.1} s by {}; slowest: {}",
            self.page,
            self.count.passed,
            self.count.failed,
            self.count.skipped,
            self.time.as_secs_f64(),
            self.machine,
            slowest.join(", ")
        )
    }

    fn failed(&self) -> bool {
        self.count.failed > 0 || !self.failures.is_empty()
    }
}

/// The outcome for the target's cell in the table of platforms.
pub fn outcome(spec: &Spec, runs: &[Run]) -> Outcome {
    let failed = runs.iter().filter(|run| run.failed());
    let failed: Vec<_> = failed.map(Run::line).collect();
    if !failed.is_empty() {
        return Outcome::Failed(failed.join("; "));
    }
    if runs.is_empty() {
        return Outcome::Failed("nothing was run".to_owned());
    }
    Outcome::Passed(cell(spec, runs))
}

/// What is recorded for PLATFORMS.md: no times, so that it changes only if the results do.
fn cell(spec: &Spec, runs: &[Run]) -> String {
    let runs = runs.iter().map(|run| {
        format!(
            "{} bytes by {} ({} passed, {} skipped)",
            run.page, run.machine, run.count.passed, run.count.skipped
        )
    });
    format!(
        "{} endian, {} bits: {}",
        spec.target_endian,
        spec.target_pointer_width,
        runs.collect::<Vec<_>>().join("; ")
    )
}

/// Prints the table, what was left out, and what failed.
///
/// # Errors
/// If anything failed, or could not be built.
pub fn print(
    toolchain: &Toolchain,
    targets: &[&Target],
    runs: &[Run],
    visits: &[Visit<'_>],
) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "target", "endian", "bits", "page", "run by", "passed", "failed", "skipped", "time",
    ]);
    let mut failed = Vec::new();
    for target in targets {
        let spec = toolchain.spec(&target.name)?;
        let mut ours = runs
            .iter()
            .filter(|run| run.target == target.name)
            .peekable();
        if ours.peek().is_none() {
            table.add_row([&*target.name, "", "", "", "not run: see below"]);
        }
        for run in ours {
            table.add_row([
                run.target.clone(),
                spec.target_endian.to_string(),
                spec.target_pointer_width.to_string(),
                run.page.to_string(),
                run.machine.clone(),
                run.count.passed.to_string(),
                run.count.failed.to_string(),
                run.count.skipped.to_string(),
                format!("{:.1} s", run.time.as_secs_f64()),
            ]);
        }
    }
    println!("\n{table}");
    println!(
        "\nA test counts as skipped if it left anything out. Documentation tests are not run here."
    );
    for target in targets {
        if let Some(note) = &target.note {
            println!("{}: {note}", target.name);
        }
    }
    print!("{}", reasons(runs));
    for run in runs {
        for failure in &run.failures {
            println!("\n{}: {failure}", run.place);
        }
    }
    for visit in visits {
        if let Outcome::Failed(text) = &visit.outcomes[0] {
            failed.push(visit.row.name());
            if runs.iter().all(|run| run.target != visit.row.name()) {
                println!("\n{}: {text}", visit.row.name());
            }
        }
    }
    let sum = |of: fn(&Run) -> usize| runs.iter().map(of).sum::<usize>();
    println!(
        "\nemulate: {} targets, {} runs; {} tests passed, {} failed, {} skipped",
        targets.len(),
        runs.len(),
        sum(|run| run.count.passed),
        sum(|run| run.count.failed),
        sum(|run| run.count.skipped),
    );
    if !failed.is_empty() {
        bail!("emulate: failed: {}", failed.join(", "));
    }
    Ok(())
}

/// What was left out, grouped by reason: what, how often, and where.
fn reasons(runs: &[Run]) -> String {
    let mut reasons = BTreeMap::<_, (BTreeMap<_, usize>, BTreeSet<_>)>::new();
    for run in runs {
        for reason in &run.count.reasons {
            let (what, why) = reason
                .split_once(": ")
                .unwrap_or((reason, "no reason given"));
            let (whats, places) = reasons.entry(why).or_default();
            *whats.entry(what).or_default() += 1;
            places.insert(run.place.clone());
        }
    }
    let mut text = String::new();
    for (why, (whats, places)) in reasons {
        let _ = writeln!(text, "\nskipped: {why}");
        let everywhere = places.len() == runs.len();
        let places: Vec<_> = places.into_iter().collect();
        let places = if everywhere {
            "everywhere".to_owned()
        } else {
            places.join(", ")
        };
        let _ = writeln!(text, "  at {places}");
        for (what, times) in whats {
            let _ = writeln!(text, "  {times:4} x {what}");
        }
    }
    text
}

/// The part about failures of a test program's output, after what children printed as they panicked: that
/// is written at once, between the lines of the tests.
pub fn failures(output: &str) -> String {
    let Some(start) = output.find("\nfailures:\n") else {
        return output.to_owned();
    };
    let (before, failures) = output.split_at(start + 1);
    let mut children = String::new();
    let mut is_childs = false;
    for line in before.lines() {
        is_childs = line.contains("a child panicked") || is_childs && !line.starts_with("test ");
        if is_childs {
            children += line;
            children.push('\n');
        }
    }
    children + failures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(page: usize, count: Count) -> Run {
        Run {
            target: "pdp11-unix".to_owned(),
            place: format!("pdp11-unix/{page}"),
            page,
            machine: "qemu".to_owned(),
            count,
            failures: Vec::new(),
            time: Duration::from_secs(1),
            seconds: Vec::new(),
        }
    }

    #[test]
    fn one_failure_in_one_run_is_a_failure() {
        let spec: Spec = serde_json::from_str(
            r#"{"llvm-target": "pdp11", "target-pointer-width": 16, "target-endian": "big"}"#,
        )
        .unwrap();
        let good = Count {
            passed: 3,
            ..Count::default()
        };
        let bad = Count {
            failed: 1,
            ..good.clone()
        };
        let passed = outcome(&spec, &[run(4096, good.clone()), run(65536, good.clone())]);
        let text = "big endian, 16 bits: 4096 bytes by qemu (3 passed, 0 skipped); \
                    65536 bytes by qemu (3 passed, 0 skipped)";
        assert_eq!(passed, Outcome::Passed(text.to_owned()));
        let mixed = outcome(&spec, &[run(4096, good), run(65536, bad)]);
        assert!(matches!(mixed, Outcome::Failed(_)));
        assert!(matches!(outcome(&spec, &[]), Outcome::Failed(_)));
    }

    #[test]
    fn reasons_are_told_once() {
        let count = Count {
            skipped: 2,
            reasons: vec!["a: why".into(), "a: why".into(), "b: why".into()],
            ..Count::default()
        };
        let text = reasons(&[run(4096, count), run(8192, Count::default())]);
        let expected = "\nskipped: why\n  at pdp11-unix/4096\n     2 x a\n     1 x b\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn failures_are_cut_out() {
        let output = "test a ... ok\n\nsuccesses:\n...\n\nfailures:\n\n---- b stdout ----\nx\n";
        assert_eq!(failures(output), "failures:\n\n---- b stdout ----\nx\n");
        assert_eq!(failures("other"), "other");
        let output = "test a ... a child panicked: two\nleft: 1\ntest b ... ok\n\nfailures:\nx\n";
        let expected = "test a ... a child panicked: two\nleft: 1\nfailures:\nx\n";
        assert_eq!(failures(output), expected);
    }
}
