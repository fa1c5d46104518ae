//! C that states what the crate declares, one statement a line, and clang's verdict on each line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A compiler's verdict on one statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The statement holds.
    True,
    /// It does not hold; with clang's message.
    False(String),
    /// The name is unknown.
    Unknown,
}

/// A translation unit that is being built.
pub struct Unit {
    source: String,
    /// The names of the statements, by line.
    statements: BTreeMap<usize, String>,
}

impl Unit {
    /// A unit that starts with `includes`.
    pub fn new(includes: &str) -> Self {
        Self {
            source: includes.to_owned(),
            statements: BTreeMap::new(),
        }
    }

    /// States that `condition` holds, in one line known as `name`.
    pub fn holds(&mut self, name: &str, condition: &str) {
        self.line(name, &format!("_Static_assert({condition}, \"{name}\");"));
    }

    /// States that the line compiles; it is known as `name`.
    pub fn line(&mut self, name: &str, line: &str) {
        let number = self.source.matches('\n').count() + 1;
        let _ = writeln!(self.source, "{line}");
        self.statements.insert(number, name.to_owned());
    }

    /// Compiles the unit with `clang`, which knows its headers already, and returns a verdict for
    /// each name.
    ///
    /// # Errors
    /// If something other than a statement is wrong.
    pub fn ask(&self, clang: &mut Command, file: &Path) -> Result<BTreeMap<String, Verdict>> {
        fs::write(file, &self.source)?;
        let output = clang
            .args([
                "-fsyntax-only",
                "-ferror-limit=0",
                "-fno-caret-diagnostics",
                "-w",
            ])
            .arg("-fno-color-diagnostics")
            .arg(file)
            .output()
            .context("cannot start clang")?;
        let messages = String::from_utf8_lossy(&output.stderr);
        let mut verdicts: BTreeMap<_, _> = self
            .statements
            .values()
            .map(|name| (name.clone(), Verdict::True))
            .collect();
        let errors = errors(&messages, &file.display().to_string());
        if errors.is_empty() && !output.status.success() {
            bail!("{}", messages.trim_end());
        }
        for (number, message) in errors {
            let name = number.and_then(|number| self.statements.get(&number));
            let Some(name) = name else { bail!("{message}") };
            let unknown = ["undeclared", "unknown type name", "incomplete type"]
                .iter()
                .any(|sign| message.contains(sign));
            let verdict = if unknown {
                Verdict::Unknown
            } else {
                Verdict::False(message.to_owned())
            };
            // Errors that follow from an unknown name are on the same line.
            if verdicts.get(name) != Some(&Verdict::Unknown) {
                verdicts.insert(name.clone(), verdict);
            }
        }
        Ok(verdicts)
    }
}

/// The errors in clang's output: the line, if it is one of `file`, and the text.
fn errors<'a>(messages: &'a str, file: &str) -> Vec<(Option<usize>, &'a str)> {
    messages
        .lines()
        .filter_map(|line| {
            let (place, message) = line
                .split_once(": error: ")
                .or_else(|| line.split_once(": fatal error: "))?;
            let number = place
                .strip_prefix(file)
                .and_then(|rest| rest.strip_prefix(':'))
                .and_then(|rest| rest.split(':').next()?.parse().ok());
            Some(match number {
                Some(number) => (Some(number), message),
                None => (None, line),
            })
        })
        .collect()
}

/// A macro of the headers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Macro {
    /// Whether it takes arguments.
    pub arguments: bool,
    /// Its text.
    pub text: String,
}

/// The macros in the output of `clang -E -dM`.
pub fn macros(listing: &str) -> BTreeMap<String, Macro> {
    listing
        .lines()
        .filter_map(|line| {
            let definition = line.strip_prefix("#define ")?;
            let end = definition
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(definition.len());
            let (name, rest) = definition.split_at(end);
            let arguments = rest.starts_with('(');
            let text = rest.trim().to_owned();
            Some((name.to_owned(), Macro { arguments, text }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_by_line() {
        let messages = "a/unit.c:7:1: error: static assertion failed: PROT_READ\n\
                        a/unit.c:7:20: note: expression evaluates to '2 == 1'\n\
                        x.h:1:1: error: broken\n";
        let found = errors(messages, "a/unit.c");
        assert_eq!(found[0].0, Some(7));
        assert_eq!(found[1], (None, "x.h:1:1: error: broken"));
    }

    #[test]
    fn macros_are_listed() {
        let found =
            macros("#define PROT_READ 0x1\n#define MAP_ALIGNED(n) ((n) << 24)\n#define X\n");
        assert_eq!(found["PROT_READ"].text, "0x1");
        assert!(!found["PROT_READ"].arguments);
        assert!(found["MAP_ALIGNED"].arguments);
        assert_eq!(found["X"].text, "");
    }
}
