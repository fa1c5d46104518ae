//! What the output can show.

use std::io::{IsTerminal, stdout};

use terminal_size::{Height, Width};

use crate::options::When;

/// How text is written.
#[derive(Clone, Copy)]
pub struct Terminal {
    /// The column after which it breaks lines, if it is a terminal.
    pub breaks_after: Option<usize>,
    /// How many columns it has; 80 without a terminal.
    pub columns: usize,
    /// Whether it shows more than ASCII.
    pub unicode: bool,
    pub colour: bool,
    pub picture: bool,
}

impl Terminal {
    /// The format of standard output, according to the options.
    pub fn of(colour: When, picture: When, width: Option<u16>) -> Self {
        let is_one = stdout().is_terminal();
        let (columns, _) = size();
        Self {
            breaks_after: is_one.then_some(columns),
            columns: width.map_or(columns, usize::from),
            unicode: is_unicode(|name| std::env::var(name).ok()),
            colour: colour
                .or(|| anstream::AutoStream::choice(&stdout()) != anstream::ColorChoice::Never),
            picture: picture.or(|| is_one),
        }
    }
}

/// The columns and lines of the terminal on standard output, or 80 and 24.
pub fn size() -> (usize, usize) {
    terminal_size::terminal_size_of(stdout()).map_or((80, 24), |(Width(columns), Height(lines))| {
        (usize::from(columns.max(1)), usize::from(lines.max(1)))
    })
}

/// Whether the locale's characters are Unicode: the first of these variables that is set decides, as
/// for setlocale(3).
fn is_unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set);
    // Apple's systems set none, but always have Unicode.
    locale.map_or(cfg!(target_vendor = "apple"), |locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::is_unicode;

    #[test]
    fn the_locale_decides() {
        let of = |all: &str, lang: &str| {
            let (all, lang) = (all.to_owned(), lang.to_owned());
            is_unicode(move |name| match name {
                "LC_ALL" => Some(all.clone()),
                "LANG" => Some(lang.clone()),
                _ => None,
            })
        };
        assert!(of("", "en_US.UTF-8") && of("C.utf8", "C"));
        assert!(!of("C", "en_US.UTF-8") && !of("", "C") && !of("", "de_DE"));
    }
}
