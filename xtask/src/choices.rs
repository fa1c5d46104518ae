//! Compares what each system provides for the contract of `unix-memory/src/os/mod.rs` with the reviewed list,
//! `xtask/choices.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use quote::ToTokens;
use syn::{Attribute, Item, UseTree, Visibility};

use crate::process::root;

/// Files of `os/` that do not belong to a system.
const OTHERS: [&str; 3] = ["mod", "call", "none"];

/// For each item of the contract, the systems that provide something for it, and what they provide.
type Choices = BTreeMap<String, BTreeMap<String, String>>;

/// The differences found.
///
/// # Errors
/// If a file cannot be read.
pub fn faults() -> Result<Vec<String>> {
    let os = root().join("unix-memory/src/os");
    let mut given = BTreeMap::new();
    for entry in fs::read_dir(&os)? {
        let path = entry?.path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.extension().is_some_and(|end| end == "rs") && !OTHERS.contains(&name) {
            let text = fs::read_to_string(&path)?;
            given.insert(
                name.to_owned(),
                page(&text).with_context(|| path.display().to_string())?,
            );
        }
    }
    let contract = fs::read_to_string(os.join("mod.rs"))?;
    let reviewed: Choices =
        toml::from_str(&fs::read_to_string(root().join("xtask/choices.toml"))?)?;
    Ok(compare(&given, &reviewed, &contract))
}

/// The differences between what the pages provide, by system and item, and what was reviewed.
fn compare(
    given: &BTreeMap<String, BTreeMap<String, String>>,
    reviewed: &Choices,
    contract: &str,
) -> Vec<String> {
    let mut faults = Vec::new();
    for (item, choices) in reviewed {
        if !contract.contains(&format!("`{item}`")) {
            faults.push(format!("os/mod.rs does not describe {item}"));
        }
        for (system, page) in given {
            let is = page.get(item).map_or("absent", String::as_str);
            let should = choices
                .get(system)
                .or_else(|| choices.get("others"))
                .map_or("none", String::as_str);
            if is != should {
                faults.push(format!(
                    "os/{system}.rs: {item} is `{is}`, but xtask/choices.toml has `{should}`"
                ));
            }
        }
        let unknown = choices
            .keys()
            .filter(|system| *system != "others" && !given.contains_key(*system));
        faults.extend(unknown.map(|system| {
            format!("xtask/choices.toml: {item} names {system}, which is not a file of os/")
        }));
    }
    let items: BTreeSet<&String> = given.values().flat_map(BTreeMap::keys).collect();
    faults.extend(
        items
            .into_iter()
            .filter(|item| !reviewed.contains_key(*item))
            .map(|item| format!("xtask/choices.toml does not list {item}")),
    );
    faults
}

/// What a system's page provides: for each item `none`, `own`, the part or module that it comes from (with
/// its name there if that differs), or a constant's value.
fn page(text: &str) -> Result<BTreeMap<String, String>> {
    let file = syn::parse_file(text)?;
    let parts: BTreeMap<String, String> = file
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Mod(module) => Some((module.ident.to_string(), part(&module.attrs)?)),
            _ => None,
        })
        .collect();
    let mut given = BTreeMap::new();
    for item in &file.items {
        match item {
            Item::Use(item) if matches!(item.vis, Visibility::Public(_)) => {
                names(&item.tree, &mut Vec::new(), &mut |path, name, new| {
                    let module = path.last().map_or("", String::as_str);
                    let from = parts.get(module).map_or(module, String::as_str);
                    let from = if name == new {
                        from.to_owned()
                    } else {
                        format!("{from}::{name}")
                    };
                    given.insert(new.to_owned(), from);
                });
            }
            Item::Const(item) if matches!(item.vis, Visibility::Public(_)) => {
                let value = item.expr.to_token_stream().to_string();
                let value = value.replace(" :: ", "::").replace("& [", "&[");
                given.insert(item.ident.to_string(), format!("= {value}"));
            }
            Item::Fn(item) if matches!(item.vis, Visibility::Public(_)) => {
                given.insert(item.sig.ident.to_string(), "own".to_owned());
            }
            _ => {}
        }
    }
    Ok(given)
}

/// The name of the part in a `#[path = "parts/<name>.rs"]`.
fn part(attributes: &[Attribute]) -> Option<String> {
    let path = attributes.iter().find(|one| one.path().is_ident("path"))?;
    let text = path.meta.require_name_value().ok()?.value.to_token_stream();
    let text = text.to_string();
    let name = text.strip_prefix("\"parts/")?.strip_suffix(".rs\"")?;
    Some(name.to_owned())
}

/// Calls `f` with the module, the name there and the name here of everything that `tree` imports.
fn names(tree: &UseTree, path: &mut Vec<String>, f: &mut impl FnMut(&[String], &str, &str)) {
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.to_string());
            names(&tree.tree, path, f);
            path.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                names(tree, path, f);
            }
        }
        UseTree::Name(name) => f(path, &name.ident.to_string(), &name.ident.to_string()),
        UseTree::Rename(name) => f(path, &name.ident.to_string(), &name.rename.to_string()),
        UseTree::Glob(_) => f(path, "*", "*"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"
        use unix_memory_sys as sys;
        #[path = "parts/pipe2.rs"]
        mod pipe;
        pub use super::none::{MAP_STACK, mincore};
        pub use pipe::open_pipe;
        pub use sys::MAP_TRYFIXED as NO_REPLACE;
        pub const FLAGS: c_int = sys::A | sys::B;
        /// Docs.
        pub unsafe fn madvise() {}
        fn private() {}
    "#;

    #[test]
    fn a_page_is_read() {
        let given = page(PAGE).expect("Rust");
        let given: Vec<_> = given
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(
            given,
            [
                ("FLAGS", "= sys::A | sys::B"),
                ("MAP_STACK", "none"),
                ("NO_REPLACE", "sys::MAP_TRYFIXED"),
                ("madvise", "own"),
                ("mincore", "none"),
                ("open_pipe", "pipe2"),
            ]
        );
    }

    #[test]
    fn what_was_not_reviewed_is_a_fault() {
        let given = BTreeMap::from([("here".to_owned(), page(PAGE).expect("Rust"))]);
        let text = "[FLAGS]\nhere = \"= sys::A | sys::B\"\n[MAP_STACK]\n[NO_REPLACE]\n\
                    here = \"sys::MAP_TRYFIXED\"\n[madvise]\nothers = \"own\"\n[mincore]\n\
                    [open_pipe]\nhere = \"pipe2\"\n";
        let reviewed: Choices = toml::from_str(text).expect("TOML");
        let contract = "`FLAGS` `MAP_STACK` `NO_REPLACE` `madvise` `mincore` `open_pipe`";
        assert_eq!(compare(&given, &reviewed, contract), Vec::<String>::new());

        let planted: Choices = toml::from_str(&text.replace("pipe2", "pipe1")).expect("TOML");
        assert_eq!(compare(&given, &planted, contract).len(), 1);
        assert_eq!(compare(&given, &reviewed, "`FLAGS`").len(), 5);
        let shorter: Choices = toml::from_str("[FLAGS]\nhere = \"none\"").expect("TOML");
        assert_eq!(compare(&given, &shorter, contract).len(), 6);
    }
}
