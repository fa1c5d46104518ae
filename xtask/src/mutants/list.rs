//! The list of bugs, `mutants.toml`, which describes itself.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::root;
use crate::test_programs::programs;

/// The packages with tests of their own, by which a bug can be noticed.
pub const PACKAGES: [&str; 3] = ["unix-memory", "unix-memory-sys", "interleavings"];

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    #[serde(rename = "mutant")]
    pub mutants: Vec<Mutant>,
}

/// One bug.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// What is wrong.
    pub name: String,
    /// The file, from the root of the workspace.
    pub file: String,
    /// A text that the file has once.
    pub find: String,
    /// What comes in its place.
    pub replace: String,
    /// Who should notice: programs of `tests/Cargo.toml`, and packages of [`PACKAGES`].
    tests: Vec<String>,
    /// Why nobody does.
    pub missed: Option<String>,
    /// The machine whose tests notice it, where this one lacks something.
    pub machine: Option<Machine>,
}

/// An emulated machine, on which tests run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// What this machine may lack.
    pub why: String,
    /// Its target in `emulate.toml`.
    pub target: String,
    /// The program of tests that notices.
    pub test: String,
}

impl List {
    pub fn load() -> Result<Self> {
        let path = root().join("xtask/mutants.toml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }
}

impl Mutant {
    /// Who should notice.
    pub fn tests(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().map(String::as_str)
    }

    /// The `text` of the file with the bug in it, or why it cannot be planted there.
    pub fn planted_in(&self, text: &str) -> Result<String, String> {
        match text.matches(&self.find).count() {
            1 if self.find != self.replace => Ok(text.replace(&self.find, &self.replace)),
            1 => Err("it changes nothing".to_owned()),
            0 => Err(format!("{} no longer has the text to find", self.file)),
            times => Err(format!("{} has the text {times} times", self.file)),
        }
    }
}

/// What is wrong with the list, and how many bugs it has.
pub fn faults() -> Result<(Vec<String>, usize)> {
    let list = List::load()?;
    let known: BTreeSet<String> = programs()?;
    let is_known = |test: &str| known.contains(test) || PACKAGES.contains(&test);
    let (mut names, mut faults) = (BTreeSet::new(), Vec::new());
    for mutant in &list.mutants {
        let mut fault = |why: String| {
            faults.push(format!("xtask/mutants.toml: {}: {why}", mutant.name));
        };
        if !names.insert(&mutant.name) {
            fault("there are two of this name".to_owned());
        }
        if mutant.tests.is_empty() {
            fault("no test should notice it".to_owned());
        }
        for test in mutant.tests().filter(|test| !is_known(test)) {
            fault(format!("there is no program of tests {test}"));
        }
        match fs::read_to_string(root().join(&mutant.file)) {
            Err(error) => fault(format!("{}: {error}", mutant.file)),
            Ok(text) => {
                if let Err(why) = mutant.planted_in(&text) {
                    fault(why);
                }
            }
        }
    }
    Ok((faults, list.mutants.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_there_once() {
        let text = r#"
            [[mutant]]
            name = "a"
            file = "f.rs"
            find = "len - 1"
            replace = "len"
            tests = ["place"]
        "#;
        let list: List = toml::from_str(text).expect("a list");
        let mutant = &list.mutants[0];
        assert_eq!(mutant.planted_in("0..len - 1;").as_deref(), Ok("0..len;"));
        assert!(mutant.planted_in("0..len;").is_err());
        assert!(mutant.planted_in("len - 1..len - 1").is_err());
    }
}
