//! `cargo xtask table`: the tables of platforms, made from `targets.toml` and from what the tasks wrote to
//! `results.toml`. `README.md` has one row for each system (`summary.rs`), and `PLATFORMS.md` has everything
//! that was found (`full.rs`).

mod full;
mod summary;

use std::fs;

use anyhow::{Context, Result, bail};

use crate::process::root;
use crate::results::{Results, passed};
use crate::targets::{Table, Target};

/// The command-line arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Change nothing, and fail if README.md or PLATFORMS.md is stale
    #[arg(long)]
    check: bool,
}

/// What is around a table of platforms.
const MARKERS: [&str; 2] = ["<!-- platforms:begin -->\n", "<!-- platforms:end -->"];

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    let (table, results) = (Table::load()?, Results::load()?);
    let documents = [
        ("README.md", summary::markdown(&table, &results)),
        ("PLATFORMS.md", full::markdown(&table, &results)),
    ];
    let mut stale = Vec::new();
    for (name, markdown) in documents {
        let path = root().join(name);
        let text = fs::read_to_string(&path).context(name)?;
        let fresh = with_table(&text, MARKERS, &markdown).context(name)?;
        if fresh == text {
            println!("table: {name} is up to date");
        } else if args.check {
            stale.push(name);
        } else {
            fs::write(path, fresh)?;
            println!("table: wrote {name}");
        }
    }
    if !stale.is_empty() {
        let names = stale.join(", ");
        bail!("stale tables of platforms: {names}: run `cargo xtask table`");
    }
    Ok(())
}

/// `text` with `table` between the markers.
///
/// # Errors
/// If it does not have both.
pub fn with_table(text: &str, [begin, end]: [&str; 2], table: &str) -> Result<String> {
    let parts = text.split_once(begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(end)?;
        Some((before, after))
    });
    let Some((before, after)) = parts else {
        bail!("there is no {} ... {end}", begin.trim_end());
    };
    Ok(format!("{before}{begin}{table}{end}{after}"))
}

/// Targets that share a row.
type Targets<'a> = [&'a Target];

/// The number of `targets` that passed in all of `columns`; a dash for none.
fn count(targets: &Targets<'_>, results: &Results, columns: &[&str]) -> String {
    let passes = |target: &&&Target| {
        let mut cells = columns
            .iter()
            .map(|column| results.get(&target.name, column));
        cells.all(|cell| cell.is_some_and(passed))
    };
    match targets.iter().filter(passes).count() {
        0 => "-".to_owned(),
        number => number.to_string(),
    }
}

/// The least and the greatest number that `column` says is proved on one of `targets`, and the number of
/// these targets.
fn proved(targets: &Targets<'_>, results: &Results, column: &str) -> Option<(String, usize)> {
    let mut proved: Vec<u32> = targets
        .iter()
        .filter_map(|target| results.get(&target.name, column))
        .filter(|cell| passed(cell))
        .filter_map(|cell| cell.split(' ').next()?.parse().ok())
        .collect();
    proved.sort_unstable();
    let (least, most) = (proved.first()?, proved.last()?);
    let range = if least == most {
        least.to_string()
    } else {
        format!("{least}-{most}")
    };
    Some((range, proved.len()))
}

/// A run of the tests, as `emulate` writes it into a cell.
#[derive(Debug, PartialEq)]
struct Run<'a> {
    endian: &'a str,
    bits: &'a str,
    page: &'a str,
    machine: &'a str,
    passed: &'a str,
    skipped: &'a str,
}

/// The runs on a target, from a cell such as `big endian, 64 bits: 4096 bytes by qemu-s390x 7.2 (214
/// passed, 103 skipped); 65536 bytes by ...`.
fn runs<'a>(results: &'a Results, target: &str) -> Vec<Run<'a>> {
    let cell = results.get(target, "run").filter(|cell| passed(cell));
    let Some((spec, runs)) = cell.and_then(|cell| cell.split_once(": ")) else {
        return Vec::new();
    };
    let (endian, bits) = spec.split_once(" endian, ").unwrap_or((spec, ""));
    let bits = bits.trim_end_matches(" bits");
    runs.split("; ")
        .map(|run| {
            let parts = run.split_once(" bytes by ").and_then(|(page, rest)| {
                let (machine, counts) = rest.rsplit_once(" (")?;
                let (passed, rest) = counts.split_once(" passed, ")?;
                Some((page, machine, passed, rest.strip_suffix(" skipped)")?))
            });
            let (page, machine, passed, skipped) = parts.unwrap_or(("?", run, "?", "?"));
            Run {
                endian,
                bits,
                page,
                machine,
                passed,
                skipped,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_between_the_markers_changes() {
        let [begin, end] = MARKERS;
        let readme = format!("a\n{begin}old\n{end}\nb\n");
        let fresh = with_table(&readme, MARKERS, "new\n").unwrap();
        assert_eq!(fresh, format!("a\n{begin}new\n{end}\nb\n"));
        assert!(with_table("no markers", MARKERS, "new").is_err());
    }

    #[test]
    fn runs_are_read() {
        let mut results = Results::default();
        let cells = results.0.entry("pdp11-unix".to_owned()).or_default();
        let run = "little endian, 16 bits: 512 bytes by qemu 1 (3 passed, 2 skipped); \
                   64 bytes by Linux 7 in qemu 1 (5 passed, 0 skipped)";
        cells.insert("run".into(), run.into());
        let runs = runs(&results, "pdp11-unix");
        let expected = |page, machine, passed, skipped| Run {
            endian: "little",
            bits: "16",
            page,
            machine,
            passed,
            skipped,
        };
        assert_eq!(
            runs,
            [
                expected("512", "qemu 1", "3", "2"),
                expected("64", "Linux 7 in qemu 1", "5", "0"),
            ]
        );
    }

    #[test]
    fn nothing_found_is_a_dash_and_a_failure_is_no_pass() {
        let table = Table::load().unwrap();
        let target = &table.groups[0].targets[0];
        let targets = [target];
        let mut results = Results::default();
        assert_eq!(count(&targets, &results, &["sys"]), "-");
        let cells = results.0.entry(target.name.clone()).or_default();
        cells.insert("sys".into(), "ok".into());
        cells.insert("safe".into(), "skipped: why".into());
        cells.insert("constants".into(), "12 proved, 0 missing, 0 wrong".into());
        assert_eq!(count(&targets, &results, &["sys"]), "1");
        assert_eq!(count(&targets, &results, &["sys", "safe"]), "-");
        let twelve = Some(("12".to_owned(), 1));
        assert_eq!(proved(&targets, &results, "constants"), twelve);
        let cells = results.0.entry(target.name.clone()).or_default();
        cells.insert("sys".into(), "FAILED: why".into());
        assert_eq!(count(&targets, &results, &["sys"]), "-");
    }
}
