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

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use proc_macro2::{TokenStream, TokenTree};
use walkdir::WalkDir;

use crate::process::root;

/// Words in a `cfg` that depend on the target.
const TARGET: [&str; 7] = [
    "target_abi",
    "target_arch",
    "target_endian",
    "target_env",
    "target_os",
    "target_pointer_width",
    "target_vendor",
];

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

/// A file, by its path below the source directory.
pub struct File {
    pub tokens: TokenStream,
    /// The modules that it declares in separate files, with the names of the files.
    pub children: BTreeMap<String, String>,
}

/// The files below `source`.
///
/// # Errors
/// If one cannot be read, or is not Rust.
pub fn files(source: &Path) -> Result<BTreeMap<String, File>> {
    let mut files = BTreeMap::new();
    for entry in WalkDir::new(source).sort_by_file_name() {
        let entry = entry?;
        if entry.path().extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let name = entry.path().strip_prefix(source)?.display().to_string();
        let text = fs::read_to_string(entry.path())?;
        let tokens: TokenStream = text
            .parse()
            .map_err(|error| anyhow::anyhow!("{error}"))
            .with_context(|| name.clone())?;
        files.insert(
            name,
            File {
                tokens,
                children: BTreeMap::new(),
            },
        );
    }
    let names: BTreeSet<String> = files.keys().cloned().collect();
    for (name, file) in &mut files {
        declared(&file.tokens.clone(), &mut |module, path| {
            if let Some(child) = child(name, module, path, &names) {
                file.children.insert(module.to_owned(), child);
            }
        });
    }
    Ok(files)
}

/// Whether the file `name` may depend on the target.
fn may_ask(name: &str) -> bool {
    let path = Path::new(name);
    let parent = path.parent().unwrap_or(Path::new(""));
    let file = path.file_name().unwrap_or_default();
    file == "mod.rs" || file == "lib.rs" || parent == Path::new("os") || parent.starts_with("arch")
}

/// The places at which `tokens` depend on the target, and the words.
fn asks(tokens: &TokenStream) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => found.extend(asks(&group.stream())),
            TokenTree::Ident(ident) if TARGET.contains(&ident.to_string().as_str()) => {
                found.push((ident.span().start().line, ident.to_string()));
            }
            _ => {}
        }
    }
    found
}

/// Calls `f` with each module that `tokens` declare in a separate file, and the path given for it.
fn declared(tokens: &TokenStream, f: &mut impl FnMut(&str, Option<&str>)) {
    let tokens: Vec<_> = tokens.clone().into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            declared(&group.stream(), f);
        }
        let [
            TokenTree::Ident(word),
            TokenTree::Ident(module),
            TokenTree::Punct(end),
            ..,
        ] = &tokens[at..]
        else {
            continue;
        };
        if word == "mod" && end.as_char() == ';' {
            f(&module.to_string(), given_path(&tokens[..at]).as_deref());
        }
    }
}

/// The path in a `#[path = "..."]` among the attributes at the end of `tokens`.
fn given_path(tokens: &[TokenTree]) -> Option<String> {
    for token in tokens.iter().rev() {
        match token {
            TokenTree::Group(group) => {
                let text = group.stream().to_string();
                if let Some(path) = text.strip_prefix("path = \"") {
                    return path.strip_suffix('"').map(str::to_owned);
                }
            }
            TokenTree::Punct(hash) if hash.as_char() == '#' => {}
            TokenTree::Ident(public) if public == "pub" => {}
            _ => return None,
        }
    }
    None
}

/// The file of the module `module` that `parent` declares.
fn child(
    parent: &str,
    module: &str,
    path: Option<&str>,
    files: &BTreeSet<String>,
) -> Option<String> {
    let directory = Path::new(parent).parent().unwrap_or(Path::new(""));
    if let Some(path) = path {
        let file = directory.join(path).display().to_string();
        return files.contains(&file).then_some(file);
    }
    let below = module_directory(parent);
    [
        below.join(format!("{module}.rs")),
        below.join(module).join("mod.rs"),
    ]
    .iter()
    .map(|file| file.display().to_string())
    .find(|file| files.contains(file))
}

/// The directory of the modules of `file`.
pub fn module_directory(file: &str) -> PathBuf {
    let path = Path::new(file);
    match path.file_name().and_then(|name| name.to_str()) {
        Some("mod.rs" | "lib.rs") => path.parent().unwrap_or(Path::new("")).to_owned(),
        _ => path.with_extension(""),
    }
}

/// The sets of files that import each other.
fn circles(files: &BTreeMap<String, File>) -> Vec<Vec<String>> {
    let mut graph = DiGraphMap::<&str, ()>::new();
    for (name, file) in files {
        let mut import = |to: &str| {
            if let Some((to, _)) = files.get_key_value(to).filter(|(to, _)| *to != name) {
                graph.add_edge(name, to, ());
            }
        };
        imports(name, 0, files, &file.tokens, &mut import);
    }
    let mut circles: Vec<Vec<String>> = tarjan_scc(&graph)
        .into_iter()
        .filter(|set| set.len() > 1)
        .map(|set| set.into_iter().map(str::to_owned).collect())
        .collect();
    for circle in &mut circles {
        circle.sort();
    }
    circles.sort();
    circles
}

/// Calls `f` with every file that a path in `tokens` leads to. The tokens belong to the file `name`, inside
/// `deep` nested modules of it.
fn imports(
    name: &str,
    deep: usize,
    files: &BTreeMap<String, File>,
    tokens: &TokenStream,
    f: &mut impl FnMut(&str),
) {
    let tokens: Vec<_> = tokens.clone().into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => {
                let deeper = match &tokens[..at] {
                    [.., TokenTree::Ident(word), TokenTree::Ident(_)] if word == "mod" => 1,
                    _ => 0,
                };
                imports(name, deep + deeper, files, &group.stream(), f);
            }
            TokenTree::Ident(word) if is_path(&tokens[at + 1..]) => {
                let word = word.to_string();
                let start = match word.as_str() {
                    "crate" => Some("lib.rs".to_owned()),
                    "self" => Some(name.to_owned()),
                    "super" if deep > 0 => Some(name.to_owned()),
                    "super" => Some(parent(name)),
                    child => files[name].children.get(child).cloned(),
                };
                if let Some(start) = start {
                    at = follow(&start, files, &tokens, at + 3, f);
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The file of the module that `name` is in; a part of a system has no such file, only siblings.
fn parent(name: &str) -> String {
    let directory = module_directory(name);
    let above = directory.parent().unwrap_or(Path::new(""));
    let file = if above == Path::new("") {
        PathBuf::from("lib.rs")
    } else {
        above.join("mod.rs")
    };
    file.display().to_string()
}

/// Whether the tokens start with `::`.
fn is_path(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(one), TokenTree::Punct(two), ..]
        if one.as_char() == ':' && two.as_char() == ':')
}

/// Follows the names in `tokens` from `at` on, starting at the module in `file`, to the last one that is a
/// file, and calls `f` with it. Returns the index at which the names end.
fn follow(
    file: &str,
    files: &BTreeMap<String, File>,
    tokens: &[TokenTree],
    mut at: usize,
    f: &mut impl FnMut(&str),
) -> usize {
    let mut file = file.to_owned();
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(word)) => {
                let word = word.to_string();
                let next = if word == "super" {
                    Some(parent(&file))
                } else {
                    step(&file, &word, files)
                };
                let Some(next) = next else {
                    // An item of that file; what follows its name is not a module.
                    f(&file);
                    return at + 1;
                };
                file = next;
                if !is_path(&tokens[at + 1..]) {
                    f(&file);
                    return at + 1;
                }
                at += 3;
            }
            Some(TokenTree::Group(group)) => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                for names in inner.split(
                    |token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','),
                ) {
                    follow(&file, files, names, 0, f);
                }
                return at + 1;
            }
            _ => {
                f(&file);
                return at + 1;
            }
        }
    }
}

/// The file of the module `word` in the module of `file`.
fn step(file: &str, word: &str, files: &BTreeMap<String, File>) -> Option<String> {
    if let Some(child) = files.get(file).and_then(|file| file.children.get(word)) {
        return Some(child.clone());
    }
    // Each system that uses a part declares it; its siblings are beside it.
    let beside = Path::new(file).with_file_name(format!("{word}.rs"));
    let beside = beside.display().to_string();
    (file.ends_with("parts/mod.rs") && files.contains_key(&beside)).then_some(beside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house(files: &[(&str, &str)]) -> BTreeMap<String, File> {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("below the directory")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        super::files(directory.path()).expect("Rust")
    }

    #[test]
    fn circles_are_found() {
        let files = house(&[
            ("lib.rs", "mod a; mod b; mod os; pub use a::A;"),
            ("a.rs", "use crate::b::{self, B}; pub struct A;"),
            ("b.rs", "pub struct B; fn f() { crate::a::f() }"),
            (
                "os/mod.rs",
                "mod x; mod call; cfg_if! { if #[cfg(x)] { mod y; pub use y::*; } }",
            ),
            ("os/x.rs", "use super::call::errno;"),
            ("os/call.rs", "use crate::os::madvise;"),
            ("os/y.rs", "#[path = \"parts/p.rs\"] mod p; pub use p::f;"),
            ("os/parts/p.rs", "use super::q; use crate::os;"),
            ("os/parts/q.rs", ""),
        ]);
        assert_eq!(
            circles(&files),
            [
                vec!["a.rs", "b.rs"],
                vec!["os/mod.rs", "os/parts/p.rs", "os/y.rs"]
            ]
        );
    }

    #[test]
    fn methods_below_their_type_are_none() {
        let files = house(&[
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "pub mod b; pub struct A;"),
            ("a/b.rs", "use super::A; impl A {}"),
        ]);
        assert!(circles(&files).is_empty());
    }

    #[test]
    fn who_may_ask_for_the_target() {
        for name in [
            "lib.rs",
            "os/mod.rs",
            "os/freebsd.rs",
            "arch/alias.rs",
            "ring/mod.rs",
        ] {
            assert!(may_ask(name), "{name}");
        }
        for name in ["page.rs", "os/parts/stack.rs", "ring/pair.rs"] {
            assert!(!may_ask(name), "{name}");
        }
        let tokens = "#[cfg(any(target_os = \"linux\"))] fn f() {} // target_os".parse();
        assert_eq!(asks(&tokens.expect("Rust")).len(), 1);
    }

    #[test]
    fn the_house_is_in_order() {
        task().expect("no fault");
    }
}
