//! The tables of `PLATFORMS.md`: a row for each group of targets, and a row for each run of the tests.

use std::fmt::Write as _;

use super::{count, proved, runs};
use crate::results::Results;
use crate::targets::{Group, Table, Target};

pub fn markdown(table: &Table, results: &Results) -> String {
    let mut text = String::from(
        "| system | C library | values of | targets | compile | as libc | constants by headers | constants by sources \
         | symbols | link | run |\n|---|---|---|---:|---|---|---|---|---|---|---|\n",
    );
    for group in &table.groups {
        let libc = if group.libc == "system" {
            ""
        } else {
            &group.libc
        };
        let targets: Vec<&Target> = group.targets.iter().collect();
        let count = |columns: &[&str]| count(&targets, results, columns);
        let _ = writeln!(
            text,
            "| {} | {libc} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            group.system,
            group.family,
            targets.len(),
            compiled(group, count),
            count(&["sys = libc"]),
            headers(table, group, &targets, results),
            facts(&targets, results),
            count(&["symbols"]),
            count(&["linked"]),
            count(&["run"]),
        );
    }
    let targets: usize = table.groups.iter().map(|group| group.targets.len()).sum();
    let _ = writeln!(
        text,
        "\n{targets} targets. A number is how many of a group's targets passed. A dash means that none \
         passed, or that there was nothing to check against. {}",
        unproved(table, results)
    );
    text.push_str(&runs_of_all(results));
    text
}

fn runs_of_all(results: &Results) -> String {
    let mut text = String::from(
        "\n## Where the tests ran\n\n\
         The runs of `cargo xtask emulate`. A test counts as skipped if it left out anything that the \
         emulator or the kernel lacks; each such test prints what it left out, and why.\n\n\
         | target | byte order | bits | page | run by | passed | skipped |\n\
         |---|---|---:|---:|---|---:|---:|\n",
    );
    for target in results.0.keys() {
        for run in runs(results, target) {
            let _ = writeln!(
                text,
                "| {target} | {} | {} | {} | {} | {} | {} |",
                run.endian, run.bits, run.page, run.machine, run.passed, run.skipped
            );
        }
    }
    text
}

/// Both crates, if the system maps memory.
fn compiled(group: &Group, count: impl Fn(&[&str]) -> String) -> String {
    let sys = count(&["sys"]);
    if !group.mapping {
        format!("{sys}, no memory mapping")
    } else if group.safe.is_some() || group.no_libc {
        format!("{sys}, sys alone")
    } else {
        count(&["sys", "safe"])
    }
}

/// "116-118 on 4": how many constants, on how many targets, match values read in the system's sources.
fn facts(targets: &[&Target], results: &Results) -> String {
    match proved(targets, results, "values from sources") {
        Some((range, targets)) => format!("{range} on {targets}"),
        None => "-".to_owned(),
    }
}

/// "119-121 on 3 (glibc 2.43)": how many constants, on how many targets, match which headers.
fn headers(table: &Table, group: &Group, targets: &[&Target], results: &Results) -> String {
    let Some((range, targets)) = proved(targets, results, "constants") else {
        return "-".to_owned();
    };
    let set = table.headers.get(&group.headers);
    let set = set.map_or("", |set| &set.text);
    format!("{range} on {targets} ({set})")
}

/// The systems whose values only the crate libc vouches for.
fn unproved(table: &Table, results: &Results) -> String {
    let mut systems: Vec<&str> = table
        .groups
        .iter()
        .filter(|group| group.mapping)
        .filter(|group| {
            let targets: Vec<&Target> = group.targets.iter().collect();
            ["constants", "values from sources"]
                .iter()
                .all(|column| proved(&targets, results, column).is_none())
        })
        .map(|group| group.system.as_str())
        .collect();
    systems.sort_unstable();
    systems.dedup();
    format!(
        "Neither headers nor sources were available for {}: their values are those of the crate libc, \
         where it has any; all are recorded, so that none changes unnoticed.",
        systems.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_rows() {
        let mut results = Results::default();
        let cells = results.0.entry("pdp11-unix".to_owned()).or_default();
        let run = "little endian, 16 bits: 512 bytes by qemu 1 (3 passed, 2 skipped)";
        cells.insert("run".into(), run.into());
        let text = runs_of_all(&results);
        let row = text.lines().last();
        assert_eq!(
            row,
            Some("| pdp11-unix | little | 16 | 512 | qemu 1 | 3 | 2 |")
        );
    }

    #[test]
    fn headers_have_a_name() {
        let table = Table::load().unwrap();
        let group = &table.groups[0];
        let targets = [&group.targets[0]];
        let mut results = Results::default();
        assert_eq!(headers(&table, group, &targets, &results), "-");
        let cells = results.0.entry(targets[0].name.clone()).or_default();
        cells.insert("constants".into(), "12 proved, 0 missing, 0 wrong".into());
        assert!(headers(&table, group, &targets, &results).starts_with("12 on 1 ("));
    }
}
