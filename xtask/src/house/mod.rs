//! `cargo xtask house`: checks the rules for `unix-memory/src` that a compiler does not know, the links
//! between Markdown files (see `links.rs`), and the tests that these name (see `named.rs`).
//!
//! * Only `mod.rs`, `lib.rs`, and the files that these choose by target (`os/<system>.rs`, and what is
//!   below `arch/`) depend on the target.
//! * What each system provides for the contract in `os/mod.rs` is what was reviewed: see `choices.rs`.
//! * The program of all tests has every file of tests: see `test_programs.rs`.
//! * Each unsafe block of both library crates names the facts that it relies on: see `safety.rs`.
//! * Each bug of `mutants.toml` can be planted: see `mutants/list.rs`.
//! * Files do not import each other in a circle. (A module's methods may be in files below it, which then
//!   import it; it does not import them.)

mod circles;
pub mod files;
mod target;

use anyhow::{Result, bail};

use self::circles::circles;
use self::files::files;
use self::target::{asks, may_ask};
use crate::process::root;

/// Runs the task.
pub fn task() -> Result<()> {
    let source = root().join("unix-memory/src");
    let files = files(&source)?;
    let mut faults = Vec::new();
    for (name, file) in &files {
        if !may_ask(name) {
            faults.extend(
                asks(&file.tokens)
                    .into_iter()
                    .map(|(line, word)| format!("{name}:{line}: {word} belongs in a mod.rs")),
            );
        }
    }
    let circles = circles(&files);
    faults.extend(
        circles
            .iter()
            .map(|circle| format!("files that import each other: {}", circle.join(", "))),
    );
    faults.extend(crate::choices::faults()?);
    for fault in &mut faults {
        fault.insert_str(0, "unix-memory/src: ");
    }
    let (broken, links) = crate::links::faults()?;
    faults.extend(broken);
    faults.extend(crate::test_programs::faults()?);
    faults.extend(crate::safety::faults()?);
    let (missing, rows) = crate::named::faults()?;
    faults.extend(missing);
    let (unplanted, bugs) = crate::mutants::faults()?;
    faults.extend(unplanted);
    if faults.is_empty() {
        let files = files.len();
        println!(
            "house: {files} files, no import cycle, no stray cfg; {links} valid links; {rows} rows that name \
             their tests; {bugs} bugs to plant"
        );
        return Ok(());
    }
    bail!("the house rules are broken:\n  {}", faults.join("\n  "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_in_order() {
        task().expect("no fault");
    }
}
