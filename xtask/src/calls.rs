//! The calls of the systems whose C libraries have no headers here: their types in C and their symbols, compared
//! with a second entry of them, `xtask/calls.toml`. A change on one side alone is a difference.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::api::Api;
use crate::headers::findings::Findings;
use crate::process::root;
use crate::targets::Row;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The types of the calls that many systems have in common.
    common: BTreeMap<String, String>,
    /// What a system has, by its name.
    system: BTreeMap<String, System>,
}

/// What a system has.
#[derive(Deserialize)]
struct System {
    /// Names whose types are those of the table `common`, and whose symbols are plain.
    common: Vec<String>,
    /// The others: `TYPE`, or `TYPE = SYMBOL` if the symbol is not the name.
    #[serde(flatten)]
    own: BTreeMap<String, String>,
}

impl Record {
    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn load() -> Result<Self> {
        let text = fs::read_to_string(root().join("xtask/calls.toml"))?;
        toml::from_str(&text).context("xtask/calls.toml")
    }

    /// Compares our calls and types with the entry of the target, whose pointers have `bits` bits, in both
    /// directions.
    ///
    /// # Errors
    /// If the target has no entry, or its entry names a call that is not in the table `common`.
    pub fn compare(&self, row: Row<'_>, bits: u32, api: &Api) -> Result<Findings> {
        let entry = self.entry(row, bits)?;
        // Wrappers are Rust: what they call is proved by the numbers and the tests.
        let calls = api.calls.iter().filter(|(_, call)| !call.wrapper);
        let calls = calls.map(|(name, call)| {
            let symbol = call.symbol(name);
            let text = if symbol == name {
                call.prototype()
            } else {
                format!("{} = {symbol}", call.prototype())
            };
            (name.clone(), text)
        });
        let types = api
            .aliases
            .iter()
            .map(|(name, of)| (name.clone(), of.clone()));
        Ok(differences(&calls.chain(types).collect(), &entry))
    }

    /// What the target should have: from the entry of its system, or of that with its C library or its width.
    fn entry(&self, row: Row<'_>, bits: u32) -> Result<BTreeMap<String, String>> {
        let os = &row.group.os;
        let names = [
            format!("{os}-{bits}"),
            format!("{os}-{}", row.group.libc),
            os.clone(),
        ];
        let Some(system) = names.iter().find_map(|name| self.system.get(name)) else {
            bail!("xtask/calls.toml has no entry for {os}");
        };
        let mut entry = system.own.clone();
        for name in &system.common {
            let Some(of) = self.common.get(name) else {
                bail!("xtask/calls.toml: {name} of {os} is not in the table common");
            };
            entry.insert(name.clone(), of.clone());
        }
        Ok(entry)
    }
}

/// The differences between what we have and what the record has.
fn differences(ours: &BTreeMap<String, String>, recorded: &BTreeMap<String, String>) -> Findings {
    let mut found = Findings::default();
    for (name, text) in ours {
        match recorded.get(name) {
            Some(recorded) if recorded == text => {
                found.proved.insert(name.clone());
            }
            recorded => {
                let recorded = recorded.map_or("nothing", String::as_str);
                let how = format!("ours {text}, xtask/calls.toml has {recorded}");
                found.wrong.insert(name.clone(), how);
            }
        }
    }
    for (name, text) in recorded
        .iter()
        .filter(|(name, _)| !ours.contains_key(*name))
    {
        found
            .missing
            .insert(name.clone(), format!("xtask/calls.toml has {text}"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Table;

    #[test]
    fn types_and_symbols_are_compared_both_ways() {
        let map = |of: &[(&str, &str)]| {
            let of = of.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            of.collect::<BTreeMap<_, _>>()
        };
        let recorded = map(&[("mmap", "int (int) = mmap64"), ("off_t", "int64_t")]);
        let found = differences(&recorded, &recorded);
        assert_eq!(
            (found.proved.len(), found.wrong.len(), found.missing.len()),
            (2, 0, 0)
        );
        let ours = map(&[("mmap", "int (int)"), ("mlock", "int (int)")]);
        let found = differences(&ours, &recorded);
        assert_eq!(
            (found.proved.len(), found.wrong.len(), found.missing.len()),
            (0, 2, 1)
        );
    }

    #[test]
    fn every_entry_is_used() {
        let table = Table::load().expect("the table");
        let record = Record::load().expect("the record");
        for name in record.system.keys() {
            let os = name.split('-').next().expect("a name");
            let used = table.groups.iter().any(|group| group.os == os);
            assert!(used, "no target uses {name}");
        }
        for name in record.common.keys() {
            let mut systems = record.system.values();
            let used = systems.any(|system| system.common.contains(name));
            assert!(used, "no system has {name}");
        }
    }
}
