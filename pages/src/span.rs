//! The part of each file that is looked at.

use std::ops::Range;
use std::str::FromStr;

use crate::size;

/// A part of a file: from one byte to another, or to the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u64,
    end: Option<u64>,
}

impl Span {
    /// The bytes of this part in a file of `len` bytes.
    pub fn of(self, len: u64) -> Range<u64> {
        let end = self.end.unwrap_or(len).min(len);
        self.start.min(end)..end
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty text is not a range: give START-END, START-, -END or END".into());
        }
        // As with vmtouch, a lone size is an end.
        let (start, end) = text.split_once('-').unwrap_or(("", text));
        let start = match start {
            "" => 0,
            start => size::parse(start)?,
        };
        let end = match end {
            "" => None,
            end => Some(size::parse(end)?),
        };
        if end.is_some_and(|end| end <= start) {
            return Err(format!("`{text}` is empty: its end is not after its start"));
        }
        Ok(Self { start, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_cut_to_the_file() {
        let span: Span = "1K-2K".parse().expect("a range");
        assert_eq!(span.of(4096), 1024..2048);
        assert_eq!(span.of(1500), 1024..1500);
        assert_eq!(span.of(10), 10..10);
        assert_eq!("5-".parse::<Span>().expect("a range").of(9), 5..9);
        assert_eq!("-5".parse::<Span>().expect("a range").of(9), 0..5);
        assert_eq!("5".parse::<Span>().expect("a range").of(9), 0..5);
        assert_eq!("-".parse(), Ok(Span::default()));
        for text in ["0", "", "x-5", "5-5", "6-5", "1-2-3"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
