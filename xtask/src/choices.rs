//! Compares what each system provides for the contract of `unix-memory/src/os/mod.rs` with the reviewed list,
//! `xtask/choices.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use quote::ToTokens;
use syn::{Attribute, Item, Meta, UseTree, Visibility};

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
                page(&text, &|part| {
                    Ok(fs::read_to_string(os.join(format!("parts/{part}.rs")))?)
                })
                .with_context(|| path.display().to_string())?,
            );
        }
    }
    let contract = fs::read_to_string(os.join("mod.rs"))?;
    let reviewed: Choices =
        toml::from_str(&fs::read_to_string(root().join("xtask/choices.toml"))?)?;
    let mut faults = compare(&given, &reviewed, &contract);
    faults.extend(arms(&contract, given.keys()));
    Ok(faults)
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

/// The pages that `os/mod.rs` does not choose for their own system, and for it alone.
fn arms<'a>(contract: &str, pages: impl Iterator<Item = &'a String>) -> Vec<String> {
    let text: String = contract.split_whitespace().collect();
    pages
        .filter(|page| {
            let system = match page.as_str() {
                "linux" => "any(target_os=\"linux\",target_os=\"android\")".to_owned(),
                "apple" => "target_vendor=\"apple\"".to_owned(),
                page => format!("target_os=\"{page}\""),
            };
            !text.contains(&format!("if#[cfg({system})]{{mod{page};pubuse{page}::*;}}"))
        })
        .map(|page| {
            format!("os/mod.rs has no plain arm that chooses {page}.rs for its system alone")
        })
        .collect()
}

/// What a system's page provides: for each item `none`, `own`, the part or module that it comes from (with
/// its name there if that differs), or a constant's value. After it come the values that a function passes
/// on, "(sys::A)", and the targets that it is for, "if target_os = ...", unless these are all of the
/// system. For advice, only the place is listed: its values are reviewed in `os/reviewed/`. `read` reads a
/// part.
fn page(text: &str, read: &dyn Fn(&str) -> Result<String>) -> Result<BTreeMap<String, String>> {
    let file = syn::parse_file(text)?;
    let parts: BTreeMap<String, String> = file
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Mod(module) => Some((module.ident.to_string(), part(&module.attrs)?)),
            _ => None,
        })
        .collect();
    let mut found: Vec<(String, String, String)> = Vec::new();
    for item in &file.items {
        match item {
            Item::Use(item) if matches!(item.vis, Visibility::Public(_)) => {
                let only = targets(&item.attrs);
                names(&item.tree, &mut Vec::new(), &mut |path, name, new| {
                    let module = path.last().map_or("", String::as_str);
                    let from = parts.get(module).map_or(module, String::as_str);
                    let from = if name == new {
                        from.to_owned()
                    } else {
                        format!("{from}::{name}")
                    };
                    found.push((new.to_owned(), from, only.clone()));
                });
            }
            Item::Const(item) if matches!(item.vis, Visibility::Public(_)) => {
                let value = item.expr.to_token_stream().to_string();
                let value = value.replace(" :: ", "::").replace("& [", "&[");
                let only = targets(&item.attrs);
                found.push((item.ident.to_string(), format!("= {value}"), only));
            }
            Item::Fn(item) if matches!(item.vis, Visibility::Public(_)) => {
                let passed = passed_on(&file.items, &item.sig.ident.to_string());
                let only = targets(&item.attrs);
                found.push((item.sig.ident.to_string(), format!("own{passed}"), only));
            }
            _ => {}
        }
    }
    let mut given = BTreeMap::new();
    for (name, mut is, only) in found {
        if parts.values().any(|part| *part == is) {
            is += &passed_on(&syn::parse_file(&read(&is)?)?.items, &name);
        }
        is += &only;
        given
            .entry(name)
            .and_modify(|other: &mut String| *other = format!("{other}, {is}"))
            .or_insert(is);
    }
    Ok(given)
}

/// The values of the raw crate in the function `name`, except advice: " (sys::A, sys::B)".
fn passed_on(items: &[Item], name: &str) -> String {
    let function = items.iter().find_map(|item| match item {
        Item::Fn(function) if function.sig.ident == name => Some(function),
        _ => None,
    });
    let Some(function) = function else {
        return String::new();
    };
    let body = function.block.to_token_stream().to_string();
    let values: BTreeSet<String> = body
        .split("sys :: ")
        .skip(1)
        .filter_map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
        })
        .filter(|word| word.chars().all(|c| !c.is_lowercase()) && !word.contains("MADV_"))
        .map(|word| format!("sys::{word}"))
        .collect();
    if values.is_empty() {
        return String::new();
    }
    format!(" ({})", Vec::from_iter(values).join(", "))
}

/// The conditions on an item that concern the target: " if target_os = \"linux\"".
fn targets(attributes: &[Attribute]) -> String {
    let conditions = attributes.iter().filter(|one| one.path().is_ident("cfg"));
    conditions
        .filter_map(|one| match &one.meta {
            Meta::List(list) => Some(list.tokens.to_string()),
            _ => None,
        })
        .filter(|condition| condition.contains("target_") || condition.contains("unix"))
        .map(|condition| format!(" if {condition}"))
        .collect::<Vec<_>>()
        .concat()
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
    fn values_and_targets_are_part_of_a_choice() {
        let text = r#"
            #[path = "parts/p.rs"]
            mod p;
            pub use p::wipe;
            #[cfg(all(feature = "std", target_arch = "s390x"))]
            pub use super::none::NO_REPLACE;
            #[cfg(not(target_arch = "s390x"))]
            pub use sys::B as NO_REPLACE;
            pub fn own() { call(sys::MADV_A, sys::ZERO, sys::call()) }
        "#;
        let read = |_: &str| Ok("pub fn wipe() { f(sys::INHERIT) }".to_owned());
        let given = page(text, &read).expect("Rust");
        assert_eq!(given["wipe"], "p (sys::INHERIT)");
        assert_eq!(given["own"], "own (sys::ZERO)");
        assert_eq!(
            given["NO_REPLACE"],
            "none if all (feature = \"std\" , target_arch = \"s390x\"), \
             sys::B if not (target_arch = \"s390x\")"
        );
    }

    #[test]
    fn each_system_has_its_own_page() {
        let text = "if #[cfg(target_os = \"a\")] {\n mod a;\n pub use a::*;\n} else if \
                    #[cfg(any(target_os = \"b\", target_os = \"c\"))] {\n mod b;\n pub use b::*;\n}";
        let pages = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(arms(text, pages.iter()).len(), 2);
    }

    #[test]
    fn a_page_is_read() {
        let given = page(PAGE, &|_| Ok(String::new())).expect("Rust");
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
        let given = BTreeMap::from([(
            "here".to_owned(),
            page(PAGE, &|_| Ok(String::new())).expect("Rust"),
        )]);
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
