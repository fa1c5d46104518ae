//! Giving advice.

use core::ffi::c_int;
use core::ops::{Range, RangeBounds};

use super::ends::Ends;
use super::huge::why_not_collapsed;
use super::ledger::{self, Marks};
use super::limit::why_not_split;
use super::{Region, spare};
use crate::advice::Advice;
use crate::advice::unchecked::UncheckedAdvice;
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os;
use crate::page::{Pages, check_range};

impl Advice {
    /// Whether the running kernel knows this advice. It may still refuse it for some kinds of
    /// memory.
    ///
    /// # Platform
    /// On Linux and Apple's systems, this asks the kernel, by advising on an empty range. An emulator
    /// may claim to know anything. Elsewhere the answer depends only on the platform.
    ///
    /// ```
    /// assert!(unix_memory::Advice::WillNeed.is_supported());
    /// ```
    #[must_use]
    pub fn is_supported(self) -> bool {
        os::advice(self).is_some_and(os::knows_advice)
    }

    /// The platform's value.
    ///
    /// # Errors
    /// `EINVAL` and [`Reason::Unsupported`], where it has none.
    pub(crate) fn value(self, arguments: Arguments) -> Result<c_int> {
        let unsupported =
            || Error::new(Call::Madvise, libc::EINVAL, arguments, Reason::Unsupported);
        os::advice(self).ok_or_else(unsupported)
    }

    /// Gives the advice, and records what must outlive the mapping's pages.
    ///
    /// # Errors
    /// Those of [`give`](Self::give); `ENOMEM` if there is no room for the record.
    ///
    /// # Safety
    /// The same as for [`give`](Self::give).
    #[inline]
    pub(crate) unsafe fn give_noted(self, pages: Pages, arguments: Arguments) -> Result<()> {
        match self {
            // SAFETY: as the caller vouches. [caller]
            Self::DontDump | Self::DoDump => unsafe { hide(self, pages, arguments) },
            // SAFETY: as above. [caller]
            _ => unsafe { self.give(pages, arguments) },
        }
    }

    /// Gives the advice on whole pages.
    ///
    /// # Safety
    /// They are mapped, and the caller's.
    unsafe fn give(self, pages: Pages, arguments: Arguments) -> Result<()> {
        let value = self.value(arguments)?;
        if pages.len == 0 {
            return Ok(());
        }
        // SAFETY: the pages are the caller's, and no `Advice` changes content. [caller, harmless]
        unsafe { os::madvise(pages.start, pages.len, value) }
            .map_err(|errno| self.refusal(errno, pages, arguments))
    }

    /// Why the advice was refused with `errno`.
    #[cold]
    fn refusal(self, errno: Errno, pages: Pages, arguments: Arguments) -> Error {
        let reason = if errno == libc::EINVAL && !self.is_supported() {
            Reason::Unsupported
        } else if self == Self::Collapse {
            why_not_collapsed(errno, pages)
        } else {
            why_not_split(errno)
        };
        Error::new(Call::Madvise, errno, arguments, reason)
    }
}

impl UncheckedAdvice {
    /// Whether the running kernel knows this advice. It may still refuse it for some kinds of
    /// memory, or without a privilege.
    ///
    /// # Platform
    /// On Linux and Apple's systems, this asks the kernel, by advising on an empty range, which
    /// changes nothing. An emulator may claim to know anything. Elsewhere the answer depends only on
    /// the platform.
    ///
    /// ```
    /// use unix_memory::UncheckedAdvice;
    ///
    /// println!("guards at no cost in mappings: {}", UncheckedAdvice::GuardInstall.is_supported());
    /// ```
    #[must_use]
    pub fn is_supported(self) -> bool {
        os::unchecked_advice(self).is_some_and(os::knows_advice)
    }
}

impl Region {
    /// Advises on the pages that hold a byte of `range`.
    #[inline]
    pub fn advise(&self, range: &impl RangeBounds<usize>, advice: Advice) -> Result<()> {
        let range = check_range(Call::Madvise, range, self.len())?;
        let is_noted = matches!(advice, Advice::DontDump | Advice::DoDump);
        let is_whole = range.len() == self.len();
        if !is_noted && !range.is_empty() && (is_whole || spare::is_kept()) {
            if let Some(value) = os::advice(advice) {
                let pages = self.pages_of(&range);
                // SAFETY: the pages are the region's own, and no `Advice` changes content.
                // [owned, harmless]
                return match unsafe { os::madvise(pages.start, pages.len, value) } {
                    Ok(()) => Ok(()),
                    Err(errno) => Err(advice.refusal(errno, pages, Arguments::range(&range))),
                };
            }
        }
        self.advise_with_care(range, advice)
    }

    /// Gives advice that takes more than the call.
    #[cold]
    fn advise_with_care(&self, range: Range<usize>, advice: Advice) -> Result<()> {
        let (pages, arguments) = (self.pages_of(&range), Arguments::range(&range));
        if range.len() != self.len() {
            // The kernel may make several mappings of one.
            spare::keep();
        }
        // SAFETY: the pages are the region's own. [owned]
        unsafe { advice.give_noted(pages, arguments) }
    }

    /// Gives `advice` on `range`, which must be whole pages, unless the rest of a page matters to
    /// nobody else.
    ///
    /// # Safety
    /// The same as for `advise_unchecked` of the guards.
    pub unsafe fn advise_unchecked(
        &self,
        range: &impl RangeBounds<usize>,
        advice: UncheckedAdvice,
    ) -> Result<()> {
        let ends = if advice.stays_in_the_process() {
            Ends::Own
        } else {
            self.ends()
        };
        let range = self.whole_pages(Call::Madvise, range, ends)?;
        let arguments = Arguments::range(&range);
        let refuse = |errno, reason| Error::new(Call::Madvise, errno, arguments, reason);
        let Some(value) = os::unchecked_advice(advice) else {
            return Err(refuse(libc::EINVAL, Reason::Unsupported));
        };
        let pages = self.pages_of(&range);
        if pages.len == 0 {
            return Ok(());
        }
        // SAFETY: the pages are the region's own, and whole; the rest is as the caller vouches.
        // [owned, inside, caller]
        unsafe { os::madvise(pages.start, pages.len, value) }.map_err(|errno| {
            if errno == libc::EINVAL && !advice.is_supported() {
                refuse(errno, Reason::Unsupported)
            } else {
                refuse(errno, why_not_split(errno))
            }
        })
    }
}

/// Leaves `pages` out of core dumps, or no longer does, and records it, so that what they become is
/// left out too.
///
/// # Safety
/// They are mapped, and the caller's.
#[cold]
unsafe fn hide(advice: Advice, pages: Pages, arguments: Arguments) -> Result<()> {
    let (range, hides) = (pages.addresses(), advice == Advice::DontDump);
    // SAFETY: as the caller vouches. [caller]
    let give = || unsafe { advice.give(pages, arguments) };
    if pages.len == 0 {
        return give();
    }
    let note = |yes| {
        ledger::mark(&range, Marks::HIDDEN, yes)
            .map_err(|errno| Error::kernel(Call::Madvise, errno, arguments))
    };
    if hides {
        let some_was = ledger::known(&range).marks.contains(Marks::HIDDEN);
        note(true)?;
        return give().inspect_err(|_| {
            // If some of it was hidden before, the record stays, and covers more than necessary.
            if !some_was {
                let _as_it_was = note(false);
            }
        });
    }
    give()?;
    if !hides {
        // If there is no room to record it for a part, more is left out than necessary.
        let _or_hidden_still = note(false);
    }
    Ok(())
}
