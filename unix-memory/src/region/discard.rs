//! Memory made zeros again and given back: the one advice that throws away with a defined result.

use core::ops::RangeBounds;
use core::ptr::NonNull;

use super::{Region, ledger};
use crate::advice::unchecked::UncheckedAdvice;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::os;
use crate::page::{Pages, page_size};

impl Region {
    /// # Safety
    /// The pages can be written, and nothing refers to them.
    pub unsafe fn discard(&self, range: &impl RangeBounds<usize>) -> Result<()> {
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
            Some(value) => unsafe { os::madvise(pages.start, pages.len, value) }.is_ok(),
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
pub fn is_gone(pages: Pages) -> bool {
    // An emulator that makes a page of several of the kernel's may have a byte for each written.
    let mut resident = [1; 256];
    let last = pages.start.as_ptr().wrapping_add(pages.len - page_size());
    let Some(last) = NonNull::new(last) else {
        return false;
    };
    // SAFETY: it is the last of the caller's pages.
    let asked = unsafe { os::mincore(last, page_size(), &mut resident) };
    asked.is_ok() && resident[0] & 1 == 0
}
