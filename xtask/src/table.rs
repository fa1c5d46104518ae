//! `cargo xtask table`: the README's table of platforms, made from `targets.toml` and from what the
//! tasks wrote to `results.toml`.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::process::root;
use crate::results::{Results, passed};
use crate::targets::{Group, Table};

/// What may be asked for.
#[derive(clap::Args)]
pub struct Args {
    /// Changes nothing, and fails where README.md is not as it should be
    #[arg(long)]
    check: bool,
}

const BEGIN: &str = "<!-- platforms:begin -->\n";
const END: &str = "<!-- platforms:end -->";

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).context("README.md")?;
    let fresh = with_table(&readme, &markdown(&Table::load()?, &Results::load()?))?;
    if fresh == readme {
        println!("table: README.md is up to date");
    } else if args.check {
        bail!("README.md's table of platforms is stale: run `cargo xtask table`");
    } else {
        fs::write(path, fresh)?;
        println!("table: wrote README.md");
    }
    Ok(())
}

/// `text` with `table` between the markers.
fn with_table(text: &str, table: &str) -> Result<String> {
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let Some((before, after)) = parts else {
        bail!("README.md has no {} ... {END}", BEGIN.trim_end());
    };
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn markdown(table: &Table, results: &Results) -> String {
    let mut text = String::from(
        "| system | C library | values of | targets | compile | as libc | header constants | values from sources | symbols \
         | link | run |\n|---|---|---|---:|---|---|---|---|---|---|---|\n",
    );
    for group in &table.groups {
        let libc = if group.libc == "system" {
            ""
        } else {
            &group.libc
        };
        let _ = writeln!(
            text,
            "| {} | {libc} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            group.system,
            group.family,
            group.targets.len(),
            compiled(group, results),
            count(group, results, &["sys = libc"]),
            headers(table, group, results),
            facts(group, results),
            count(group, results, &["symbols"]),
            count(group, results, &["linked"]),
            count(group, results, &["run"]),
        );
    }
    let targets: usize = table.groups.iter().map(|group| group.targets.len()).sum();
    let _ = writeln!(
        text,
        "\n{targets} targets. A number is how many of a group's targets passed; a dash, that none \
         did, or that nothing could be looked at. {}",
        unproved(table, results)
    );
    text.push_str(&runs(results));
    text
}

/// Where the tests ran, from cells as `emulate` writes them: `big endian, 64 bits: 4096 bytes by
/// qemu-s390x 7.2 (214 passed, 103 skipped); 65536 bytes by ...`.
fn runs(results: &Results) -> String {
    let mut text = String::from(
        "\nThe runs of `cargo xtask emulate`. A test counts as skipped if it left anything out that \
         the emulator or kernel lacks; each says so, and why.\n\n\
         | target | byte order | bits | page | run by | passed | skipped |\n\
         |---|---|---:|---:|---|---:|---:|\n",
    );
    for (target, cells) in &results.0 {
        let cell = cells.get("run").filter(|cell| passed(cell));
        let Some((spec, runs)) = cell.and_then(|cell| cell.split_once(": ")) else {
            continue;
        };
        let (endian, bits) = spec.split_once(" endian, ").unwrap_or((spec, ""));
        let bits = bits.trim_end_matches(" bits");
        for run in runs.split("; ") {
            let parts = run.split_once(" bytes by ").and_then(|(page, rest)| {
                let (machine, counts) = rest.rsplit_once(" (")?;
                let (passed, rest) = counts.split_once(" passed, ")?;
                Some((page, machine, passed, rest.strip_suffix(" skipped)")?))
            });
            let (page, machine, passed, skipped) = parts.unwrap_or(("?", run, "?", "?"));
            let _ = writeln!(
                text,
                "| {target} | {endian} | {bits} | {page} | {machine} | {passed} | {skipped} |"
            );
        }
    }
    text
}

/// How many targets passed in all of `columns`.
fn number(group: &Group, results: &Results, columns: &[&str]) -> usize {
    let names = group.targets.iter().map(|target| &target.name);
    names
        .filter(|name| {
            let mut cells = columns.iter().map(|column| results.get(name, column));
            cells.all(|cell| cell.is_some_and(passed))
        })
        .count()
}

fn count(group: &Group, results: &Results, columns: &[&str]) -> String {
    match number(group, results, columns) {
        0 => "-".to_owned(),
        number => number.to_string(),
    }
}

/// Both crates where there is memory to map.
fn compiled(group: &Group, results: &Results) -> String {
    let sys = count(group, results, &["sys"]);
    if !group.mapping {
        format!("{sys}, no memory mapping")
    } else if group.safe.is_some() || group.no_libc {
        format!("{sys}, sys alone")
    } else {
        count(group, results, &["sys", "safe"])
    }
}

/// "116-118 on 4": how many constants, on how many targets, are values read in the system's sources.
fn facts(group: &Group, results: &Results) -> String {
    match proved(group, results, "values from sources") {
        Some((range, targets)) => format!("{range} on {targets}"),
        None => "-".to_owned(),
    }
}

/// "3: 119-121, glibc 2.43": on how many targets, how many constants, of which headers.
fn headers(table: &Table, group: &Group, results: &Results) -> String {
    let Some((range, targets)) = proved(group, results, "constants") else {
        return "-".to_owned();
    };
    let set = table.headers.get(&group.headers);
    let set = set.map_or("", |set| &set.text);
    format!("{range} on {targets} ({set})")
}

/// The systems whose values nothing but the crate libc vouches for.
fn unproved(table: &Table, results: &Results) -> String {
    let mut systems: Vec<&str> = table
        .groups
        .iter()
        .filter(|group| group.mapping)
        .filter(|group| {
            ["constants", "values from sources"]
                .iter()
                .all(|column| proved(group, results, column).is_none())
        })
        .map(|group| group.system.as_str())
        .collect();
    systems.sort_unstable();
    systems.dedup();
    format!(
        "Neither headers nor sources of these were to be had, so that their values are what the \
         crate libc says, where it says something: {}.",
        systems.join(", ")
    )
}

/// The least and the most that `column` says is proved on a target of `group`, and on how many.
fn proved(group: &Group, results: &Results, column: &str) -> Option<(String, usize)> {
    let mut proved: Vec<u32> = group
        .targets
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_between_the_markers_changes() {
        let readme = format!("a\n{BEGIN}old\n{END}\nb\n");
        let fresh = with_table(&readme, "new\n").unwrap();
        assert_eq!(fresh, format!("a\n{BEGIN}new\n{END}\nb\n"));
        assert!(with_table("no markers", "new").is_err());
    }

    #[test]
    fn runs_are_rows() {
        let mut results = Results::default();
        let cells = results.0.entry("pdp11-unix".to_owned()).or_default();
        let run = "little endian, 16 bits: 512 bytes by qemu 1 (3 passed, 2 skipped); \
                   64 bytes by Linux 7 in qemu 1 (5 passed, 0 skipped)";
        cells.insert("run".into(), run.into());
        let text = runs(&results);
        let rows: Vec<_> = text.lines().skip(4).collect();
        let expected = [
            "| pdp11-unix | little | 16 | 512 | qemu 1 | 3 | 2 |",
            "| pdp11-unix | little | 16 | 64 | Linux 7 in qemu 1 | 5 | 0 |",
        ];
        assert_eq!(rows[1..], expected, "{text}");
    }

    #[test]
    fn nothing_found_is_a_dash_and_a_failure_is_no_pass() {
        let table = Table::load().unwrap();
        let group = &table.groups[0];
        let mut results = Results::default();
        assert_eq!(count(group, &results, &["sys"]), "-");
        let name = &group.targets[0].name;
        let cells = results.0.entry(name.clone()).or_default();
        cells.insert("sys".into(), "ok".into());
        cells.insert("safe".into(), "skipped: why".into());
        cells.insert("constants".into(), "12 proved, 0 missing, 0 wrong".into());
        assert_eq!(count(group, &results, &["sys"]), "1");
        assert_eq!(count(group, &results, &["sys", "safe"]), "-");
        assert!(headers(&table, group, &results).starts_with("12 on 1"));
        let cells = results.0.entry(name.clone()).or_default();
        cells.insert("sys".into(), "FAILED: why".into());
        assert_eq!(count(group, &results, &["sys"]), "-");
    }
}
