//! Reserved addresses, between pages that nothing can access: the layer below the record of what is
//! committed.

use core::mem::ManuallyDrop;
use core::ops::Range;
use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::advice::unchecked::UncheckedAdvice;
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os::{self, call};
use crate::page::{Pages, max_len, page_size, round_up};
use crate::protection::Protection;
use crate::region::discard::is_gone;
use crate::region::map::Request;
use crate::region::place::Place;
use crate::region::{Region, guard_page};

/// The protection of committed pages.
const OPEN: Protection = Protection::READ.union(Protection::WRITE);

/// The protection of all other pages.
const CLOSED: Protection = Protection::empty();

/// `len` bytes of addresses in whole pages, with guards before and after them, which can never be
/// accessed.
///
/// A guard is a page that stays closed. Where the kernel has guards that are not mappings of their
/// own, it is instead opened and closed with the page beside it, in one mapping with that page.
///
/// FreeBSD's `MAP_GUARD` is not used: its pages can never be opened by `mprotect`, and closed pages
/// of anonymous memory cost no more there.
pub struct Area {
    /// Includes the guards.
    region: Region,
    /// The bytes of the first guard; the second has a page.
    before: usize,
    /// The bytes between the guards.
    len: usize,
    /// The first guard, and the second.
    guards: [Guard; 2],
}

/// What a guard is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// A closed page; whether it can be joined was not tried.
    Untried,
    /// A page that stays closed: it cannot be joined, and the kernel is not asked again.
    Apart,
    /// A guard that is not a mapping of its own: it is opened and closed with the page beside it.
    Joined,
}

impl Area {
    /// Reserves `len` bytes, rounded up to whole pages, whose first address is a multiple of
    /// `alignment`. Zero bytes have neither guards nor an address.
    ///
    /// # Errors
    /// `EINVAL` for an alignment that is not a power of two; `ENOMEM` for more than there is;
    /// `ENOSYS` if protections are not enforced.
    pub fn new(len: usize, alignment: usize) -> Result<Self> {
        let arguments = Arguments::Length(len);
        let refuse = |errno, reason| Err(Error::new(Call::Mmap, errno, arguments, reason));
        if !alignment.is_power_of_two() {
            return refuse(libc::EINVAL, Reason::PowerOfTwo);
        }
        let area = |region, before, len| Self {
            region,
            before,
            len,
            guards: [Guard::Untried; 2],
        };
        if len == 0 {
            return Ok(area(Region::none(), 0, 0));
        }
        // As long as the alignment, so that what follows it is aligned as it is.
        let before = alignment.max(page_size());
        let room = max_len() - page_size();
        let most = room.saturating_sub(before);
        if len > most {
            // Whichever of the two would not fit alone.
            let reason = if len <= room - page_size() {
                Reason::alignment_limit(alignment, room - round_up(len))
            } else {
                Reason::LengthLimit(room - page_size())
            };
            return refuse(libc::ENOMEM, reason);
        }
        let len = round_up(len);
        let request = Request {
            place: Place::Anywhere,
            alignment,
            lead: 0,
            len: before + len + page_size(),
            page_size: page_size(),
            protection: CLOSED,
            flags: sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | os::MAP_NORESERVE,
            fd: -1,
            offset: 0,
        };
        Ok(area(Region::map(&request, arguments)?, before, len))
    }

    /// The first address between the guards; if there are no bytes, a non-null address that is not
    /// used.
    #[inline]
    pub const fn start(&self) -> NonNull<u8> {
        // SAFETY: the first guard is within the region. [inside]
        unsafe { self.region.start().add(self.before) }
    }

    /// The number of bytes between the guards.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// The region including the guards, for calls that do not change protections.
    pub const fn region(&self) -> &Region {
        &self.region
    }

    /// The offset in the region of `range`, which lies between the guards.
    pub const fn in_region(&self, range: &Range<usize>) -> Range<usize> {
        self.before + range.start..self.before + range.end
    }

    /// Unmaps, or returns the area if the kernel refuses.
    pub fn unmap(self) -> Result<(), (Error, Self)> {
        self.region
            .unmap()
            .map_err(|(error, region)| (error, Self { region, ..self }))
    }

    /// Makes the pages of `range`, which is whole pages, readable and writable, or none of them.
    ///
    /// # Errors
    /// Those of [`Region::protect`].
    ///
    /// # Safety
    /// They are closed.
    #[inline]
    pub unsafe fn open(&mut self, range: &Range<usize>) -> Result<()> {
        let is_first = self.guards == [Guard::Untried; 2];
        if is_first || range.start == 0 || range.end == self.len {
            self.join_guards(range, is_first);
        }
        let pages = self.with_guards(range);
        // SAFETY: nothing refers to pages that are closed. [open]
        unsafe { self.part(&pages).protect(CLOSED, OPEN) }.map_err(|error| refused(error, range))
    }

    /// Makes the pages of `range`, which is whole pages, inaccessible, or none of them; they keep
    /// their content.
    ///
    /// # Errors
    /// Those of [`Region::protect`].
    ///
    /// # Safety
    /// They are open, and nothing refers to them.
    pub unsafe fn close(&self, range: &Range<usize>) -> Result<()> {
        let pages = self.with_guards(range);
        // SAFETY: as the caller vouches. [caller]
        unsafe { self.part(&pages).protect(OPEN, CLOSED) }
            .map_err(|error| error.of(Arguments::range(range)))
    }

    /// Makes the guards beside `range`, which is closed, open and close with it from now on, where
    /// the kernel supports that; and one of the guards in any case, if `is_first`, the first range to
    /// be opened.
    ///
    /// The reason is that the kernel merges two neighbouring mappings only if their pages were first
    /// used in one mapping. Pages that are opened and used here and there, each as a mapping of its
    /// own, would remain separate mappings forever, open or closed; but not if the whole area had a
    /// guard before.
    #[cold]
    fn join_guards(&mut self, range: &Range<usize>, is_first: bool) {
        let page = page_size();
        let end = self.region.len();
        // A guard of many pages would take memory for page tables.
        let at_start = range.start == 0 && self.before == page;
        let at_end = range.end == self.len || is_first && !at_start;
        let sides = [(at_start, 0..page), (at_end, end - page..end)];
        for (guard, (is_beside, place)) in self.guards.iter_mut().zip(sides) {
            if is_beside && *guard == Guard::Untried {
                let pages = self.region.pages_of(&place);
                // SAFETY: the pages are the region's own, closed, and nothing ever refers to them.
                // [owned, open]
                let joined = unsafe { guard_page::install(pages) };
                *guard = if joined { Guard::Joined } else { Guard::Apart };
            }
        }
    }

    /// The offset of `range` in the region, including the guards that are open, or closed, with it.
    #[inline]
    fn with_guards(&self, range: &Range<usize>) -> Range<usize> {
        let mut pages = self.in_region(range);
        if range.start == 0 && self.guards[0] == Guard::Joined {
            pages.start = 0;
        }
        if range.end == self.len && self.guards[1] == Guard::Joined {
            pages.end = self.region.len();
        }
        pages
    }

    /// Returns `pages`, whole pages of the region, as a region of its own, which is never dropped.
    #[inline]
    fn part(&self, pages: &Range<usize>) -> ManuallyDrop<Region> {
        debug_assert!(pages.start <= pages.end && pages.end <= self.region.len());
        debug_assert!(pages.start % page_size() == 0 && pages.end % page_size() == 0);
        // SAFETY: they lie within the region. [inside]
        let start = unsafe { self.region.start().add(pages.start) };
        // SAFETY: they are the area's own, private and anonymous; this does not unmap them. [owned]
        ManuallyDrop::new(unsafe { Region::from_raw(start, pages.len(), true) })
    }

    /// Gives back the memory of `range`, which is whole pages, and returns whether it reads as zeros
    /// once it is opened.
    ///
    /// # Safety
    /// The pages are closed, and what they hold is not used again.
    pub unsafe fn give_back(&self, range: &Range<usize>) -> bool {
        let pages = self.region.pages_of(&self.in_region(range));
        if pages.len == 0 {
            return true;
        }
        // SAFETY: the pages are the area's own, private and anonymous, and their content is given up.
        // [owned, caller]
        let advise = |value| unsafe { os::madvise(pages.start, pages.len, value) };
        if os::GIVE_BACK.iter().any(|&value| advise(value).is_ok()) {
            return is_gone(pages);
        }
        if let Some(free) = os::unchecked_advice(UncheckedAdvice::Free) {
            if advise(free).is_err() {
                // Some kernels free only pages that can be written. If closing them again fails, they
                // stay open, but by the record they are not committed.
                // SAFETY: as the caller vouches. [caller]
                let _only_a_hint = unsafe { reopened(pages, || advise(free)) };
            }
        }
        false
    }
}

/// The error of `open` for `range`.
#[cold]
fn refused(error: Error, range: &Range<usize>) -> Error {
    let error = error.of(Arguments::range(range));
    match (error.errno(), error.reason()) {
        (libc::ENOMEM, Reason::Kernel) => error.because(Reason::CommitLimit),
        _ => error,
    }
}

/// Calls `f` while `pages` are open.
///
/// # Safety
/// They are the caller's, closed, and nothing refers to them.
unsafe fn reopened(pages: Pages, f: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
    // SAFETY: as the caller vouches. [caller]
    unsafe { call::mprotect(pages.start, pages.len, OPEN.bits()) }?;
    let result = f();
    // SAFETY: as above. [caller]
    unsafe { call::mprotect(pages.start, pages.len, CLOSED.bits()) }?;
    result
}
