//! Which files may depend on the target, and which words of a file do.

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};

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

/// Whether the file `name` may depend on the target.
pub fn may_ask(name: &str) -> bool {
    let path = Path::new(name);
    let parent = path.parent().unwrap_or(Path::new(""));
    let file = path.file_name().unwrap_or_default();
    file == "mod.rs" || file == "lib.rs" || parent == Path::new("os") || parent.starts_with("arch")
}

/// The places at which `tokens` depend on the target, and the words.
pub fn asks(tokens: &TokenStream) -> Vec<(usize, String)> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
