//! `cargo xtask safety`: the table in `unix-memory/docs/safety.md` of the unsafe blocks of both library crates,
//! with the facts that each relies on. The same document has a table of the facts, and `named.rs` checks the
//! tests in it.
//!
//! A `// SAFETY:` comment ends with the names of its facts: `[owned, inside]`. Tests in the library need none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::house::files::{File, files, module_directory};
use crate::named::rows;
use crate::process::root;
use crate::table::with_table;

/// The document.
const DOCUMENT: &str = "unix-memory/docs/safety.md";

/// The markers of the table in it.
const MARKERS: [&str; 2] = ["<!-- blocks:begin -->\n", "<!-- blocks:end -->"];

/// The crates whose blocks are in it.
const CRATES: [&str; 2] = ["unix-memory-sys", "unix-memory"];

/// The fact that only an `unsafe` function can rely on.
const CALLER: &str = "caller";

/// Runs the task.
pub fn task() -> Result<()> {
    let (faults, fresh) = audit()?;
    if !faults.is_empty() {
        bail!(
            "not all unsafe code is accounted for:\n  {}",
            faults.join("\n  ")
        );
    }
    fs::write(root().join(DOCUMENT), fresh)?;
    println!("safety: wrote {DOCUMENT}");
    Ok(())
}

/// What is wrong with comments, facts and table.
///
/// # Errors
/// If a file cannot be read.
pub fn faults() -> Result<Vec<String>> {
    let (mut faults, fresh) = audit()?;
    if faults.is_empty() && fs::read_to_string(root().join(DOCUMENT))? != fresh {
        faults.push(format!(
            "{DOCUMENT}: the table is stale: run `cargo xtask safety`"
        ));
    }
    Ok(faults)
}

/// What is wrong with comments and facts, and the document with a table of today.
fn audit() -> Result<(Vec<String>, String)> {
    let text = fs::read_to_string(root().join(DOCUMENT)).context(DOCUMENT)?;
    let facts: BTreeSet<String> = rows(&text)
        .iter()
        .filter_map(|row| row.cells.first().cloned())
        .collect();
    let mut faults = Vec::new();
    let mut unused = facts.clone();
    let mut table = "| file | function | facts |\n|---|---|---|\n".to_owned();
    for name in CRATES {
        let source = root().join(name).join("src");
        let files = files(&source)?;
        for (file, found) in found(&files) {
            let text = fs::read_to_string(source.join(&file))?;
            let lines: Vec<&str> = text.lines().collect();
            // A function's blocks that rely on the same facts are one row.
            let mut seen = BTreeSet::new();
            let mut comments = BTreeSet::new();
            for (line, function) in found.undocumented {
                let place = format!("{name}/src/{file}:{line}");
                faults.push(format!(
                    "{place}: `{function}` is unsafe, and has no `# Safety`"
                ));
            }
            for block in found.blocks {
                let place = format!("{name}/src/{file}:{}", block.line);
                match check(&block, &lines, &facts) {
                    Ok((comment, _)) if !comments.insert(comment) => {
                        faults.push(format!(
                            "{place}: without a `// SAFETY:` comment of its own"
                        ));
                    }
                    Ok((_, names)) => {
                        unused.retain(|fact| !names.contains(&&**fact));
                        let cells = format!("`{}` | {}", block.function, names.join(", "));
                        if seen.insert(cells.clone()) {
                            writeln!(table, "| `{name}/src/{file}` | {cells} |")?;
                        }
                    }
                    Err(fault) => faults.push(format!("{place}: {fault}")),
                }
            }
        }
    }
    let unused = unused.into_iter();
    faults.extend(unused.map(|fact| format!("{DOCUMENT}: nothing relies on the fact `{fact}`")));
    Ok((faults, with_table(&text, MARKERS, &table)?))
}

/// The line of the comment of `block`, from 0, and the names of the facts that it relies on.
fn check<'a>(
    block: &Block,
    lines: &[&'a str],
    facts: &BTreeSet<String>,
) -> Result<(usize, Vec<&'a str>), String> {
    let how = format!("end its `// SAFETY:` comment with facts of {DOCUMENT}: `[owned, inside]`");
    let (comment, names) = names_above(block.line, lines).ok_or(how)?;
    for name in &names {
        if !facts.contains(*name) {
            return Err(format!(
                "`{name}` is not a fact: add it to {DOCUMENT}, with a test"
            ));
        }
        if *name == CALLER && !block.is_in_unsafe {
            return Err(format!("`{CALLER}` in a function that is not unsafe"));
        }
    }
    Ok((comment, names))
}

/// The last `// SAFETY:` comment above `line`, which counts from 1: its line, from 0, and the names at its end.
fn names_above<'a>(line: usize, lines: &[&'a str]) -> Option<(usize, Vec<&'a str>)> {
    let first = lines[..line.min(lines.len())]
        .iter()
        .rposition(|line| line.trim_start().starts_with("// SAFETY:"))?;
    let comment = lines[first..].iter().map(|line| line.trim());
    let last = comment
        .take_while(|line| line.starts_with("//"))
        .enumerate()
        .take_while(|(number, line)| *number == 0 || !line.starts_with("// SAFETY:"))
        .last()?
        .1;
    let (_, names) = last.strip_suffix(']')?.rsplit_once('[')?;
    Some((first, names.split(", ").collect()))
}

/// An unsafe block, or an implementation of an unsafe trait.
struct Block {
    line: usize,
    /// The function that it is in, or what is implemented.
    function: String,
    is_in_unsafe: bool,
}

/// What is unsafe in each file, without tests.
fn found(files: &BTreeMap<String, File>) -> BTreeMap<String, Walk> {
    let mut found = BTreeMap::new();
    let mut tests = Vec::new();
    for (name, file) in files {
        let mut walk = Walk::default();
        walk.tokens(file.tokens.clone(), "", false);
        let children = walk.tests.iter().filter_map(|test| file.children.get(test));
        tests.extend(children.cloned());
        found.insert(name.clone(), walk);
    }
    found.retain(|file, _| {
        let is_of = |test: &String| file == test || is_below(file, test);
        !tests.iter().any(is_of)
    });
    found
}

fn is_below(file: &str, module: &str) -> bool {
    Path::new(file).starts_with(module_directory(module))
}

#[derive(Default)]
struct Walk {
    blocks: Vec<Block>,
    /// The lines and names of unsafe functions whose documentation does not say what is safe.
    undocumented: Vec<(usize, String)>,
    /// The modules in separate files that are for tests.
    tests: Vec<String>,
}

impl Walk {
    /// Finds the blocks in `tokens`, which are in `function`.
    fn tokens(&mut self, tokens: TokenStream, function: &str, is_in_unsafe: bool) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        // The function whose body comes next.
        let mut next: Option<(String, bool)> = None;
        let mut at = 0;
        while at < tokens.len() {
            if let Some(end) = end_of_test(&tokens[at..]) {
                self.tests.extend(module_declared(&tokens[at..at + end]));
                at += end;
                continue;
            }
            let is = |at: usize, word: &str| matches!(tokens.get(at), Some(TokenTree::Ident(ident)) if ident == word);
            match &tokens[at] {
                TokenTree::Ident(word) if word == "fn" => {
                    // (A type has no name there.)
                    if let Some(TokenTree::Ident(name)) = tokens.get(at + 1) {
                        let before = &tokens[at.saturating_sub(3)..at];
                        let is_unsafe = before.iter().any(
                            |token| matches!(token, TokenTree::Ident(word) if word == "unsafe"),
                        );
                        if is_unsafe && !has_safety(&tokens[..at]) {
                            let place = (name.span().start().line, name.to_string());
                            self.undocumented.push(place);
                        }
                        next = Some((name.to_string(), is_unsafe));
                    }
                }
                TokenTree::Ident(word) if word == "unsafe" => {
                    let block = matches!(tokens.get(at + 1), Some(TokenTree::Group(group))
                        if group.delimiter() == Delimiter::Brace);
                    let name = if block {
                        Some(function.to_owned())
                    } else {
                        is(at + 1, "impl").then(|| implemented(&tokens[at + 2..]))
                    };
                    if let Some(function) = name {
                        self.blocks.push(Block {
                            line: word.span().start().line,
                            function,
                            is_in_unsafe,
                        });
                    }
                }
                // The end of a declaration without a body.
                TokenTree::Punct(end) if end.as_char() == ';' => next = None,
                TokenTree::Group(group) => {
                    let body = (group.delimiter() == Delimiter::Brace)
                        .then(|| next.take())
                        .flatten();
                    match body {
                        Some((name, is_unsafe)) => self.tokens(group.stream(), &name, is_unsafe),
                        None => self.tokens(group.stream(), function, is_in_unsafe),
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }
}

/// Whether the attributes at the end of `tokens`, before the words of a function, have a `# Safety`.
fn has_safety(tokens: &[TokenTree]) -> bool {
    let of_it = tokens.iter().rev().take_while(|token| match token {
        TokenTree::Group(group) => group.delimiter() != Delimiter::Brace,
        TokenTree::Punct(end) => end.as_char() != ';',
        _ => true,
    });
    let mut texts = of_it.filter_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream().to_string()),
        _ => None,
    });
    texts.any(|text| text.contains("# Safety"))
}

/// If `tokens` begin with an item for tests alone: where it ends.
fn end_of_test(tokens: &[TokenTree]) -> Option<usize> {
    let [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] = tokens else {
        return None;
    };
    let text = attribute.stream().to_string();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    if hash.as_char() != '#'
        || !text.starts_with("cfg")
        || !words.clone().any(|word| word == "test")
    {
        return None;
    }
    let end = tokens[2..].iter().position(|token| match token {
        TokenTree::Punct(end) => end.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    })?;
    Some(2 + end + 1)
}

/// The module that an item declares in a separate file.
fn module_declared(item: &[TokenTree]) -> Option<String> {
    match item {
        [
            ..,
            TokenTree::Ident(word),
            TokenTree::Ident(module),
            TokenTree::Punct(end),
        ] if word == "mod" && end.as_char() == ';' => Some(module.to_string()),
        _ => None,
    }
}

/// What `impl` is followed by, up to the body, in short: `Send for Region`.
fn implemented(tokens: &[TokenTree]) -> String {
    let mut text = String::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
            TokenTree::Ident(word) if word == "for" => text.push_str(" for "),
            token => text.push_str(&token.to_string()),
        }
    }
    text
}

#[cfg(test)]
mod unit {
    use super::*;

    const SOURCE: &str = "
fn a() {
    // SAFETY: it is its own,
    // and within. [owned, inside]
    let x = unsafe { f() };
    // SAFETY: as above.
    unsafe { f() }
}
// SAFETY: no thread matters. [threads]
unsafe impl<T: Send> Send for B<T> {}
unsafe extern \"C\" { fn c(); }
/// # Safety
/// `f` can be called.
#[inline]
pub unsafe fn d(f: unsafe fn()) {
    // SAFETY: as the caller vouches. [caller]
    // SAFETY: it is not read. [other]
    unsafe { f() }
}
unsafe fn undocumented() {}
#[cfg(test)]
mod tests { fn e() { unsafe { f() } } }
#[cfg(all(test, x))]
mod file;
";

    #[test]
    fn blocks_are_found_with_their_facts() {
        let mut walk = Walk::default();
        walk.tokens(SOURCE.parse().expect("Rust"), "", false);
        let functions: Vec<_> = walk.blocks.iter().map(|block| &*block.function).collect();
        assert_eq!(functions, ["a", "a", "<T:Send>Send for B<T>", "d"]);
        assert_eq!(walk.tests, ["file"]);
        assert_eq!(walk.undocumented, [(20, "undocumented".to_owned())]);
        let lines: Vec<_> = SOURCE.lines().collect();
        let names = |at: usize| names_above(walk.blocks[at].line, &lines).map(|(_, names)| names);
        assert_eq!(names(0), Some(vec!["owned", "inside"]));
        assert_eq!(names(1), None);
        assert_eq!(names(2), Some(vec!["threads"]));
        assert_eq!(names(3), Some(vec!["other"]));
    }

    #[test]
    fn what_is_wrong_is_reported() {
        let facts = BTreeSet::from(["owned".to_owned(), CALLER.to_owned()]);
        let fault = |comment: &str, is_in_unsafe| {
            let block = Block {
                line: 2,
                function: "f".to_owned(),
                is_in_unsafe,
            };
            check(&block, &[comment, "unsafe {}"], &facts).err()
        };
        assert_eq!(fault("// SAFETY: it is. [owned]", false), None);
        assert_eq!(fault("// SAFETY: it is. [caller]", true), None);
        let wrong = [
            ("// SAFETY: it is.", "end its"),
            ("// it is. [owned]", "end its"),
            ("// SAFETY: it is. [moon]", "`moon` is not a fact"),
            ("// SAFETY: it is. [caller]", "`caller` in a function"),
        ];
        for (comment, expected) in wrong {
            let fault = fault(comment, false).expect("a fault");
            assert!(fault.starts_with(expected), "{fault}");
        }
    }
}
