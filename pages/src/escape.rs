//! File names as text: whatever a name contains, it stays on its line and does not affect the terminal.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use unicode_width::UnicodeWidthChar;

/// The name, with what cannot be printed escaped: a newline as `\n`, another control character as
/// `\u{1b}`, a byte that is not UTF-8 as `\xff`, and so a backslash as `\\`.
pub fn name(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        // (escape_debug would escape quotes as well.)
        for piece in chunk.valid().split_inclusive(['\'', '"']) {
            let plain = piece.trim_end_matches(['\'', '"']);
            let _never_fails = write!(text, "{}", plain.escape_debug());
            text.push_str(&piece[plain.len()..]);
        }
        for byte in chunk.invalid() {
            let _never_fails = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// `text` in at most `columns`; if that is too few, without its start.
pub fn end_of(text: &str, columns: usize, unicode: bool) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mark = mark(columns, unicode);
    let end: Vec<char> = fitting(text.chars().rev(), columns - width(&mark)).collect();
    mark.chars().chain(end.into_iter().rev()).collect()
}

/// `text` in at most `columns`; if that is too few, without its end.
pub fn start_of(text: &str, columns: usize, unicode: bool) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mark = mark(columns, unicode);
    let start: String = fitting(text.chars(), columns - width(&mark)).collect();
    start + &mark
}

/// The mark for what is left out.
fn mark(columns: usize, unicode: bool) -> String {
    let mark = if unicode { "…" } else { "..." };
    mark.chars().take(columns).collect()
}

/// `text` in lines of at most `columns`, broken at spaces; those after the first are indented. A longer
/// word has a line of its own.
pub fn folded(text: &str, columns: usize, indent: usize) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split_inclusive(' ') {
        let is_begun = !line.trim_start().is_empty();
        if is_begun && width(&line) + width(word.trim_end()) > columns {
            lines += line.trim_end();
            lines.push('\n');
            line = " ".repeat(indent);
        }
        line += word;
    }
    lines + line.trim_end()
}

/// In columns.
pub fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The first characters that fit into that many columns.
fn fitting(chars: impl Iterator<Item = char>, mut columns: usize) -> impl Iterator<Item = char> {
    chars.map_while(move |c| {
        columns = columns.checked_sub(c.width().unwrap_or(0))?;
        Some(c)
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn names_stay_on_their_line() {
        for (bytes, text) in [
            (&b"it's \"plain\""[..], "it's \"plain\""),
            ("grün e\u{301} 目".as_bytes(), "grün e\u{301} 目"),
            (b"a\nb\tc", "a\\nb\\tc"),
            (b"\x1b[2J", "\\u{1b}[2J"),
            ("a\u{202e}b".as_bytes(), "a\\u{202e}b"),
            (b"a\xff\\xff", "a\\xff\\\\xff"),
        ] {
            assert_eq!(name(Path::new(OsStr::from_bytes(bytes))), text);
        }
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(folded("a  bc de", 8, 2), "a  bc de");
        assert_eq!(folded("a  bc de", 7, 2), "a  bc\n  de");
        assert_eq!(folded("a  bc de", 4, 2), "a\n  bc\n  de");
        assert_eq!(
            folded("  (longer than that)", 9, 2),
            "  (longer\n  than\n  that)"
        );
        assert_eq!(folded("目目 目", 6, 0), "目目\n目");
        assert_eq!(folded("", 0, 2), "");
    }

    #[test]
    fn long_names_are_cut_to_their_room() {
        assert_eq!(end_of("abc", 3, true), "abc");
        assert_eq!(end_of("abcd", 3, true), "…cd");
        assert_eq!(end_of("abcdef", 5, false), "...ef");
        assert_eq!(end_of("a目目", 4, true), "…目");
        assert_eq!(end_of("abcd", 2, false), "..");
        assert_eq!(end_of("abcd", 0, true), "");
        assert_eq!(start_of("abc", 3, true), "abc");
        assert_eq!(start_of("abcd", 3, true), "ab…");
        assert_eq!(start_of("目目a", 4, true), "目…");
        assert_eq!(start_of("abcdef", 5, false), "ab...");
    }
}
