//! The list of test programs, `tests/Cargo.toml`, and the program that has all of their files,
//! `tests/tests/all.rs`; the test programs of the other packages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::root;

/// The tables of a manifest that matter here.
#[derive(Deserialize)]
struct Manifest {
    test: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    name: String,
    path: String,
    /// Whether `cargo test` runs it.
    #[serde(rename = "test", default = "yes")]
    is_run: bool,
}

const fn yes() -> bool {
    true
}

/// The text of the program that has all files.
pub fn all() -> Result<String> {
    let path = root().join("tests/tests/all.rs");
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// The names of the files in the program that has all, with their paths beside it.
pub fn modules(all: &str) -> BTreeMap<String, String> {
    let mut path = None;
    let mut modules = BTreeMap::new();
    for line in all.lines() {
        if let Some(rest) = line.strip_prefix("#[path = \"") {
            path = rest.strip_suffix("\"]");
        } else if let Some(rest) = line.strip_prefix("mod test_")
            && let (Some(name), Some(path)) = (rest.strip_suffix(';'), path.take())
        {
            modules.insert(name.to_owned(), path.to_owned());
        }
    }
    modules
}

/// The names of the programs that `cargo test` runs.
pub fn programs() -> Result<BTreeSet<String>> {
    let manifest = fs::read_to_string(root().join("tests/Cargo.toml"))?;
    let manifest: Manifest = toml::from_str(&manifest).context("tests/Cargo.toml")?;
    let run = manifest.test.into_iter().filter(|test| test.is_run);
    Ok(run.map(|test| test.name).collect())
}

/// The names of the test programs that cargo finds in a package's `tests`: `x.rs` and `x/main.rs`.
pub fn of_package(dir: &str) -> Result<Vec<String>> {
    let tests = root().join(dir).join("tests");
    let entries = fs::read_dir(&tests).with_context(|| tests.display().to_string())?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_file = path.extension().is_some_and(|it| it == "rs");
        if (is_file || path.join("main.rs").exists())
            && let Some(name) = path.file_stem()
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The differences between the list and that program.
pub fn faults() -> Result<Vec<String>> {
    let manifest = fs::read_to_string(root().join("tests/Cargo.toml"))?;
    compare(&manifest, &all()?)
}

fn compare(manifest: &str, all: &str) -> Result<Vec<String>> {
    let manifest: Manifest = toml::from_str(manifest).context("tests/Cargo.toml")?;
    let listed: BTreeMap<_, _> = manifest
        .test
        .into_iter()
        .filter(|test| test.is_run)
        .map(|test| (test.name, test.path))
        .collect();
    let mut modules = modules(all);
    let mut faults = Vec::new();
    for (name, path) in listed {
        if modules
            .remove(&name)
            .map(|path| format!("tests/{path}"))
            .as_ref()
            != Some(&path)
        {
            let short = path.strip_prefix("tests/").unwrap_or(&path);
            faults.push(format!(
                "tests/tests/all.rs: add `#[path = \"{short}\"]` and `mod test_{name};`"
            ));
        }
    }
    let more = modules.into_keys();
    faults.extend(more.map(|name| format!("tests/tests/all.rs: tests/Cargo.toml lists no {name}")));
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::{compare, of_package};

    #[test]
    fn files_and_directories_are_programs() {
        assert_eq!(of_package("unix-memory").unwrap(), ["examples"]);
        let pages = of_package("pages").unwrap();
        assert!(pages.contains(&"output".to_owned()) && !pages.contains(&"common".to_owned()));
        assert!(of_package("no such package").is_err());
    }

    #[test]
    fn a_file_that_is_missing_is_a_fault() {
        let manifest = "[[test]]\nname = \"all\"\npath = \"tests/all.rs\"\ntest = false\n\
            [[test]]\nname = \"a\"\npath = \"tests/x/a.rs\"\n";
        let faults = |all| compare(manifest, all).unwrap();
        assert!(faults("#[path = \"x/a.rs\"]\nmod test_a;\n").is_empty());
        let missing = ["tests/tests/all.rs: add `#[path = \"x/a.rs\"]` and `mod test_a;`"];
        assert_eq!(faults(""), missing);
        assert_eq!(faults("#[path = \"x/b.rs\"]\nmod test_a;\n"), missing);
        let more = "#[path = \"x/a.rs\"]\nmod test_a;\n#[path = \"x/b.rs\"]\nmod test_b;\n";
        assert_eq!(
            faults(more),
            ["tests/tests/all.rs: tests/Cargo.toml lists no b"]
        );
    }
}
