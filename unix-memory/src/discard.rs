//! Memory made zeros again and given back: the one advice that throws away with a defined result.

use core::ops::{Range, RangeBounds};

use crate::call;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::ledger;
use crate::mapping::Mapping;
use crate::os;
use crate::page::{check_range, page_size};
use crate::protection::Writable;
use crate::region::{Pages, Region};
use crate::unchecked_advice::UncheckedAdvice;

impl<A: Writable> Mapping<A> {
    /// Turns the bytes of `range` to zeros, and gives the memory behind them back to the system.
    ///
    /// The zeros are certain; the memory goes as far as the system can: pages that are fully locked, and
    /// parts of huge pages, are filled with zeros and stay. Pages that are locked on fault go (since
    /// Linux 5.18), and come back, locked, when they are used again. `range` is in bytes from the start of the
    /// mapping and is never rounded: it must begin and end at a page, or end with the mapping.
    ///
    /// Source: madvise(2).
    ///
    /// # Errors
    /// `EINVAL`, and nothing is changed: for a range that does not lie in the mapping, that is not
    /// whole pages ([`Reason::Unaligned`]), and for memory that is not private and anonymous
    /// ([`Reason::NotAnonymous`]): what is behind a file is not zeros.
    ///
    /// # Platform
    /// `MADV_DONTNEED` on Linux: the memory is given back at once. Elsewhere zeros are written, then
    /// `MADV_FREE` lets the system take the pages when it needs some, where there is such a thing.
    ///
    /// ```
    /// use unix_memory::{Mapping, page_size};
    ///
    /// let mut mapping = Mapping::anonymous(4 * page_size())?;
    /// mapping.fill(7);
    /// mapping.discard(page_size()..)?;
    /// assert!(mapping[..page_size()].iter().all(|&byte| byte == 7));
    /// assert!(mapping[page_size()..].iter().all(|&byte| byte == 0));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "madvise")]
    #[doc(alias = "MADV_DONTNEED")]
    #[doc(alias = "MADV_FREE")]
    pub fn discard(&mut self, range: impl RangeBounds<usize>) -> Result<()> {
        // SAFETY: `A` says that the pages can be written, and nobody else refers to them: `self` is
        // borrowed exclusively.
        unsafe { self.region().discard(&range) }
    }
}

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

    /// Checks a range for what must not touch a byte beside it: it has to begin and end at a page, or
    /// with the region where the rest of that page is its own.
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in the region, and for parts of pages.
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
        let arguments = Arguments::range(&range);
        let reason = Reason::Unaligned(page_size());
        Err(Error::new(call, libc::EINVAL, arguments, reason))
    }

    /// # Safety
    /// The pages can be written, and nothing refers to them.
    unsafe fn discard(&self, range: &impl RangeBounds<usize>) -> Result<()> {
        let range = self.whole_pages(Call::Madvise, range, self.ends())?;
        if !self.is_private_anonymous() {
            return Err(Error::new(
                Call::Madvise,
                libc::EINVAL,
                Arguments::range(&range),
                Reason::NotAnonymous,
            ));
        }
        let pages = self.pages_of(&range);
        if pages.len == 0 {
            return Ok(());
        }
        let advise = |advice| match os::unchecked_advice(advice) {
            // SAFETY: the pages are the region's own, whole, private and anonymous, and nothing
            // refers to them: they keep what they hold or turn to zeros.
            Some(value) => unsafe { call::madvise(pages.start, pages.len, value) }.is_ok(),
            None => false,
        };
        if advise(UncheckedAdvice::DontNeed) {
            if is_gone(pages) {
                return Ok(());
            }
        } else if ledger::is_on_fault(&pages.addresses()) && advise(UncheckedAdvice::DontNeedLocked)
        {
            // To write zeros would bring in what was never used.
            return Ok(());
        }
        // SAFETY: as the caller vouches.
        unsafe { pages.start.write_bytes(0, pages.len) };
        if os::unchecked_advice(UncheckedAdvice::DontNeed).is_none() {
            // Zeros, whether the kernel keeps the pages or takes them.
            let _hint = advise(UncheckedAdvice::Free);
        }
        Ok(())
    }
}

/// Whether the last of `pages`, and with it all, went when they were discarded.
///
/// Of a range that ends inside a huge page the kernel keeps that one, and says nothing; an emulator
/// may keep everything.
fn is_gone(pages: Pages) -> bool {
    // An emulator that makes a page of several of the kernel's may have a byte for each written.
    let mut resident = [1; 256];
    let last = pages.start.as_ptr().wrapping_add(pages.len - page_size());
    let Some(last) = core::ptr::NonNull::new(last) else {
        return false;
    };
    // SAFETY: it is the last of the caller's pages.
    let asked = unsafe { call::mincore(last, page_size(), &mut resident) };
    asked.is_ok() && resident[0] & 1 == 0
}
