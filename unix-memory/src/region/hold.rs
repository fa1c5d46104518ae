//! Pages kept in memory, by locks that nest.
//!
//! The kernel's locks do not nest: one `munlock` undoes any number of `mlock`. So what all that
//! live hold is kept in the ledger, and what goes unlocks only what no other holds.

use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Range, RangeBounds};
use core::ptr::NonNull;

use super::Region;
use super::ledger::{self, Kind, Known, Ledger, Marks};
use crate::advice::Advice;
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os::{self, call};
use crate::page::{Pages, check_range};
use crate::process::Process;

/// A lock on pages of a region, which it borrows.
#[derive(Debug)]
pub struct Hold<'a> {
    pub pages: Pages,
    pub kind: Kind,
    /// Whose lock it is; nobody's where there are no pages.
    owner: Option<Process>,
    region: PhantomData<&'a Region>,
}

impl<'a> Hold<'a> {
    /// Locks the pages of `region` that hold a byte of `range`.
    pub fn new(region: &'a Region, range: &impl RangeBounds<usize>, kind: Kind) -> Result<Self> {
        let range = check_range(Call::Mlock, range, region.len())?;
        let pages = region.pages_of(&range);
        let mut hold = Self {
            pages,
            kind,
            owner: None,
            region: PhantomData,
        };
        if pages.len == 0 {
            return Ok(hold);
        }
        // Noted: from now on no other that goes unlocks these pages.
        hold.owner = ledger::with(|ledger| {
            ledger.held.add(&hold.range(), kind)?;
            Ok(ledger.owner())
        })
        .and_then(|owner| owner)
        .map_err(|errno| unnoted(errno, &range))?;
        if let Err(errno) = hold.lock() {
            // A failure may have locked some of them; this undoes that.
            drop(hold);
            return Err(refusal(errno, &range, pages));
        }
        Ok(hold)
    }

    /// That on all pages of `region`, which `owner` has locked and noted as fully held.
    pub fn again(region: &'a Region, owner: Option<Process>) -> Self {
        Self {
            pages: region.pages(),
            kind: Kind::Full,
            owner,
            region: PhantomData,
        }
    }

    /// Keeps the pages for good, or until [`again`](Self::again) makes one for this owner.
    pub fn keep(self) -> Option<Process> {
        ManuallyDrop::new(self).owner
    }

    fn range(&self) -> Range<usize> {
        self.pages.addresses()
    }

    /// Locks the pages, which are noted as held.
    fn lock(&self) -> core::result::Result<(), Errno> {
        match self.kind {
            // SAFETY: the pages are of a region that `self` borrows.
            Kind::Full => unsafe { call::mlock(self.pages.start, self.pages.len) },
            // Under the lock of the ledger, so that no full lock comes in between; and not where
            // there is one, of which less would be left. It brings in no pages, and so takes no time.
            Kind::OnFault => ledger::with(|ledger| {
                self.for_runs(ledger, |_, run, kind| match kind {
                    Some(Kind::OnFault) => self.lock_on_fault(run),
                    _ => Ok(()),
                })
            })
            .and_then(|done| done),
        }
    }

    /// Calls `f` with each part of the pages that is held alike.
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
        // SAFETY: the run lies in the pages of a region that `self` borrows.
        self.at(run.start).map_or(Ok(()), |start| unsafe {
            os::mlock_on_fault(start, run.len())
        })
    }

    /// The pointer to `address`, which lies in the pages.
    fn at(&self, address: usize) -> Option<NonNull<u8>> {
        NonNull::new(self.pages.start.as_ptr().with_addr(address))
    }

    /// Lets go what no other guard holds, or holds less of.
    fn release(&self, ledger: &mut Ledger) {
        if ledger.process.any() {
            return;
        }
        let release = |ledger: &mut Ledger, run: &Range<usize>, kind| {
            match kind {
                None => ledger.unlock(run),
                Some(Kind::OnFault) if self.kind == Kind::Full => {
                    // Where it cannot be, they stay locked as they are: more than is asked for.
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
        // Unlocked before the ledger is free again: else a new guard over the same pages could lock
        // them in between, and lose them.
        ledger::with_that_of(owner, |ledger| {
            let range = self.range();
            if ledger.held.remove(&range, self.kind) && !ledger.process.any() {
                ledger.unlock(&range);
            } else {
                self.release(ledger);
            }
        });
    }
}

impl Region {
    /// Hides and locks the region for good, as `known` says, and returns it. Where that fails, it
    /// is to be dropped, and unmapped.
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
                // It was mapped so.
                let arguments = Arguments::Length(self.len());
                ledger::mark(&self.pages().addresses(), Marks::HIDDEN, true)
                    .map_err(|errno| Error::kernel(Call::Mmap, errno, arguments))?;
            }
        }
        if let Some(kind) = known.kind {
            Hold::new(self, &.., kind)?.keep();
        }
        Ok(())
    }
}

/// There was no room to note that `range` is held.
#[cold]
const fn unnoted(errno: Errno, range: &Range<usize>) -> Error {
    Error::kernel(Call::Mlock, errno, Arguments::range(range))
}

/// Why `pages`, those of `range`, could not be locked. Nobody holds them for that any more.
#[cold]
fn refusal(errno: Errno, range: &Range<usize>, pages: Pages) -> Error {
    let asked = pages.len as u64;
    let held = ledger::with(|ledger| {
        let all = ledger.held.held_bytes(&(0..usize::MAX)) as u64;
        (all, ledger.held.held_bytes(&pages.addresses()) as u64)
    });
    let (ours, again) = held.unwrap_or((0, 0));
    let reason = limit_reached(errno, asked, asked - again, ours);
    Error::new(Call::Mlock, errno, Arguments::range(range), reason)
}

/// The reason for `errno`: no such call, or the limit, if `more` bytes to lock are more than it
/// leaves. `ours` is what guards hold.
pub fn limit_reached(errno: Errno, asked: u64, more: u64, ours: u64) -> Reason {
    match errno {
        libc::ENOMEM | libc::EPERM | libc::EAGAIN => {}
        libc::ENOSYS => return Reason::Unsupported,
        _ => return Reason::Kernel,
    }
    let locked = os::locked_bytes().unwrap_or(ours);
    match os::lock_limit() {
        Some(limit) if locked.saturating_add(more) > limit => Reason::LockLimit {
            asked,
            limit,
            locked,
        },
        _ => Reason::Kernel,
    }
}
