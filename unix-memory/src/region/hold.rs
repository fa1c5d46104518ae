//! Pages kept in memory, by locks that nest.
//!
//! The kernel's locks do not nest: one `munlock` undoes any number of `mlock`. So the ledger records
//! what all live locks hold, and a lock that is dropped unlocks only what no other holds.

mod refused;

use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Range, RangeBounds};
use core::ptr::NonNull;

use self::refused::{Refused, explained, unnoted};
use super::Region;
use super::ledger::{self, Kind, Known, Ledger, Marks};
use crate::advice::Advice;
use crate::error::{Arguments, Call, Errno, Error, Result};
use crate::os::{self, call};
use crate::page::{Pages, check_range};
use crate::process::Process;

/// A lock on pages, either of a region that it borrows, or that stay mapped otherwise.
#[derive(Debug)]
pub struct Hold<'a> {
    pub pages: Pages,
    pub kind: Kind,
    /// Whose lock it is; nobody's if there are no pages.
    owner: Option<Process>,
    /// Whether the pages may be given to somebody else, without this crate, once this is dropped.
    is_foreign: bool,
    region: PhantomData<&'a Region>,
}

impl<'a> Hold<'a> {
    /// Locks the pages of `region` that hold a byte of `range`.
    #[inline]
    pub fn new(region: &'a Region, range: &impl RangeBounds<usize>, kind: Kind) -> Result<Self> {
        let range = check_range(Call::Mlock, range, region.len())?;
        let pages = region.pages_of(&range);
        // SAFETY: the pages are of the region, which the result borrows. [owned, borrowed]
        match unsafe { Self::of(pages, kind, false) } {
            Ok(hold) => Ok(hold),
            Err(refused) => Err(explained(region, pages, refused, Arguments::range(&range))),
        }
    }

    /// Fully locks pages that no region has.
    ///
    /// # Safety
    /// They stay mapped for `'a`.
    pub unsafe fn foreign(pages: Pages, arguments: Arguments) -> Result<Self> {
        // SAFETY: as the caller vouches. [caller]
        unsafe { Self::of(pages, Kind::Full, true) }
            .map_err(|refused| refused.error(pages, arguments))
    }

    /// # Safety
    /// The pages stay mapped for `'a`.
    #[inline]
    unsafe fn of(
        pages: Pages,
        kind: Kind,
        is_foreign: bool,
    ) -> core::result::Result<Self, Refused> {
        let owner = if pages.len == 0 {
            None
        } else {
            // SAFETY: as the caller vouches. [caller]
            Some(unsafe { take(pages, kind, is_foreign) }?)
        };
        Ok(Self {
            pages,
            kind,
            owner,
            is_foreign,
            region: PhantomData,
        })
    }

    /// The lock on all pages of `region`, which `owner` has locked and noted as fully held.
    pub fn again(region: &'a Region, owner: Option<Process>) -> Self {
        Self {
            pages: region.pages(),
            kind: Kind::Full,
            owner,
            is_foreign: false,
            region: PhantomData,
        }
    }

    /// Keeps the pages forever, or until [`again`](Self::again) makes a lock for this owner.
    pub fn keep(self) -> Option<Process> {
        ManuallyDrop::new(self).owner
    }

    fn range(&self) -> Range<usize> {
        self.pages.addresses()
    }

    /// Locks the pages on fault, which are noted as held.
    #[cold]
    fn lock_on_fault(&self) -> core::result::Result<(), Errno> {
        // Under the lock of the ledger, so that no full lock comes in between; and not where there is
        // one, which this would weaken. It brings in no pages, and so is quick.
        ledger::with(|ledger| {
            self.for_runs(ledger, |_, run, kind| match kind {
                Some(Kind::OnFault) => self.lock_run_on_fault(run),
                _ => Ok(()),
            })
        })
        .and_then(|done| done)
    }

    /// Calls `f` with each part of the pages that is held in the same way.
    fn for_runs(
        &self,
        ledger: &mut Ledger,
        f: impl Fn(&mut Ledger, &Range<usize>, Option<Kind>) -> core::result::Result<(), Errno>,
    ) -> core::result::Result<(), Errno> {
        let Range { mut start, end } = self.range();
        while start < end {
            let (next, kind) = ledger.held.run(start, end);
            f(ledger, &(start..next), kind)?;
            start = next;
        }
        Ok(())
    }

    fn lock_run_on_fault(&self, run: &Range<usize>) -> core::result::Result<(), Errno> {
        // SAFETY: the run lies in pages that stay mapped as long as `self` lives.
        // [borrowed, harmless]
        self.at(run.start).map_or(Ok(()), |start| unsafe {
            os::mlock_on_fault(start, run.len())
        })
    }

    /// The pointer to `address`, which lies in the pages.
    fn at(&self, address: usize) -> Option<NonNull<u8>> {
        NonNull::new(self.pages.start.as_ptr().with_addr(address))
    }

    /// Unlocks `range`, which nobody holds.
    fn unlock(&self, ledger: &mut Ledger, range: &Range<usize>) {
        if !self.is_foreign {
            ledger.unlock(range);
        } else if let Some(start) = self.at(range.start) {
            // If the kernel refuses, this is not tried again: by then the pages may be gone.
            // SAFETY: the pages stay mapped as long as `self` lives. [borrowed, harmless]
            let _or_still_locked = unsafe { call::munlock(start, range.len()) };
        }
    }

    /// Counts the lock out, beside others, and unlocks what it alone held.
    #[inline(never)]
    fn release_beside(&self, ledger: &mut Ledger) {
        let range = self.range();
        if ledger.held.remove(&range, self.kind) && !ledger.process.any() {
            self.unlock(ledger, &range);
        } else {
            self.release(ledger);
        }
    }

    /// Unlocks what no other guard holds, and weakens the lock on what others hold only on fault.
    fn release(&self, ledger: &mut Ledger) {
        if ledger.process.any() {
            return;
        }
        let release = |ledger: &mut Ledger, run: &Range<usize>, kind| {
            match kind {
                None => self.unlock(ledger, run),
                Some(Kind::OnFault) if self.kind == Kind::Full => {
                    // If this fails, they stay locked as they are, which is more than others ask for.
                    let _or_fully = self.lock_run_on_fault(run);
                }
                Some(_) => {}
            }
            Ok(())
        };
        let _always = self.for_runs(ledger, release);
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let Some(owner) = self.owner.filter(|owner| owner.is_current()) else {
            return;
        };
        // Unlocked before the ledger is free again: otherwise a new guard over the same pages could
        // lock them in between, and lose its lock.
        ledger::with_that_of(owner, |ledger| {
            if !ledger.held.remove_only(&self.range(), self.kind) {
                self.release_beside(ledger);
            } else if !ledger.process.any() {
                // SAFETY: the pages stay mapped as long as `self` lives. [borrowed, harmless]
                let unlocked = unsafe { call::munlock(self.pages.start, self.pages.len) }.is_ok();
                if !self.is_foreign {
                    ledger.note_unlocked(&self.range(), unlocked);
                }
            }
        });
    }
}

impl Region {
    /// Hides and locks the region permanently, as `known` says, and returns it. If that fails, the
    /// region is dropped, and so unmapped.
    pub fn keep_as(self, known: Known) -> Result<Self> {
        if self.len() == 0 {
            return Ok(Self::empty(self.is_private_anonymous(), known));
        }
        self.keep(known)?;
        Ok(self)
    }

    /// Hides and locks the region, if it has pages, as [`keep_as`](Self::keep_as).
    pub fn keep(&self, known: Known) -> Result<()> {
        if self.len() == 0 {
            return Ok(());
        }
        if known.marks.contains(Marks::HIDDEN) {
            if os::MAP_CONCEAL == 0 {
                self.advise(&.., Advice::DontDump)?;
            } else {
                // It was mapped with this length.
                let arguments = Arguments::Length(self.len());
                ledger::mark(&self.pages().addresses(), Marks::HIDDEN, true)
                    .map_err(|errno| Error::kernel(Call::Mmap, errno, arguments))?;
            }
        }
        if let Some(kind) = known.kind {
            Hold::new(self, &.., kind)?.keep();
        }
        if known.marks.contains(Marks::KEPT) {
            self.lock(&..)?;
        }
        Ok(())
    }

    /// Fully locks the pages that hold a byte of `range` until [`unlock`](Self::unlock).
    pub fn lock(&self, range: &impl RangeBounds<usize>) -> Result<()> {
        let hold = Hold::new(self, range, Kind::Full)?;
        if hold.pages.len == 0 {
            return Ok(());
        }
        // Once this is noted, dropping `hold` unlocks nothing.
        ledger::mark(&hold.range(), Marks::KEPT, true).map_err(|errno| {
            let range = check_range(Call::Mlock, range, self.len()).unwrap_or_default();
            unnoted(errno, Arguments::range(&range))
        })
    }

    /// Undoes [`lock`](Self::lock), except for what others hold.
    pub fn unlock(&self, range: &impl RangeBounds<usize>) -> Result<()> {
        let range = check_range(Call::Munlock, range, self.len())?;
        let pages = self.pages_of(&range);
        if pages.len == 0 {
            return Ok(());
        }
        // As a full guard that goes, for all that others hold.
        let hold = Hold {
            pages,
            kind: Kind::Full,
            owner: None,
            is_foreign: false,
            region: PhantomData::<&Self>,
        };
        let unlocked = ledger::with(|ledger| {
            ledger.held.mark(&hold.range(), Marks::KEPT, false)?;
            hold.release(ledger);
            Ok(())
        });
        unlocked
            .and_then(|done| done)
            .map_err(|errno| Error::kernel(Call::Munlock, errno, Arguments::range(&range)))
    }
}

/// Notes that a lock holds `pages`, which are some, and locks them; returns whose lock it is.
///
/// # Safety
/// They stay mapped as long as the lock lives.
unsafe fn take(
    pages: Pages,
    kind: Kind,
    is_foreign: bool,
) -> core::result::Result<Process, Refused> {
    let range = pages.addresses();
    // Noted: from now on no other lock that is dropped unlocks these pages.
    let noted = Process::current().and_then(|owner| {
        ledger::with_that_of(owner, |ledger| ledger.held.add(&range, kind)).map(|()| owner)
    });
    let owner = noted.map_err(Refused::Unnoted)?;
    if kind == Kind::OnFault {
        return take_on_fault(pages, owner, is_foreign);
    }
    // SAFETY: as the caller vouches. [caller, harmless]
    match unsafe { call::mlock(pages.start, pages.len) } {
        Ok(()) => Ok(owner),
        Err(errno) => Err(give_up(pages, kind, owner, is_foreign, errno)),
    }
}

/// Like [`take`], once the lock on fault is noted.
#[cold]
#[inline(never)]
fn take_on_fault(
    pages: Pages,
    owner: Process,
    is_foreign: bool,
) -> core::result::Result<Process, Refused> {
    let kind = Kind::OnFault;
    let hold = ManuallyDrop::new(noted(pages, kind, owner, is_foreign));
    match hold.lock_on_fault() {
        Ok(()) => Ok(owner),
        Err(errno) => Err(give_up(pages, kind, owner, is_foreign, errno)),
    }
}

/// Undoes a lock that is noted, of which the kernel may have locked some pages before it refused.
#[cold]
#[inline(never)]
fn give_up(pages: Pages, kind: Kind, owner: Process, is_foreign: bool, errno: Errno) -> Refused {
    drop(noted(pages, kind, owner, is_foreign));
    Refused::Kernel(errno)
}

/// The lock of `pages` that is noted.
const fn noted(pages: Pages, kind: Kind, owner: Process, is_foreign: bool) -> Hold<'static> {
    Hold {
        pages,
        kind,
        owner: Some(owner),
        is_foreign,
        region: PhantomData,
    }
}

/// Unlocks those of `pages` that no lock of this crate holds.
///
/// # Errors
/// Those of `munlock`, and of [`ledger::with`].
///
/// # Safety
/// Nobody else relies on their being locked.
pub unsafe fn unlock_others(pages: Pages) -> core::result::Result<(), Errno> {
    if pages.len == 0 {
        return Ok(());
    }
    // Under the lock of the ledger, so that no guard locks them in between.
    ledger::with(|ledger| {
        if ledger.process.any() {
            return Ok(());
        }
        let Range { mut start, end } = pages.addresses();
        while start < end {
            let (next, kind) = ledger.held.run(start, end);
            if let (None, Some(first)) = (kind, ledger::pointer(start)) {
                // SAFETY: no content changes, nor what others rely on, as the caller vouches.
                // [caller, harmless]
                unsafe { call::munlock(first, next - start) }?;
            }
            start = next;
        }
        Ok(())
    })?
}
