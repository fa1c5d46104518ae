//! Patterns of names, which decide which files are left out.

use std::path::Path;
use std::str::FromStr;

use glob::MatchOptions;

/// Matching is as in a shell: a star does not match a slash. Names that begin with a dot are not
/// special.
const AS_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// A pattern of names or, if it has a slash, of paths.
#[derive(Clone, Debug)]
pub struct Pattern {
    pattern: glob::Pattern,
    of_paths: bool,
}

impl Pattern {
    pub fn matches(&self, path: &Path) -> bool {
        let text = if self.of_paths {
            path.to_string_lossy()
        } else {
            // (`.` and `..` have none.)
            path.file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
        };
        self.pattern.matches_with(&text, AS_A_SHELL)
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pattern = glob::Pattern::new(text)
            .map_err(|error| format!("`{text}` is not a pattern: {}", error.msg))?;
        Ok(Self {
            pattern,
            of_paths: text.contains('/'),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_matched() {
        let matches = |pattern: &str, path: &str| {
            let pattern: Pattern = pattern.parse().expect("a pattern");
            pattern.matches(Path::new(path))
        };
        assert!(matches("*.rs", "a/b/c.rs") && matches("*", "a/.hidden"));
        assert!(matches("a/*.rs", "a/c.rs") && !matches("a/*.rs", "a/b/c.rs"));
        assert!(matches("**/b/*", "x/a/b/c.rs") && matches("[ab]?", "d/bx"));
        assert!(!matches("b", "b/c") && !matches("*.RS", "c.rs"));
        assert!("[".parse::<Pattern>().is_err());
    }
}
