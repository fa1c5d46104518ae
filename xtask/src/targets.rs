//! The table of targets, `targets.toml`: every Unix that rustc knows.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The sets of headers.
    pub headers: BTreeMap<String, Headers>,
    /// The groups, in the order of the tables of platforms.
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
}

/// A set of headers that can be had on one machine.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Headers {
    /// A description for people.
    pub text: String,
    /// Their directories, in the order of the search.
    pub dirs: Vec<String>,
    /// More flags for clang.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Files that the headers include but the package leaves out; empty files do for them.
    #[serde(default)]
    pub empty: Vec<String>,
    /// Debian packages that hold them.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Whether these are only the kernel's headers, without those of a C library.
    #[serde(default, rename = "kernel-alone")]
    pub kernel_alone: bool,
}

/// Targets between which the crates see no difference but the width of a pointer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The system's name, for people.
    pub system: String,
    /// rustc's `target_os`.
    pub os: String,
    /// The C library's name, for people; "system" where there is only one.
    pub libc: String,
    /// The architectures with these values; "all" where the architecture makes no difference.
    pub family: String,
    /// The name of a set of headers, or "none: why".
    pub headers: String,
    /// The set of `facts/` that has its values, if there is one.
    pub facts: Option<String>,
    /// Why the group cannot be linked, where there is a special reason.
    pub link: Option<String>,
    /// Why the safe crate does not run there, if it does not.
    pub safe: Option<String>,
    /// Whether the crate libc does not compile there.
    #[serde(default, rename = "no-libc")]
    pub no_libc: bool,
    /// Whether the system maps memory at all.
    #[serde(default = "yes")]
    pub mapping: bool,
    /// The targets; the first stands for the group.
    pub targets: Vec<Target>,
}

/// One target of rustc.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// rustc's name.
    pub name: String,
    /// What `{include}` stands for in the directories of its headers.
    pub include: Option<String>,
    /// What `{kernel}` stands for there, if that differs from `include`.
    pub kernel: Option<String>,
    /// The name that `zig cc -target` has for it.
    pub zig: Option<String>,
    /// clang's name for it, if that is not rustc's llvm-target.
    pub clang: Option<String>,
    /// Replaces the group's.
    pub headers: Option<String>,
    /// The set of `facts/`, where the group does not have one for all.
    pub facts: Option<String>,
    /// Whether the crate libc does not compile there, although it compiles for the others of the
    /// group.
    #[serde(default, rename = "no-libc")]
    pub no_libc: bool,
    /// Whether the default set of `check` builds std for it, which takes a minute.
    #[serde(default)]
    pub std: bool,
    /// Whether `check` compiles the tests for it, which takes a minute.
    #[serde(default)]
    pub tests: bool,
    /// The oldest glibc that the architecture has, if that is newer than the oldest that rustc
    /// supports.
    pub glibc: Option<String>,
}

const fn yes() -> bool {
    true
}

/// A target with its group.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// Its group.
    pub group: &'a Group,
    /// Itself.
    pub target: &'a Target,
}

impl Row<'_> {
    /// rustc's name of the target.
    pub fn name(&self) -> &str {
        &self.target.name
    }

    /// Whether it stands for its group.
    pub fn is_first(&self) -> bool {
        self.group
            .targets
            .first()
            .is_some_and(|first| first.name == self.target.name)
    }

    /// The name of its set of headers.
    ///
    /// # Errors
    /// The reason why it has none.
    pub fn headers(&self) -> Result<&str, &str> {
        let headers = self.target.headers.as_ref().unwrap_or(&self.group.headers);
        match headers.strip_prefix("none: ") {
            Some(reason) => Err(reason),
            None => Ok(headers),
        }
    }

    /// The set of `facts/` for it, if there is one.
    pub fn facts(&self) -> Option<&str> {
        let facts = self.target.facts.as_ref().or(self.group.facts.as_ref());
        facts.map(String::as_str)
    }

    /// Whether there is a crate libc to compare with.
    ///
    /// # Errors
    /// The reason why there is none.
    pub fn libc(&self) -> Result<(), &str> {
        if self.group.no_libc || self.target.no_libc {
            return Err("libc does not compile there");
        }
        Ok(())
    }

    /// Whether the safe crate runs there.
    ///
    /// # Errors
    /// The reason why it does not.
    pub fn safe(&self) -> Result<(), &str> {
        match &self.group.safe {
            _ if !self.group.mapping => Err("no memory mapping"),
            Some(reason) => Err(reason.strip_prefix("none: ").unwrap_or(reason)),
            None => self.libc(),
        }
    }

    /// The name that `zig cc` has for it.
    ///
    /// # Errors
    /// The reason why it cannot be linked here.
    pub fn zig(&self) -> Result<&str, &str> {
        match (&self.target.zig, &self.group.link) {
            (Some(zig), None) => Ok(zig),
            (_, Some(reason)) => Err(reason.strip_prefix("none: ").unwrap_or(reason)),
            (None, None) => Err("zig has no libraries of it"),
        }
    }
}

/// The arguments that select the targets that a task visits.
#[derive(clap::Args, Clone)]
pub struct Selection {
    /// Visit only this rustc target (may be repeated)
    #[arg(long = "target", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Visit every target of the table, not only the first of each group
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
    /// How many to visit at once
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
}

impl Table {
    /// Reads the table that this program was built with.
    pub fn load() -> Result<Self> {
        let table: Self =
            toml::from_str(include_str!("../targets.toml")).context("xtask/targets.toml")?;
        for row in table.rows() {
            if let Ok(set) = row.headers()
                && !table.headers.contains_key(set)
            {
                bail!(
                    "xtask/targets.toml: {} has unknown headers {set}",
                    row.name()
                );
            }
        }
        Ok(table)
    }

    /// Every target.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.groups.iter().flat_map(|group| {
            group
                .targets
                .iter()
                .map(move |target| Row { group, target })
        })
    }

    /// The selected targets.
    ///
    /// # Errors
    /// Where the table lacks one of them.
    pub fn select(&self, selection: &Selection) -> Result<Vec<Row<'_>>> {
        if selection.all {
            return Ok(self.rows().collect());
        }
        if selection.targets.is_empty() {
            return Ok(self
                .groups
                .iter()
                .filter_map(|group| group.targets.first().map(|target| Row { group, target }))
                .collect());
        }
        selection
            .targets
            .iter()
            .map(|name| {
                self.rows()
                    .find(|row| row.name() == name)
                    .with_context(|| format!("xtask/targets.toml has no target {name}"))
            })
            .collect()
    }

    /// The targets of `known` that the table lacks.
    pub fn lacks<'a>(&self, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        known
            .filter(|name| self.rows().all(|row| row.name() != *name))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn selection(targets: &[&str], all: bool) -> Selection {
        Selection {
            targets: targets.iter().map(|&name| name.to_owned()).collect(),
            all,
            jobs: None,
        }
    }

    #[test]
    fn no_target_is_there_twice() {
        let table = Table::load().unwrap();
        let names: BTreeSet<_> = table.rows().map(|row| row.name().to_owned()).collect();
        assert_eq!(names.len(), table.rows().count());
        assert!(names.len() >= 204);
    }

    #[test]
    fn every_group_is_in_the_default_set() {
        let table = Table::load().unwrap();
        let rows = table.select(&selection(&[], false)).unwrap();
        assert_eq!(rows.len(), table.groups.len());
    }

    #[test]
    fn the_tests_are_checked_by_default() {
        let table = Table::load().unwrap();
        let mut rows = table.rows().filter(|row| row.target.tests).peekable();
        assert!(rows.peek().is_some());
        for row in rows {
            assert!(row.is_first(), "{}", row.name());
        }
    }

    #[test]
    fn targets_are_found_by_name() {
        let table = Table::load().unwrap();
        let rows = table
            .select(&selection(&["x86_64-unknown-freebsd"], false))
            .unwrap();
        assert_eq!(rows[0].group.os, "freebsd");
        assert!(table.select(&selection(&["pdp11-unix"], false)).is_err());
        assert_eq!(
            table.lacks(["x", "x86_64-unknown-freebsd"].into_iter()),
            ["x"]
        );
    }

    /// The targets of the available compiler; `cargo xtask check` asks the one that it uses.
    #[test]
    fn no_unix_target_is_missing() {
        let listing = std::process::Command::new("rustc")
            .args(["-Zunstable-options", "--print=all-target-specs-json"])
            .env("RUSTC_BOOTSTRAP", "1")
            .output()
            .unwrap();
        let specs = crate::toolchain::parse_specs(&listing.stdout).unwrap();
        let table = Table::load().unwrap();
        assert_eq!(table.lacks(specs.keys().map(String::as_str)), [""; 0]);
    }
}
