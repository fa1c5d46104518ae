//! Files that import each other in a circle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use proc_macro2::{TokenStream, TokenTree};

use super::files::{File, module_directory};

/// The sets of files that import each other.
pub fn circles(files: &BTreeMap<String, File>) -> Vec<Vec<String>> {
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
    use std::fs;

    use super::*;

    fn house(files: &[(&str, &str)]) -> BTreeMap<String, File> {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("below the directory")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        crate::house::files::files(directory.path()).expect("Rust")
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
}
