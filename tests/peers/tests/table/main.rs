//! unix-memory/docs/peers.md lists, name by name, what other crates can do with mappings; whatever
//! the table says is here exists here, and the search finds it by its name there.

mod document;
mod lookup;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use document::{Row, is_like};

/// A file, and the module whose name its users write before a function.
type Source = (&'static str, Option<&'static str>);

/// Where each crate says what it can do with mappings.
const SOURCES: [(&str, &[Source]); 5] = [
    ("memmap2", &[("src/lib.rs", None), ("src/advice.rs", None)]),
    (
        "region",
        &[
            ("src/lib.rs", None),
            ("src/allocation.rs", None),
            ("src/error.rs", None),
            ("src/lock.rs", None),
            ("src/page.rs", Some("page")),
            ("src/protect.rs", None),
            ("src/query.rs", None),
        ],
    ),
    (
        "nix",
        &[("src/sys/mman.rs", None), ("src/sys/memfd.rs", None)],
    ),
    (
        "rustix",
        &[
            ("src/mm/madvise.rs", None),
            ("src/mm/mmap.rs", None),
            ("src/mm/msync.rs", None),
            ("src/mm/userfaultfd.rs", None),
            ("src/backend/libc/mm/types.rs", None),
            ("src/backend/linux_raw/mm/types.rs", None),
        ],
    ),
    (
        "mmap-rs",
        &[
            ("src/lib.rs", None),
            ("src/areas.rs", None),
            ("src/error.rs", None),
            ("src/mmap.rs", None),
        ],
    ),
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn document() -> String {
    read(&repository().join("unix-memory/docs/peers.md"))
}

/// The directory of each package that this workspace is built with, by name and version. Empty if
/// the sources are not available.
fn packages() -> Option<BTreeMap<(String, String), PathBuf>> {
    if !cfg!(all(
        target_os = "linux",
        target_arch = "x86_64",
        target_env = "gnu"
    )) {
        println!("skipped: the table: only x86-64 Linux builds with the other crates");
        return None;
    }
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1"])
        // Packages for other systems may never have been downloaded.
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: the table: no cargo at hand: {error}");
            return None;
        }
    };
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {error}");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let package = |package: &serde_json::Value| {
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let directory = manifest.parent().unwrap().to_owned();
        (
            (text(&package["name"]), text(&package["version"])),
            directory,
        )
    };
    Some(packages.map(package).collect())
}

#[test]
fn the_table_has_every_name() {
    let Some(packages) = packages() else { return };
    let document = document();
    let versions = document::versions(&document);
    let rows = document::rows(&document);
    let mut wrong = Vec::new();
    for (column, (peer, files)) in SOURCES.into_iter().enumerate() {
        let key = (peer.to_owned(), versions[peer].clone());
        let Some(directory) = packages.get(&key) else {
            panic!("{peer} {} is not what this is built with: {:?}", key.1, {
                packages
                    .keys()
                    .filter(|key| key.0 == peer)
                    .collect::<Vec<_>>()
            });
        };
        let sources = files
            .iter()
            .map(|&(file, module)| (read(&directory.join(file)), module));
        let names = names::names(sources);
        let patterns: BTreeSet<&str> = rows.iter().flat_map(|row| row.names(column)).collect();
        for name in &names {
            if !patterns.iter().any(|pattern| is_like(name, pattern)) {
                wrong.push(format!("{peer}: {name} is not in the table"));
            }
        }
        for pattern in patterns {
            if !names.iter().any(|name| is_like(name, pattern)) {
                wrong.push(format!("{peer}: there is no {pattern}"));
            }
        }
        println!("{peer} {}: {} names", key.1, names.len());
        assert!(names.len() > 40, "{peer}: {names:?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every file of Rust below `directory`.
fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn every_row_tells_what_is_here_or_why_not() {
    let mut files = Vec::new();
    rust_files(&repository().join("unix-memory/src"), &mut files);
    // What is behind a name rustdoc sees; here it only must be one.
    let names = names::names(files.iter().map(|file| (read(file), None)));
    let document = document();
    let rows = document::rows(&document);
    assert!(rows.len() > 80, "{} rows", rows.len());
    let reason = |row: &Row| {
        let here = row.here();
        let reason = here.split("no: ").nth(1).unwrap_or_default();
        reason.len() > 10 || here == "no" && row.what() == "flags that kernels ignore"
    };
    let mut wrong = Vec::new();
    for row in &rows {
        let links = row.links();
        if links.is_empty() && !reason(row) && !row.here().contains('`') {
            wrong.push(format!("{}: nothing here, and no reason", row.what()));
        }
        for link in links {
            if !names.contains(link) {
                wrong.push(format!("{}: there is no {link} here", row.what()));
            }
        }
        if (0..SOURCES.len()).all(|column| row.names(column).next().is_none()) {
            wrong.push(format!("{}: no other crate has it", row.what()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
