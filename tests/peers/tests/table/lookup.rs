//! What users of the other crates type into the search of the documentation: each name that the table has
//! an answer for is a name or an alias here.

use std::collections::BTreeSet;

use super::{document, read, repository, rust_files};

/// Constants of C, one or two of each group: names in the raw crate, and aliases in the safe one.
const CONSTANTS: [&str; 16] = [
    "F_SEAL_WRITE",
    "MADV_DONTNEED",
    "MADV_FREE",
    "MAP_ANONYMOUS",
    "MAP_FIXED_NOREPLACE",
    "MAP_POPULATE",
    "MCL_ONFAULT",
    "MFD_ALLOW_SEALING",
    "MLOCK_ONFAULT",
    "MPOL_BIND",
    "MREMAP_DONTUNMAP",
    "MREMAP_MAYMOVE",
    "MS_ASYNC",
    "PKEY_DISABLE_WRITE",
    "POSIX_MADV_WILLNEED",
    "PROT_EXEC",
];

/// The crates, by their columns, whose names a user types. (Those of rustix, the fourth, are the constants
/// of C without what they begin with.)
const COLUMNS: [usize; 4] = [0, 1, 2, 4];

/// Not of the crate itself: methods that slices have, and a module.
const OTHERS: [&str; 3] = ["as_ptr_range", "as_mut_ptr_range", "page"];

/// As the search compares them.
fn folded(name: &str) -> String {
    name.replace('_', "").to_lowercase()
}

/// The words of the lines in which `xtask/api` records the public items of a crate, without types.
fn recorded(file: &str) -> BTreeSet<String> {
    let record = read(&repository().join("xtask/api").join(file));
    let items = record
        .lines()
        .filter_map(|line| line.split(['(', '{', '=']).next());
    let words = items.flat_map(|item| item.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.map(folded).collect()
}

/// The aliases in the sources of the safe crate.
fn aliases() -> BTreeSet<String> {
    let mut files = Vec::new();
    rust_files(&repository().join("unix-memory/src"), &mut files);
    let mut aliases = BTreeSet::new();
    for file in &files {
        let text = read(file);
        let found = text.split("doc(alias = \"").skip(1);
        aliases.extend(found.filter_map(|rest| rest.split('"').next().map(folded)));
    }
    aliases
}

#[test]
fn what_users_of_other_crates_look_up_is_found() {
    let mut found = recorded("unix-memory.txt");
    found.extend(aliases());
    let document = document();
    let mut missing = BTreeSet::new();
    let mut looked_up = 0;
    for row in document::rows(&document) {
        if row.here().starts_with("no") {
            continue;
        }
        for name in COLUMNS.into_iter().flat_map(|column| row.names(column)) {
            for word in name.split("::") {
                if word.contains('*') || OTHERS.contains(&word) {
                    continue;
                }
                looked_up += 1;
                if !found.contains(&folded(word)) {
                    missing.insert(format!("{word} of {name}: {}", row.here()));
                }
            }
        }
    }
    assert!(looked_up > 300, "{looked_up}");
    assert!(missing.is_empty(), "no name and no alias: {missing:#?}");
}

#[test]
fn constants_are_found_in_both_crates() {
    let (raw, aliases) = (recorded("unix-memory-sys.txt"), aliases());
    for constant in CONSTANTS {
        let name = folded(constant);
        assert!(raw.contains(&name), "{constant} is not in the raw crate");
        assert!(aliases.contains(&name), "{constant} is not an alias");
    }
}
