//! `cargo xtask api`: compares the public API of both library crates with the record in `xtask/api/`.
//!
//! There is a file for each crate, with a line for each public item, as rustdoc and the crate public-api
//! write it: the API on x86-64 Linux with all features. A review shows its changes, and they show which
//! version the next release needs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::{command, root, run, workdir};

/// The command-line arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Compare with the record, which is the default
    #[arg(long)]
    check: bool,
    /// Record the current API
    #[arg(long, conflicts_with = "check")]
    bless: bool,
}

const CRATES: [&str; 2] = ["unix-memory-sys", "unix-memory"];

/// The crates that have records.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Traits that only compilers implement; some compilers report more of them than others.
const NOT_OURS: [&str; 2] = ["core::marker::Freeze", "core::marker::UnsafeUnpin"];

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    let mut changed = false;
    for name in CRATES {
        let json = rustdoc(name)?;
        let now = match public_api(&json) {
            Ok(now) => now,
            // Its format depends on the compiler.
            Err(error) if !args.bless => {
                println!("api: skipped: {name}: this compiler's rustdoc: {error:#}");
                continue;
            }
            Err(error) => return Err(error),
        };
        let path = root().join("xtask/api").join(format!("{name}.txt"));
        let recorded = fs::read_to_string(&path).unwrap_or_default();
        let difference = difference(&recorded, &now);
        if difference.is_empty() {
            println!("api: {name}: {} items, as recorded", now.lines().count());
            continue;
        }
        print!("api: {name}:\n{difference}");
        if args.bless {
            fs::write(&path, now).with_context(|| path.display().to_string())?;
        }
        changed = true;
    }
    if changed && !args.bless {
        bail!(
            "the public API differs from the record (-: recorded, +: now): if that is intended, run \
             `cargo xtask api --bless`, and describe the change in CHANGELOG.md"
        );
    }
    Ok(())
}

/// Makes rustdoc write its JSON for a crate, and returns the path.
fn rustdoc(name: &str) -> Result<PathBuf> {
    let dir = workdir("public-api")?;
    run(command("cargo")
        // The format is unstable, and identified by its number.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["rustdoc", "--quiet", "--locked", "--lib", "--all-features"])
        .args(["--package", name, "--target", TARGET])
        .arg("--target-dir")
        .arg(&dir)
        .args(["--", "-Zunstable-options", "--output-format=json"])
        .arg("--cap-lints=allow"))?;
    let file = format!("{}.json", name.replace('-', "_"));
    Ok(dir.join(TARGET).join("doc").join(file))
}

/// A line for each public item, in order.
fn public_api(json: &Path) -> Result<String> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .build()
        .context("public-api cannot read it")?;
    let lines: BTreeSet<String> = api
        .items()
        .map(ToString::to_string)
        .filter(|line| !NOT_OURS.iter().any(|name| line.contains(name)))
        .collect();
    let mut text = String::new();
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

/// The lines that only one of the two has.
fn difference(recorded: &str, now: &str) -> String {
    let [recorded, now] = [recorded, now].map(|text| text.lines().collect::<BTreeSet<_>>());
    let mut lines: Vec<_> = recorded.difference(&now).map(|line| (line, '-')).collect();
    lines.extend(now.difference(&recorded).map(|line| (line, '+')));
    lines.sort_unstable();
    let mut text = String::new();
    for (line, sign) in lines {
        text.push(sign);
        text.push(' ');
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn what_changed_is_seen() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), "");
        assert_eq!(difference("a\nb\n", "b\nc\n"), "- a\n+ c\n");
        assert_eq!(difference("", "a\n"), "+ a\n");
    }
}
