//! `allowed.toml`: where the crate and a set of headers differ on purpose, each with its reason.

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::targets::Row;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    allow: Vec<Entry>,
}

/// One difference.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Which kind of difference.
    what: Difference,
    /// The names; a name that ends in `*` stands for every name that starts with the part before
    /// it.
    names: Vec<String>,
    /// Only on these systems (rustc's `target_os`); on all if empty.
    #[serde(default)]
    os: Vec<String>,
    /// Only with these C libraries.
    #[serde(default)]
    libc: Vec<String>,
    /// Only for these families of architectures.
    #[serde(default)]
    family: Vec<String>,
    /// Only on these targets of rustc; a name that ends in `*` stands for every target whose name
    /// starts with the part before it.
    #[serde(default)]
    targets: Vec<String>,
    /// For `signature`: the header's declaration.
    prototype: Option<String>,
    /// Why the difference is right.
    reason: String,
}

/// A kind of difference.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Difference {
    /// The headers have the name, but the crate does not.
    Missing,
    /// The crate has the name, but the headers do not.
    Absent,
    /// One of the headers defines another value.
    Value,
    /// The headers declare it differently.
    Signature,
    /// The program's symbol differs from the one that the headers make C use.
    Symbol,
}

impl Allowed {
    /// Reads the list that was compiled into this program.
    ///
    /// # Errors
    /// If an entry has no reason.
    pub fn load() -> Result<Self> {
        let list: Self =
            toml::from_str(include_str!("../allowed.toml")).context("xtask/allowed.toml")?;
        for entry in &list.allow {
            if entry.reason.trim().len() < 10 || entry.names.is_empty() {
                anyhow::bail!("xtask/allowed.toml: {:?} needs a reason", entry.names);
            }
        }
        Ok(list)
    }

    /// Whether the difference is on the list.
    pub fn has(&self, what: Difference, name: &str, row: &Row<'_>) -> bool {
        self.entries(what, name, row).next().is_some()
    }

    /// The prototypes that `name` may have in the headers instead of ours.
    pub fn prototypes<'a>(
        &'a self,
        name: &'a str,
        row: &'a Row<'_>,
    ) -> impl Iterator<Item = &'a str> {
        self.entries(Difference::Signature, name, row)
            .filter_map(|entry| entry.prototype.as_deref())
    }

    fn entries<'a>(
        &'a self,
        what: Difference,
        name: &'a str,
        row: &'a Row<'_>,
    ) -> impl Iterator<Item = &'a Entry> {
        let applies = |list: &[String], value: &str| {
            list.is_empty() || list.iter().any(|pattern| fits(pattern, value))
        };
        self.allow.iter().filter(move |entry| {
            entry.what == what
                && applies(&entry.names, name)
                && applies(&entry.os, &row.group.os)
                && applies(&entry.libc, &row.group.libc)
                && applies(&entry.family, &row.group.family)
                && applies(&entry.targets, row.name())
        })
    }
}

fn fits(pattern: &str, value: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => value.starts_with(start),
        None => pattern == value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Table;

    #[test]
    fn the_list_can_be_read() {
        Allowed::load().unwrap();
    }

    #[test]
    fn an_entry_holds_where_it_says() {
        let list: Allowed = toml::from_str(
            "[[allow]]\nwhat = \"missing\"\nnames = [\"MAP_X*\"]\nos = [\"freebsd\"]\n\
             reason = \"for the sake of the test\"\n",
        )
        .unwrap();
        let table = Table::load().unwrap();
        let on = |name: &str| table.rows().find(|row| row.name() == name).unwrap();
        let freebsd = on("x86_64-unknown-freebsd");
        assert!(list.has(Difference::Missing, "MAP_XY", &freebsd));
        assert!(!list.has(Difference::Absent, "MAP_XY", &freebsd));
        assert!(!list.has(Difference::Missing, "MAP_Y", &freebsd));
        assert!(!list.has(Difference::Missing, "MAP_XY", &on("x86_64-unknown-netbsd")));
    }
}
