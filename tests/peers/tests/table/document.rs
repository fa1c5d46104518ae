//! The document: its table of versions, and its tables of what does what.

use std::collections::BTreeMap;

/// A row of the tables of what does what.
pub struct Row<'a> {
    cells: Vec<&'a str>,
}

/// The cells of a line that is a row of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(row.split('|').map(str::trim).collect())
}

/// The version of each crate that the table covers.
pub fn versions(document: &str) -> BTreeMap<&str, String> {
    let rows = document.lines().filter_map(cells);
    rows.filter(|row| row.len() == 2)
        .map(|row| (row[0], row[1].to_owned()))
        .collect()
}

/// The rows, without heads and rules.
///
/// # Panics
/// If a row does not have as many cells as it should.
pub fn rows(document: &str) -> Vec<Row<'_>> {
    let rows = document.lines().filter_map(cells);
    rows.filter(|row| row.len() != 2 && row[0] != "here" && !row[0].starts_with("---"))
        .map(|cells| {
            assert_eq!(cells.len(), 7, "{cells:?}");
            Row { cells }
        })
        .collect()
}

impl<'a> Row<'a> {
    pub fn here(&self) -> &'a str {
        self.cells[0]
    }

    pub fn what(&self) -> &'a str {
        self.cells[1]
    }

    /// The names in the column of a crate, counted from zero: each between backticks.
    pub fn names(&self, column: usize) -> impl Iterator<Item = &'a str> {
        self.cells[2 + column].split('`').skip(1).step_by(2)
    }

    /// What the first column links to.
    pub fn links(&self) -> Vec<&'a str> {
        let links = self.here().split("[`").skip(1);
        links
            .map(|link| link.split_once("`]").expect("a link ends").0)
            .collect()
    }
}

/// Whether `name` matches `pattern`, in which `*` stands for the rest of a word.
pub fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| {
            rest.strip_suffix(end)
                .is_some_and(|word| !word.contains(':'))
        }),
    }
}

#[test]
fn a_row_is_read() {
    let document = "| a | 1.2 |\n| here | what | m | r | n | u | p |\n|---|---|---|---|---|---|---|\n\
        | no: for a reason; [`E`] [`F::g`] | it | `A::b` `C*` | - | - | - | `D` |\n";
    assert_eq!(versions(document)["a"], "1.2");
    let rows = rows(document);
    let [row] = &rows[..] else { panic!("one row") };
    assert_eq!(row.what(), "it");
    assert_eq!(row.names(0).collect::<Vec<_>>(), ["A::b", "C*"]);
    assert_eq!(row.names(1).count(), 0);
    assert_eq!(row.names(4).collect::<Vec<_>>(), ["D"]);
    assert_eq!(row.links(), ["E", "F::g"]);
}

#[test]
fn a_star_is_part_of_a_word() {
    for (name, pattern, is) in [
        ("Mmap::lock", "Mmap::lock", true),
        ("Mmap::lock", "Mmap::loc", false),
        ("MmapMut::lock", "Mmap*::lock", true),
        ("Mmap::lock", "Mmap*::lock", true),
        ("Mmap::unlock", "Mmap*::lock", false),
        ("Flags::HUGE_2MB", "Flags::HUGE_*", true),
        ("Region::as_ptr", "Region*", false),
    ] {
        assert_eq!(is_like(name, pattern), is, "{name} {pattern}");
    }
}
