//! `results.toml`: what the tasks last found for each target. `--record` writes it, and `cargo
//! xtask table` makes the tables in README.md and PLATFORMS.md from it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::process::root;
use crate::targets::Selection;
use crate::visit::{Visit, report};

const HEAD: &str = "# What cargo xtask found at each target; written by its tasks when they are \
                    given --record.\n\n";

/// The arguments of a task whose results appear in the tables of platforms.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    pub selection: Selection,
    /// Write the results to xtask/results.toml, for the tables of platforms
    #[arg(long)]
    record: bool,
}

impl Options {
    /// Reports the results, and records them if `--record` was given.
    pub fn conclude(&self, task: &str, columns: &[&str], visits: &[Visit<'_>]) -> Result<()> {
        if self.record {
            Results::record(columns, visits)?;
        }
        report(task, columns, visits)
    }
}

/// The results, by target, then by task and column.
#[derive(Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Results(pub BTreeMap<String, BTreeMap<String, String>>);

impl Results {
    fn path() -> PathBuf {
        root().join("xtask/results.toml")
    }

    /// Reads the file; without a file there are no results yet.
    pub fn load() -> Result<Self> {
        match fs::read_to_string(Self::path()) {
            Ok(text) => toml::from_str(&text).context("xtask/results.toml"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds what a task found, replacing its earlier results there.
    pub fn record(columns: &[&str], visits: &[Visit<'_>]) -> Result<()> {
        let mut results = Self::load()?;
        for visit in visits {
            let target = results.0.entry(visit.row.name().to_owned()).or_default();
            for (column, outcome) in columns.iter().zip(&visit.outcomes) {
                target.insert((*column).to_owned(), outcome.cell());
            }
        }
        let text = toml::to_string(&results)?;
        fs::write(Self::path(), format!("{HEAD}{text}"))?;
        Ok(())
    }

    /// What was found for `target` in `column`.
    pub fn get(&self, target: &str, column: &str) -> Option<&str> {
        Some(self.0.get(target)?.get(column)?)
    }
}

/// Whether a cell of the file says that something passed.
pub fn passed(cell: &str) -> bool {
    !["skipped: ", "none: ", "FAILED: "]
        .iter()
        .any(|start| cell.starts_with(start))
}
