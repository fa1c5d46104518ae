//! `cargo xtask facts`: compares the crate's constants with values that were read in the systems' own
//! sources, for systems whose headers no registry has: `xtask/facts/<set>.tsv`.
//!
//! A set is a text file of lines. `# <repository>@<commit>` says where the values that follow were read,
//! one a line as `<name> <value> <path>#<line>`, separated by tabs (some without a line number); only the
//! low 32 bits of a value count. A line `! <name> <value> <reason>` records the value of a constant that no
//! source proves, and says what it rests on: a change of it is still noticed. (Where the kernel's headers
//! are available, they prove the constants that have no line; there, and for constants that the crate
//! leaves out, such a line has no value.)
//!
//! `calls.rs` compares the calls there.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::api::{Api, Sources};
use crate::calls;
use crate::headers::findings::Findings;
use crate::process::root;
use crate::results::Options;
use crate::targets::{Row, Table};
use crate::toolchain::Toolchain;
use crate::visit::{Outcome, visit};

const COLUMNS: [&str; 2] = ["values from sources", "calls as recorded"];

/// Runs the task.
pub fn task(args: &Options) -> Result<()> {
    let table = Table::load()?;
    let rows = table.select(&args.selection)?;
    let toolchain = Toolchain::find()?;
    let sources = Sources::find()?;
    let record = calls::Record::load()?;
    let visits = visit("facts", &rows, args.selection.jobs, |row, _| {
        look(&table, &toolchain, &sources, &record, row)
    });
    args.conclude("facts", &COLUMNS, &visits)
}

fn look(
    table: &Table,
    toolchain: &Toolchain,
    sources: &Sources,
    record: &calls::Record,
    row: Row<'_>,
) -> Vec<Outcome> {
    if !row.group.mapping {
        return vec![Outcome::None("no memory mapping".to_owned()); COLUMNS.len()];
    }
    let headers = row.headers().ok();
    let has_headers = || Outcome::None("has headers".to_owned());
    // Those of its group prove what a target without its own shares with the others.
    let set = table.headers.get(&row.group.headers);
    if set.is_some_and(|set| !set.kernel_alone) {
        return vec![has_headers(), has_headers()];
    }
    if let Err(reason) = toolchain.knows(row.name()) {
        return vec![Outcome::Skipped(reason); COLUMNS.len()];
    }
    let api = match Api::read(toolchain, sources, row.name()) {
        Ok(api) => api,
        Err(error) => return Outcome::failed_once(&error, COLUMNS.len()),
    };
    let values = match row.facts() {
        Some(set) => match Set::load(set) {
            Ok(set) => set.compare(&api.constants, headers.is_some()).outcome(),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        },
        None if headers.is_some() => has_headers(),
        None => Outcome::Failed(
            "it has neither headers nor a set of facts: record its values in xtask/facts"
                .to_owned(),
        ),
    };
    let values = match values {
        Outcome::Passed(summary) if summary.starts_with("0 proved") => {
            Outcome::None("no source was read: its values are only recorded".to_owned())
        }
        values => values,
    };
    let calls = toolchain
        .spec(row.name())
        .and_then(|spec| record.compare(row, spec.target_pointer_width, &api));
    let calls = match calls {
        Ok(found) => found.outcome(),
        Err(error) => Outcome::Failed(format!("{error:#}")),
    };
    vec![values, calls]
}

/// What was read in a system's sources.
#[derive(Default)]
struct Set {
    values: BTreeMap<String, Fact>,
    /// Constants that no source proves, with the values that are recorded for them.
    unread: BTreeMap<String, Option<u32>>,
}

struct Fact {
    value: u32,
    /// Repository, commit, file and line.
    source: String,
}

impl Set {
    fn load(name: &str) -> Result<Self> {
        let path = root().join(format!("xtask/facts/{name}.tsv"));
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut set = Self::default();
        let mut repository = "";
        for (number, line) in text.lines().enumerate() {
            let fault = || format!("line {}: {line:?}", number + 1);
            if let Some(name) = line.strip_prefix("# ") {
                if !name.contains('@') {
                    bail!(
                        "{}: a repository needs a commit, as <repository>@<commit>",
                        fault()
                    );
                }
                repository = name;
            } else if let Some(rest) = line.strip_prefix("! ") {
                let (name, reason) = rest.split_once(' ').with_context(fault)?;
                let value = reason
                    .split(' ')
                    .next()
                    .filter(|word| word.starts_with("0x"));
                let value = value.map(|word| hexadecimal(word).with_context(fault));
                set.unread.insert(name.to_owned(), value.transpose()?);
            } else {
                let [name, value, place] = line.split('\t').collect::<Vec<_>>()[..] else {
                    bail!(
                        "{}: not a name, a value and a place, separated by tabs",
                        fault()
                    );
                };
                let fact = Fact {
                    value: hexadecimal(value).with_context(fault)?,
                    source: format!("{repository}:{place}"),
                };
                if repository.is_empty() || set.values.insert(name.to_owned(), fact).is_some() {
                    bail!(
                        "{}: the name is a duplicate, or no repository comes before it",
                        fault()
                    );
                }
            }
        }
        Ok(set)
    }

    /// Compares the crate's constants, in decimal, with the set's in both directions. Where there are headers
    /// too, they prove the constants that the set lacks.
    fn compare(&self, ours: &BTreeMap<String, String>, has_headers: bool) -> Findings {
        let mut found = Findings::default();
        for (name, value) in ours {
            match self.values.get(name) {
                Some(fact) if low_bits(value) == Some(fact.value) => {
                    found.proved.insert(name.clone());
                }
                Some(fact) => {
                    let how = format!("ours {value}, {:#x} in {}", fact.value, fact.source);
                    found.wrong.insert(name.clone(), how);
                }
                None => match self.unread.get(name) {
                    Some(Some(recorded)) if low_bits(value) != Some(*recorded) => {
                        let how = format!("ours {value}, recorded as {recorded:#x}");
                        found.wrong.insert(name.clone(), how);
                    }
                    Some(None) if !has_headers => {
                        let how = format!("ours {value}, its line in xtask/facts has no value");
                        found.wrong.insert(name.clone(), how);
                    }
                    None if !has_headers => {
                        let how = format!("ours {value}, not in xtask/facts");
                        found.wrong.insert(name.clone(), how);
                    }
                    _ => {
                        found.excused.insert(name.clone());
                    }
                },
            }
        }
        for (name, fact) in &self.values {
            if !ours.contains_key(name) && !self.unread.contains_key(name) {
                let how = format!("{:#x} in {}", fact.value, fact.source);
                found.missing.insert(name.clone(), how);
            }
        }
        for (name, recorded) in &self.unread {
            if let Some(value) = recorded
                && !ours.contains_key(name)
            {
                found
                    .missing
                    .insert(name.clone(), format!("recorded as {value:#x}"));
            }
        }
        found
    }
}

/// A number in hexadecimal, as a set has it.
fn hexadecimal(word: &str) -> Result<u32> {
    let digits = word.strip_prefix("0x").context("not a number as 0x1")?;
    Ok(u32::from_str_radix(digits, 16)?)
}

/// The low 32 bits of a number in decimal.
fn low_bits(value: &str) -> Option<u32> {
    let number: i128 = value.parse().ok()?;
    u32::try_from(number & 0xffff_ffff).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a/b@0123\nMAP_A\t0x10\tmman.h#1\nMAP_B\t0xffffffff\tmman.h#2\n! MAP_C 0x7 why\n! MAP_E why\n";

    fn compare(ours: &[(&str, &str)]) -> Findings {
        let ours = ours.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        Set::parse(TEXT)
            .expect("a set")
            .compare(&ours.collect(), false)
    }

    #[test]
    fn values_are_compared_both_ways() {
        let found = compare(&[("MAP_A", "16"), ("MAP_B", "-1"), ("MAP_C", "7")]);
        assert_eq!((found.proved.len(), found.excused.len()), (2, 1));
        assert!(found.wrong.is_empty() && found.missing.is_empty());
        let found = compare(&[("MAP_A", "17"), ("MAP_D", "1")]);
        assert_eq!((found.wrong.len(), found.missing.len()), (2, 2));
        // A value that is only recorded, and one that the crate is said to lack.
        let found = compare(&[
            ("MAP_A", "16"),
            ("MAP_B", "-1"),
            ("MAP_C", "8"),
            ("MAP_E", "1"),
        ]);
        assert_eq!((found.wrong.len(), found.missing.len()), (2, 0));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for text in [
            "MAP_A\t0x1\ta#1\n",
            "# a/b\n",
            "# a/b@1\nMAP_A 0x1 a#1\n",
            "# a/b@1\nMAP_A\t1\ta#1\n",
            "# a/b@1\n! MAP_A 0xq why\n",
            "# a/b@1\nMAP_A\t0x1\ta#1\nMAP_A\t0x1\ta#1\n",
        ] {
            assert!(Set::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_set_is_read_and_used() {
        let table = Table::load().expect("the table");
        let sets = table
            .rows()
            .filter_map(|row| row.facts().map(str::to_owned));
        let mut used: Vec<String> = sets.collect();
        used.sort_unstable();
        used.dedup();
        for entry in fs::read_dir(root().join("xtask/facts")).expect("the directory") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_stem()
                .and_then(|name| name.to_str())
                .expect("a name");
            Set::load(name).expect("a set");
            assert!(
                used.iter().any(|used| used == name),
                "no target uses {name}"
            );
        }
    }
}
