//! `cargo xtask check`: both library crates compile on every target, and their tests and the program `pages`
//! compile on one target of each system besides Linux that they are meant for; a warning is a failure too.
//!
//! Neither `core` nor `std` is built, because their metadata is enough to check types against: see `sysroot/`.
//! To make that of `std` takes a minute for each target, once, so few targets are visited by default.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{capture, silent, workdir};
use crate::results;
use crate::sysroot;
use crate::sysroot::standard::{Form, Standard};
use crate::targets::{Row, Selection, Table};
use crate::test_programs;
use crate::toolchain::Toolchain;
use crate::visit::{Outcome, visit};

/// The command-line arguments.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: results::Options,
    /// Where to check with std: on the few targets that the table marks, on the first of each group, on all,
    /// or on none; with none, the tests are not compiled either
    #[arg(long, value_name = "WHERE")]
    std: Option<Std>,
}

/// Where the safe crate is checked with std.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq)]
enum Std {
    None,
    Few,
    Groups,
    All,
}

/// What is compiled: the raw crate as users build it, the same compared with libc, the safe crate without and
/// with std, and the tests.
const COLUMNS: [&str; 5] = ["sys", "sys = libc", "safe", "safe, std", "tests"];

/// Also compiles the second copy of what is written twice: the comparison with libc, and the tables of
/// advice.
const REVIEWED: &str = "--cfg=unix_memory_oracle";

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    let table = Table::load()?;
    let toolchain = Toolchain::find()?;
    let lacks = table.lacks(toolchain.specs.keys().map(String::as_str));
    if !lacks.is_empty() {
        bail!(
            "{} knows Unix targets that xtask/targets.toml lacks: {}",
            toolchain.version,
            lacks.join(", ")
        );
    }
    let selection = &args.common.selection;
    let std = args.std.unwrap_or(match selection {
        Selection { all: true, .. } => Std::Groups,
        Selection { targets, .. } if !targets.is_empty() => Std::All,
        Selection { .. } => Std::Few,
    });
    let rows = table.select(selection)?;
    println!("check: with {}", toolchain.version);
    let visits = visit("check", &rows, selection.jobs, |row, job| {
        look(&toolchain, row, job, std)
    });
    args.common.conclude("check", &COLUMNS, &visits)
}

fn look(toolchain: &Toolchain, row: Row<'_>, job: usize, std: Std) -> Vec<Outcome> {
    if let Err(reason) = toolchain.knows(row.name()) {
        return vec![Outcome::Skipped(reason); COLUMNS.len()];
    }
    let check = || -> Result<Check<'_>> {
        Ok(Check {
            toolchain,
            row,
            sysroot: sysroot::real(toolchain, row.name())?.display().to_string(),
            target_dir: workdir(&format!("check-{job}"))?.display().to_string(),
        })
    };
    let check = match check() {
        Ok(check) => check,
        Err(error) => return Outcome::failed_once(&error, COLUMNS.len()),
    };
    let sys = check.with_core("unix-memory-sys", &[], &[]);
    let oracle = match row.libc() {
        Ok(()) => check.with_core("unix-memory-sys", &[], &[REVIEWED]),
        Err(reason) => Outcome::None(reason.to_owned()),
    };
    if let Err(reason) = row.safe() {
        let none = Outcome::None(reason.to_owned());
        return vec![sys, oracle, none.clone(), none.clone(), none];
    }
    let safe = check.with_core("unix-memory", &["--no-default-features"], &[REVIEWED]);
    let with_std = check.with_std(std);
    vec![sys, oracle, safe, with_std, check.tests(std)]
}

/// A target, and the directory to build for it in.
struct Check<'a> {
    toolchain: &'a Toolchain,
    row: Row<'a>,
    sysroot: String,
    target_dir: String,
}

impl Check<'_> {
    /// Runs cargo on the library of `package`; a warning in it is an error, but one in other packages is not.
    fn cargo(&self, package: &str, more: &[&str]) -> Command {
        let mut cargo = self.toolchain.tool("cargo");
        cargo
            .args(["rustc", "--quiet", "--locked", "--lib", "--profile=check"])
            .args(["--package", package, "--target", self.row.name()])
            .args(["--target-dir", &self.target_dir])
            .args(more);
        cargo
    }

    fn with_core(&self, package: &str, more: &[&str], flags: &[&str]) -> Outcome {
        let mut cargo = self.cargo(package, more);
        cargo
            .env("RUSTFLAGS", format!("--sysroot {}", self.sysroot))
            .args(["--", "-Dwarnings"])
            .args(flags);
        capture(&mut cargo).map(|_| "ok".to_owned()).into()
    }

    fn with_std(&self, std: Std) -> Outcome {
        let skip = |reason: &str| Outcome::Skipped(reason.to_owned());
        let Ok(spec) = self.toolchain.spec(self.row.name()) else {
            return skip("the compiler does not know it");
        };
        if !spec.std() {
            return Outcome::None("no std".to_owned());
        }
        if std == Std::None {
            return skip("not asked for");
        }
        if std == Std::Few && !self.row.target.std {
            return skip("visited with --target");
        }
        if std == Std::Groups && !self.row.is_first() {
            return skip("visited with --std=all");
        }
        let mut cargo = self.cargo("unix-memory", &[]);
        let flags = match self.flags() {
            Ok(flags) => flags,
            Err(error) => return Outcome::Failed(format!("{error:#}")),
        };
        cargo.env("RUSTFLAGS", flags).args(["--", "-Dwarnings"]);
        capture(&mut cargo).map(|_| "ok".to_owned()).into()
    }

    /// The flags by which rustc finds `std`; this machine's own is installed.
    fn flags(&self) -> Result<String> {
        if self.row.name() == self.toolchain.host {
            return Ok(String::new());
        }
        let standard = Standard {
            toolchain: self.toolchain,
            target: self.row.name(),
            form: Form::Metadata,
            flags: &[],
            path: None,
        };
        Ok(format!("--sysroot {}", standard.sysroot()?.display()))
    }

    /// Compiles all programs of the tests and examples, and `pages` with its own. (Flags would apply to their
    /// dependencies too, so a warning is found in cargo's output, which is empty otherwise.)
    fn tests(&self, std: Std) -> Outcome {
        if !self.row.target.tests {
            return Outcome::None("checked on other targets".to_owned());
        }
        if std == Std::None {
            return Outcome::Skipped("not asked for".to_owned());
        }
        // The same packages each time, since for others cargo would compile their dependencies again, with
        // other features. Emscripten has neither processes nor a page cache.
        let is_emscripten = self.row.name().ends_with("-emscripten");
        let pages = (!is_emscripten).then_some(("unix-memory-pages", "pages"));
        let packages = [("unix-memory", "unix-memory")].into_iter().chain(pages);
        let packages: Vec<_> = packages.collect();
        let check = |what: &[String]| {
            let mut cargo = self.toolchain.tool("cargo");
            cargo
                .env("RUSTFLAGS", self.flags()?)
                .args(["check", "--quiet", "--locked"])
                .args(["--target", self.row.name()])
                .args(["--target-dir", &self.target_dir])
                .arg("--package=tests");
            let names = packages.iter().map(|(name, _)| name);
            cargo.args(names.map(|name| format!("--package={name}")));
            silent(cargo.args(what))
        };
        // The profile is the one that `--tests` chooses. The files of the package `tests` are one program
        // here, which takes less time than a hundred.
        let tests = ["--profile=test", "--lib", "--bins", "--test=all"];
        let mut tests = tests.map(str::to_owned).to_vec();
        for (_, dir) in &packages {
            match test_programs::of_package(dir) {
                Ok(names) => tests.extend(names.iter().map(|name| format!("--test={name}"))),
                Err(error) => return Outcome::Failed(format!("{error:#}")),
            }
        }
        check(&tests)
            .and_then(|()| check(&["--examples".to_owned()]))
            .map(|()| "ok".to_owned())
            .into()
    }
}
