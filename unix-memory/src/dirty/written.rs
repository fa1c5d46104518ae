//! The ranges that were written.

use core::fmt;
use core::iter::FusedIterator;
use core::ops::Range;

use super::tracker::{Pieces, Tracker};
use crate::error::{Error, Result};
use crate::region::Region;

/// An iterator over the ranges of a mapping that were written, in ascending order.
///
/// [`written`](crate::Tracked::written) and [`take`](crate::Tracked::take) of [`Tracked`](crate::Tracked)
/// make it. Each range is in bytes from the start of the mapping, and covers whole pages, except where
/// the mapping begins or ends inside a page. Adjacent pages form one range. The iterator queries the
/// kernel as it goes, allocates nothing, and ends after an error.
#[must_use = "iterators are lazy"]
pub struct Written<'a> {
    pieces: Pieces<'a>,
    /// The piece that follows the range that was returned last.
    held: Option<Range<usize>>,
    /// The error that ended the pieces, kept while an earlier range is returned first.
    error: Option<Error>,
    /// There is nothing more to ask.
    is_done: bool,
    /// The addresses of the mapping's bytes.
    bytes: Range<usize>,
}

impl<'a> Written<'a> {
    pub(crate) fn new(
        tracker: &'a Tracker,
        region: &'a Region,
        is_readable: bool,
        reset: bool,
    ) -> Self {
        let start = region.start().addr().get();
        Self {
            pieces: tracker.pieces(region, is_readable, reset),
            held: None,
            error: None,
            is_done: false,
            bytes: start..start + region.len(),
        }
    }

    /// The next pieces that are adjacent, in addresses.
    fn next_addresses(&mut self) -> Result<Option<Range<usize>>> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let mut range = self.held.take();
        while !self.is_done {
            match self.pieces.next() {
                Ok(Some(piece)) => match &mut range {
                    Some(range) if range.end == piece.start => range.end = piece.end,
                    Some(_) => {
                        self.held = Some(piece);
                        break;
                    }
                    None => range = Some(piece),
                },
                Ok(None) => self.is_done = true,
                Err(error) => {
                    self.is_done = true;
                    if range.is_none() {
                        return Err(error);
                    }
                    self.error = Some(error);
                }
            }
        }
        Ok(range)
    }
}

impl Iterator for Written<'_> {
    type Item = Result<Range<usize>>;

    fn next(&mut self) -> Option<Self::Item> {
        let Range { start, end } = self.bytes;
        // The first byte may be inside a page, as the last.
        let offset = |address: usize| address.clamp(start, end) - start;
        let found = self.next_addresses().transpose()?;
        Some(found.map(|range| offset(range.start)..offset(range.end)))
    }
}

impl FusedIterator for Written<'_> {}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        if let Some(piece) = self.held.take() {
            self.pieces.give_back(piece);
        }
    }
}

impl fmt::Debug for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
