//! Turning memory into zeros and giving it back: the one advice that throws content away with a
//! defined result.

use core::ops::{Range, RangeBounds};
use core::ptr::NonNull;

use super::ends::Ends;
use super::{Region, ledger};
use crate::advice::unchecked::UncheckedAdvice;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::os;
use crate::page::{Pages, check_range, page_size};
use crate::process;

impl Region {
    /// # Safety
    /// The pages can be written, and nothing refers to them.
    #[inline]
    pub unsafe fn discard(&self, range: &impl RangeBounds<usize>) -> Result<()> {
        let range = check_range(Call::Discard, range, self.len())?;
        let within = page_size() - 1;
        let is_whole = range.start & within == 0
            && (range.end & within == 0 || range.end == self.len())
            && !range.is_empty();
        // Private anonymous memory begins at the start of a page.
        if !is_whole || !self.is_private_anonymous() {
            // SAFETY: as the caller vouches. [caller]
            return unsafe { self.discard_otherwise(&range) };
        }
        // SAFETY: the range lies in the region. [inside]
        let start = unsafe { self.start().add(range.start) };
        // Of the last page, which is the region's own, the rest is discarded as well.
        let len = (range.len() + within) & !within;
        let pages = Pages { start, len };
        if let Some(value) = os::unchecked_advice(UncheckedAdvice::DontNeed) {
            // SAFETY: the pages are the region's own, whole, private and anonymous, and nothing
            // refers to them: they become zero. [owned, caller]
            let gone = unsafe { os::madvise(pages.start, pages.len, value) }.is_ok();
            if gone && is_gone(pages) {
                return Ok(());
            }
        }
        // SAFETY: as the caller vouches. [caller]
        unsafe { fill_with_zeros(pages) };
        Ok(())
    }

    /// The same for parts of pages, for nothing, and for other memory, which is refused, or is huge pages
    /// of the region's own.
    ///
    /// # Safety
    /// As for `discard`.
    #[cold]
    unsafe fn discard_otherwise(&self, range: &Range<usize>) -> Result<()> {
        let range = self.whole_pages(Call::Discard, &(range.start..range.end), Ends::Own)?;
        if !self.is_private_anonymous() {
            // SAFETY: as the caller vouches. [caller]
            return unsafe { self.discard_huge(&range) };
        }
        debug_assert!(range.is_empty());
        Ok(())
    }

    /// The same for memory that is not in ordinary pages of its own: only explicit huge pages are left.
    ///
    /// They stay. The pool keeps them for this mapping anyway; and before Linux 6.9 it does not, once they
    /// were given back, so that using them again could raise SIGBUS.
    ///
    /// # Safety
    /// As for `discard`.
    #[cold]
    unsafe fn discard_huge(&self, range: &Range<usize>) -> Result<()> {
        // SAFETY: the pages are the region's own. [owned]
        if self.len() == 0 || unsafe { !os::is_anonymous_in_huge_pages(self.pages()) } {
            return Err(not_anonymous(range));
        }
        let pages = self.pages_of(range);
        // SAFETY: as the caller vouches; the pages are the region's own. [caller, owned]
        unsafe { pages.start.write_bytes(0, pages.len) };
        Ok(())
    }
}

#[cold]
const fn not_anonymous(range: &Range<usize>) -> Error {
    let arguments = Arguments::range(range);
    Error::new(Call::Discard, libc::EINVAL, arguments, Reason::NotAnonymous)
}

/// Sets the bytes of `pages`, which were not given back, to zero.
///
/// # Safety
/// They are the caller's, private and anonymous, can be written, and nothing refers to them.
#[cold]
unsafe fn fill_with_zeros(pages: Pages) {
    let advise = |advice| match os::unchecked_advice(advice) {
        // SAFETY: the pages are whole, private and anonymous, and nothing refers to them: they keep
        // what they hold or turn to zeros. [caller]
        Some(value) => unsafe { os::madvise(pages.start, pages.len, value) }.is_ok(),
        None => false,
    };
    let is_on_fault = ledger::is_on_fault(&pages.addresses());
    if is_on_fault && advise(UncheckedAdvice::DontNeedLocked) && is_gone(pages) {
        // Writing zeros would bring in pages that were never used.
        return;
    }
    // SAFETY: as the caller vouches. [caller]
    unsafe { pages.start.write_bytes(0, pages.len) };
    if os::unchecked_advice(UncheckedAdvice::DontNeed).is_none() {
        // Zeros, whether the kernel keeps the pages or takes them.
        let _hint = advise(UncheckedAdvice::Free);
    }
}

/// Whether the last of `pages`, and so all of them, went when they were discarded.
#[inline]
pub fn is_gone(pages: Pages) -> bool {
    process::follows_advice() || is_away(pages)
}

/// Whether the last of `pages` is not in memory: an emulator may keep everything, and report success.
#[cold]
fn is_away(pages: Pages) -> bool {
    // In an emulator whose pages consist of several of the kernel's, the call may write a byte for
    // each of those.
    let mut resident = [1; 256];
    let last = pages.start.as_ptr().wrapping_add(pages.len - page_size());
    let Some(last) = NonNull::new(last) else {
        return false;
    };
    // SAFETY: whatever is there, it is only asked about, and there is room for what the kernel, or an
    // emulator, writes about one page. [arguments, harmless]
    let asked = unsafe { os::mincore(last, page_size(), &mut resident) };
    asked.is_ok() && resident[0] & 1 == 0
}
