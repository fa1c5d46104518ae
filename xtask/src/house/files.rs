//! The files of a crate, and the modules that each of them declares.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use walkdir::WalkDir;

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
