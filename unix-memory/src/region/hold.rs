//! Pages kept in memory, by locks that nest.
//!
//! The kernel's locks do not nest: one `munlock` undoes any number of `mlock`. So the ledger records
//! what all live locks hold, and a lock that is dropped unlocks only what no other holds.

use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Range, RangeBounds};
use core::ptr::NonNull;

use super::Region;
use super::ledger::{self, Kind, Known, Ledger, Marks};
use super::limit::{limit_on_locks, why_not_split};
use crate::advice::Advice;
use crate::error::{Arguments, Call, Errno, Error, FaultCause, Reason, Result};
use crate::os::{self, call};
use crate::page::{Pages, check_range, page_size, round_down};
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
    pub fn new(region: &'a Region, range: &impl RangeBounds<usize>, kind: Kind) -> Result<Self> {
        let range = check_range(Call::Mlock, range, region.len())?;
        let (pages, arguments) = (region.pages_of(&range), Arguments::range(&range));
        // SAFETY: the pages are of the region, which the result borrows. [owned, borrowed]
        unsafe { Self::of(pages, kind, false, arguments) }
            .map_err(|error| explained(region, pages, error))
    }

    /// Fully locks pages that no region has.
    ///
    /// # Safety
    /// They stay mapped for `'a`.
    pub unsafe fn foreign(pages: Pages, arguments: Arguments) -> Result<Self> {
        // SAFETY: as the caller vouches. [caller]
        unsafe { Self::of(pages, Kind::Full, true, arguments) }
    }

    /// # Safety
    /// The pages stay mapped for `'a`.
    unsafe fn of(pages: Pages, kind: Kind, is_foreign: bool, arguments: Arguments) -> Result<Self> {
        let mut hold = Self {
            pages,
            kind,
            owner: None,
            is_foreign,
            region: PhantomData,
        };
        if pages.len == 0 {
            return Ok(hold);
        }
        // Noted: from now on no other lock that is dropped unlocks these pages.
        hold.owner = ledger::with(|ledger| {
            ledger.held.add(&hold.range(), kind)?;
            Ok(ledger.owner())
        })
        .and_then(|owner| owner)
        .map_err(|errno| unnoted(errno, arguments))?;
        if let Err(errno) = hold.lock() {
            // A failure may have locked some of them; this undoes that.
            drop(hold);
            return Err(refusal(errno, arguments, pages));
        }
        Ok(hold)
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

    /// Locks the pages, which are noted as held.
    fn lock(&self) -> core::result::Result<(), Errno> {
        match self.kind {
            // SAFETY: the pages stay mapped as long as `self` lives. [borrowed, harmless]
            Kind::Full => unsafe { call::mlock(self.pages.start, self.pages.len) },
            // Under the lock of the ledger, so that no full lock comes in between; and not where
            // there is one, which this would weaken. It brings in no pages, and so is quick.
            Kind::OnFault => ledger::with(|ledger| {
                self.for_runs(ledger, |_, run, kind| match kind {
                    Some(Kind::OnFault) => self.lock_on_fault(run),
                    _ => Ok(()),
                })
            })
            .and_then(|done| done),
        }
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

    fn lock_on_fault(&self, run: &Range<usize>) -> core::result::Result<(), Errno> {
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
                    let _or_fully = self.lock_on_fault(run);
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
            let range = self.range();
            if ledger.held.remove(&range, self.kind) && !ledger.process.any() {
                self.unlock(ledger, &range);
            } else {
                self.release(ledger);
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

/// The error of locking `pages` of `region`, with the page that is gone if that is why: one of a file
/// that has become shorter, for example.
#[cold]
fn explained(region: &Region, pages: Pages, error: Error) -> Error {
    let may_be = error.reason() == Reason::Kernel && !region.is_private_anonymous();
    if !may_be || ![libc::ENOMEM, libc::EAGAIN].contains(&error.errno()) {
        return error;
    }
    let Some(gone) = first_gone(pages) else {
        return error;
    };
    let at = gone.saturating_sub(region.start().addr().get());
    error.because(Reason::Fault {
        done: 0,
        at,
        cause: FaultCause::Unknown,
    })
}

/// The address of the first of `pages` that cannot be brought in, where a call of the kernel says so:
/// whether they can be read, so that they could be touched, is not known here.
fn first_gone(mut pages: Pages) -> Option<usize> {
    let is_gone = |pages| os::populate(pages) == Err(libc::EFAULT);
    if !is_gone(pages) {
        return None;
    }
    while pages.len > page_size() {
        let half = round_down(pages.len / 2).max(page_size());
        let first = Pages { len: half, ..pages };
        pages = if is_gone(first) {
            first
        } else {
            Pages {
                // SAFETY: the half is within the pages. [inside]
                start: unsafe { pages.start.add(half) },
                len: pages.len - half,
            }
        };
    }
    Some(pages.start.addr().get())
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

/// The error where there was no room to note that pages are held.
#[cold]
const fn unnoted(errno: Errno, arguments: Arguments) -> Error {
    Error::kernel(Call::Mlock, errno, arguments)
}

/// Why `pages`, those of `arguments`, could not be locked. Nobody holds them for that any more.
#[cold]
fn refusal(errno: Errno, arguments: Arguments, pages: Pages) -> Error {
    let asked = pages.len as u64;
    let held = ledger::with(|ledger| {
        let all = ledger.held.held_bytes(&(0..usize::MAX)) as u64;
        (all, ledger.held.held_bytes(&pages.addresses()) as u64)
    });
    let (ours, again) = held.unwrap_or((0, 0));
    let reason = match limit_on_locks(errno, asked, asked - again, ours) {
        Reason::Kernel => why_not_split(errno),
        reason => reason,
    };
    Error::new(Call::Mlock, errno, arguments, reason)
}
