//! Ranges that must not touch a byte beside them.

use core::ops::{Range, RangeBounds};

use super::Region;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::page::{check_range, page_size};

/// Whose the rest of the first and the last page of a region is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The region's own, as nobody else has it or sees what is done.
    Own,
    /// That of who else has the file.
    Others,
}

impl Region {
    /// Whose the rest of the first and the last page is, of the memory itself.
    pub const fn ends(&self) -> Ends {
        if self.is_private_anonymous() {
            Ends::Own
        } else {
            Ends::Others
        }
    }

    /// Checks a range for what must not touch a byte beside it: it has to begin and end at a page,
    /// or with the region where the rest of that page is its own.
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
        let whole = |position| {
            let at_an_end = position == 0 || position == self.len();
            (self.start().addr().get() + position) % page_size() == 0
                || at_an_end && ends == Ends::Own
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
