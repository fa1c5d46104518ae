//! Checks the documents that name tests: each row of a table whose last column is "test" names one that exists,
//! or says "none: " and why; and each test of a program that a document is about is named in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use syn::Item;
use walkdir::WalkDir;

use crate::process::root;

/// The documents, and for each the directory of the tests that it has to name, if any.
const DOCUMENTS: [(&str, Option<&str>); 3] = [
    ("unix-memory-sys/docs/posix.md", Some("posix")),
    ("tests/compile_fail/README.md", Some("compile_fail")),
    ("unix-memory/docs/safety.md", None),
];

/// Where the files of tests are.
const TESTS: &str = "tests/tests";

/// Where those are that loom runs, which are named `loom/<file>`.
const LOOM: &str = "tests/loom/tests";

/// Where the programs are that must not compile: each is a test as a whole.
const CASES: &str = "tests/compile_fail/cases";

/// The name of the test in such a program.
const WHOLE: &str = "";

/// The faults in the documents, and the number of rows.
///
/// # Errors
/// If a file cannot be read.
pub fn faults() -> Result<(Vec<String>, usize)> {
    let mut tests = tests(&root().join(TESTS))?;
    for (file, names) in self::tests(&root().join(LOOM))? {
        tests.insert(format!("loom/{file}"), names);
    }
    for case in fs::read_dir(root().join(CASES))? {
        let name = case?.file_name().into_string().unwrap_or_default();
        if is_rust(&name) {
            tests.insert(format!("compile_fail/{name}"), [WHOLE.to_owned()].into());
        }
    }
    let (mut faults, mut count) = (Vec::new(), 0);
    for (document, about) in DOCUMENTS {
        let text = fs::read_to_string(root().join(document)).context(document)?;
        let rows = rows(&text);
        count += rows.len();
        let found = faults_of(&rows, &tests, about);
        faults.extend(found.iter().map(|fault| format!("{document}: {fault}")));
    }
    Ok((faults, count))
}

/// For each file below the directory of the tests, the names of its tests.
type Tests = BTreeMap<String, BTreeSet<String>>;

fn tests(directory: &Path) -> Result<Tests> {
    let mut tests = Tests::new();
    for entry in WalkDir::new(directory) {
        let path = entry?.into_path();
        if !is_rust(&path) {
            continue;
        }
        let name = path.strip_prefix(directory)?.display().to_string();
        let file = syn::parse_file(&fs::read_to_string(&path)?).with_context(|| name.clone())?;
        let mut names = BTreeSet::new();
        tests_of(&file.items, &mut names);
        tests.insert(name, names);
    }
    Ok(tests)
}

fn tests_of(items: &[Item], names: &mut BTreeSet<String>) {
    for item in items {
        match item {
            Item::Fn(function) if function.attrs.iter().any(|a| a.path().is_ident("test")) => {
                names.insert(function.sig.ident.to_string());
            }
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    tests_of(items, names);
                }
            }
            // `proptest!` has functions in it.
            Item::Macro(of) => tests_in(of.mac.tokens.clone(), names),
            _ => {}
        }
    }
}

/// Adds the names of what looks like a test in the tokens of a macro.
fn tests_in(tokens: TokenStream, names: &mut BTreeSet<String>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    for three in tokens.windows(3) {
        if let [
            TokenTree::Group(attribute),
            TokenTree::Ident(word),
            TokenTree::Ident(name),
        ] = three
            && word == "fn"
            && attribute.stream().to_string() == "test"
        {
            names.insert(name.to_string());
        }
    }
}

/// A row of a table whose last column is "test".
#[derive(Default, Debug)]
pub struct Row {
    /// The text of its cells.
    pub cells: Vec<String>,
    /// What is code in the last cell.
    code: Vec<String>,
}

/// The rows of such tables in `text`.
pub fn rows(text: &str) -> Vec<Row> {
    let (mut rows, mut row) = (Vec::new(), Row::default());
    let mut names_tests = false;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableHead | Tag::TableRow) => row = Row::default(),
            Event::Start(Tag::TableCell) => {
                row.cells.push(String::new());
                row.code.clear();
            }
            Event::Text(text) => {
                if let Some(cell) = row.cells.last_mut() {
                    cell.push_str(&text);
                }
            }
            Event::Code(code) => {
                if let Some(cell) = row.cells.last_mut() {
                    cell.push_str(&code);
                    row.code.push(code.into_string());
                }
            }
            Event::End(TagEnd::TableHead) => {
                names_tests = row.cells.last().is_some_and(|last| last == "test");
            }
            Event::End(TagEnd::TableRow) if names_tests => rows.push(std::mem::take(&mut row)),
            _ => {}
        }
    }
    rows
}

fn faults_of(rows: &[Row], tests: &Tests, about: Option<&str>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut named = BTreeSet::new();
    for row in rows {
        let what = &row.cells[row.cells.len().saturating_sub(2)];
        let mut count = 0;
        for code in &row.code {
            let (file, test) = code.split_once("::").unwrap_or((code, WHOLE));
            let has = |test: &str| tests.get(file).is_some_and(|tests| tests.contains(test));
            if !is_rust(file) {
                continue;
            }
            if test == WHOLE && !has(WHOLE) {
                if !tests.contains_key(file) {
                    faults.push(format!("there is no file {file}"));
                }
                continue;
            }
            count += 1;
            named.insert((file, test));
            if !has(test) {
                faults.push(format!("there is no test {code}"));
            }
        }
        let reason = row
            .cells
            .last()
            .and_then(|last| last.strip_prefix("none: "));
        if count == 0 && reason.is_none_or(str::is_empty) {
            faults.push(format!("neither a test nor a reason: {what}"));
        }
    }
    let of_it = tests
        .iter()
        .filter(|(file, _)| about.is_some_and(|about| is_below(file, about)));
    for (file, tests) in of_it {
        let missing = tests
            .iter()
            .filter(|test| !named.contains(&(&**file, &***test)));
        faults.extend(missing.map(|test| format!("{file}::{test} is not named")));
    }
    faults
}

fn is_rust(file: impl AsRef<Path>) -> bool {
    file.as_ref().extension().is_some_and(|end| end == "rs")
}

fn is_below(file: &str, directory: &str) -> bool {
    Path::new(file).starts_with(directory)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn tests_are_found_and_missed() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("a")).expect("a directory");
        let text = "#[test] fn one() {} mod m { #[test] fn two() {} } fn no_test() {} \
                    proptest! { #[test] fn three(x in 1..2) {} fn no_test_either() {} }";
        fs::write(directory.path().join("a/b.rs"), text).expect("a file");
        let tests = tests(directory.path()).expect("Rust");
        let table = |rows: &str| super::rows(&format!("|x|test|\n|-|-|\n{rows}"));

        let good =
            table("|1|`a/b.rs::one`, `a/b.rs::two`, `a/b.rs::three`|\n|2|none: it `cannot` be|\n");
        assert_eq!(faults_of(&good, &tests, Some("a")), Vec::<String>::new());
        let bad = table(
            "|1|`a/b.rs::one`|\n|2|none|\n|3|`a/b.rs::no_test`|\n|4|none: see `a/c.rs`|\n|5|`x`|\n",
        );
        let expected = [
            "neither a test nor a reason: 2",
            "there is no test a/b.rs::no_test",
            "there is no file a/c.rs",
            "neither a test nor a reason: 5",
            "a/b.rs::three is not named",
            "a/b.rs::two is not named",
        ];
        assert_eq!(faults_of(&bad, &tests, Some("a")), expected);
        assert!(super::rows("|x|y|\n|-|-|\n|1|2|\n").is_empty());
    }
}
