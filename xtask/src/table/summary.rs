//! The table of `README.md`: one row for each system.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{count, proved, runs};
use crate::results::Results;
use crate::targets::{Group, Table, Target};

pub fn markdown(table: &Table, results: &Results) -> String {
    let mut text = String::from(
        "| system | targets | `-sys` compiles | `unix-memory` compiles | constants proved | symbols found | tests run |\n\
         |---|---:|---:|---:|---|---:|---|\n",
    );
    for (system, groups) in systems(table) {
        let targets: Vec<&Target> = groups.iter().flat_map(|group| &group.targets).collect();
        let count = |column| count(&targets, results, &[column]);
        let mut sys = count("sys");
        if groups.iter().all(|group| !group.mapping) {
            sys.push_str(", no `mmap`");
        }
        let _ = writeln!(
            text,
            "| {system} | {} | {sys} | {} | {} | {} | {} |",
            targets.len(),
            count("safe"),
            constants(&targets, results),
            count("symbols"),
            tests(&targets, results),
        );
    }
    text
}

/// The systems, in the order of the table, with the groups of each.
fn systems(table: &Table) -> Vec<(&str, Vec<&Group>)> {
    let mut systems: Vec<(&str, Vec<&Group>)> = Vec::new();
    for group in &table.groups {
        match systems.iter_mut().find(|(name, _)| *name == group.system) {
            Some((_, groups)) => groups.push(group),
            None => systems.push((&group.system, vec![group])),
        }
    }
    systems
}

/// "118-134 by headers on 72, 73-91 by sources on 8": how many constants were proved, and on how many targets
/// unless on all.
fn constants(targets: &[&Target], results: &Results) -> String {
    let ways = [("constants", "headers"), ("values from sources", "sources")];
    let proofs = ways.iter().filter_map(|(column, by)| {
        let (range, number) = proved(targets, results, column)?;
        Some(if number == targets.len() {
            format!("{range} by {by}")
        } else {
            format!("{range} by {by} on {number}")
        })
    });
    let proofs: Vec<String> = proofs.collect();
    if proofs.is_empty() {
        return "-".to_owned();
    }
    proofs.join(", ")
}

/// "3 targets: big and little endian, 32 and 64 bits, pages of 4 to 64 KiB".
fn tests(targets: &[&Target], results: &Results) -> String {
    let (mut ran, mut endians, mut bits) = (0, BTreeSet::new(), BTreeSet::new());
    let mut pages = BTreeSet::new();
    for target in targets {
        let runs = runs(results, &target.name);
        ran += usize::from(!runs.is_empty());
        for run in runs {
            endians.insert(run.endian);
            bits.insert(run.bits);
            pages.extend(run.page.parse::<usize>().ok().map(|page| page / 1024));
        }
    }
    let (Some(least), Some(most)) = (pages.first(), pages.last()) else {
        return "-".to_owned();
    };
    let pages = if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    };
    let and = |words: BTreeSet<&str>| Vec::from_iter(words).join(" and ");
    format!(
        "{ran} target{}: {} endian, {} bits, pages of {pages} KiB",
        if ran == 1 { "" } else { "s" },
        and(endians),
        and(bits),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_one_row() {
        let table = Table::load().unwrap();
        let text = markdown(&table, &Results::default());
        let linux = text.lines().filter(|line| line.starts_with("| Linux |"));
        assert_eq!(linux.count(), 1);
        let all: usize = table.groups.iter().map(|group| group.targets.len()).sum();
        let column = text.lines().skip(2).map(|line| line.split(" | ").nth(1));
        let sum: usize = column.flatten().map(|n| n.parse::<usize>().unwrap()).sum();
        assert_eq!(sum, all);
    }

    #[test]
    fn what_was_proved_and_run_is_summed_up() {
        let table = Table::load().unwrap();
        let targets: Vec<&Target> = table.groups[0].targets.iter().take(2).collect();
        let mut results = Results::default();
        assert_eq!(constants(&targets, &results), "-");
        assert_eq!(tests(&targets, &results), "-");
        let rows = [
            (
                "12",
                "big endian, 32 bits: 4096 bytes by x (1 passed, 0 skipped)",
            ),
            (
                "7",
                "little endian, 64 bits: 65536 bytes by x (1 passed, 0 skipped)",
            ),
        ];
        for (target, (number, run)) in targets.iter().zip(rows) {
            let cells = results.0.entry(target.name.clone()).or_default();
            cells.insert("constants".into(), format!("{number} proved, 0 wrong"));
            cells.insert("run".into(), run.into());
        }
        assert_eq!(
            tests(&targets, &results),
            "2 targets: big and little endian, 32 and 64 bits, pages of 4 to 64 KiB"
        );
        assert_eq!(constants(&targets, &results), "7-12 by headers");
        results.0.remove(&targets[0].name);
        assert_eq!(constants(&targets, &results), "7 by headers on 1");
    }
}
