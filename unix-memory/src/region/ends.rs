//! Ranges that must not touch a byte beside them.

use core::ops::{Range, RangeBounds};

use super::Region;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::page::{check_range, page_size};

/// Who has the rest of the first and the last page of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The region alone: nobody else has it or sees what is done.
    Own,
    /// Whoever else has the file.
    Others,
}

impl Region {
    /// Who has the rest of the first and the last page, as far as the memory itself is concerned.
    pub const fn ends(&self) -> Ends {
        if self.is_private_anonymous() {
            Ends::Own
        } else {
            Ends::Others
        }
    }

    /// Checks the range of a call that must not touch a byte beside it: it must begin and end at the
    /// start of a page, or with the region if that has the rest of the page alone.
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in the region, and for parts of pages.
    #[inline]
    pub fn whole_pages(
        &self,
        call: Call,
        range: &impl RangeBounds<usize>,
        ends: Ends,
    ) -> Result<Range<usize>> {
        let range = check_range(call, range, self.len())?;
        // (A mask, because the compiler would divide: it does not know that it is a power of two.)
        let within = page_size() - 1;
        let whole = |position| {
            let at_an_end = position == 0 || position == self.len();
            (self.start().addr().get() + position) & within == 0 || at_an_end && ends == Ends::Own
        };
        if range.is_empty() || whole(range.start) && whole(range.end) {
            return Ok(range);
        }
        Err(parts_of_pages(call, &range))
    }
}

#[cold]
fn parts_of_pages(call: Call, range: &Range<usize>) -> Error {
    let reason = Reason::Unaligned(page_size());
    Error::new(call, libc::EINVAL, Arguments::range(range), reason)
}
