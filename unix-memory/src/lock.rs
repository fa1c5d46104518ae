//! Pages kept in memory, by guards that nest.
//!
//! The kernel's locks do not nest: one `munlock` undoes any number of `mlock`. So what all guards
//! that live hold is kept in the ledger, and a guard that goes unlocks only what no other holds.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Range, RangeBounds};
use core::ptr::NonNull;

use crate::call::{self, Errno};
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::ledger::{self, Kind, Ledger};
use crate::os;
use crate::page::check_range;
use crate::process::Process;
use crate::region::{Pages, Region};

/// Keeps pages of a mapping in memory, and lets them go when dropped.
///
/// Made by `lock()` and `lock_range()` of [`Mapping`](crate::Mapping) and
/// [`SharedMapping`](crate::SharedMapping), which it borrows; on Linux and Android also by
/// `lock_on_fault()` and `lock_range_on_fault()`. Where a mapping must be written while it is locked,
/// see [`Mapping::into_locked`](crate::Mapping::into_locked).
///
/// Guards nest: pages that another guard holds too stay locked. Over pages that both kinds of guard
/// hold, the full lock wins; when it goes, they are locked as the other holds them. A lock that was
/// made otherwise, by `mlock` itself, is not seen, and is undone with the last guard over its pages.
/// While a [`ProcessLock`](crate::ProcessLock) lives, nothing is unlocked.
///
/// Forgotten rather than dropped, it holds the pages until they are unmapped.
///
/// * **fork**: a child inherits no locks. Dropping its copy of a guard does nothing: it does not
///   unlock what a guard of the child's own holds.
/// * **Signals**: neither locking nor dropping a guard is async-signal-safe.
/// * **Limit of mappings**: a kernel that has reached it may be unable to unlock a part of what it had
///   merged. This is tried again when this crate unmaps or unlocks something; until then those pages
///   stay locked.
///
/// ```
/// let table = unix_memory::Mapping::anonymous(1 << 16)?;
/// let locked = table.lock()?; // in memory, and not written to swap, while `locked` lives
/// assert_eq!(locked.len(), table.len());
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "mlock")]
#[doc(alias = "munlock")]
#[must_use = "the pages are unlocked when it is dropped"]
pub struct LockGuard<'a> {
    pages: Pages,
    kind: Kind,
    /// Whose lock it is; nobody's where there are no pages.
    owner: Option<Process>,
    mapping: PhantomData<&'a [u8]>,
}

impl<'a> LockGuard<'a> {
    /// Locks the pages of `region` that hold a byte of `range`.
    pub(crate) fn new(
        region: &'a Region,
        range: &impl RangeBounds<usize>,
        kind: Kind,
    ) -> Result<Self> {
        let range = check_range(Call::Mlock, range, region.len())?;
        let pages = region.pages_of(&range);
        let mut guard = Self {
            pages,
            kind,
            owner: None,
            mapping: PhantomData,
        };
        if pages.len == 0 {
            return Ok(guard);
        }
        // Noted: from now on no other guard that goes unlocks these pages.
        guard.owner = ledger::with(|ledger| {
            ledger.held.add(&guard.range(), kind)?;
            Ok(ledger.owner())
        })
        .and_then(|owner| owner)
        .map_err(|errno| unnoted(errno, &range))?;
        if let Err(errno) = guard.lock() {
            // A failure may have locked some of them; this undoes that.
            drop(guard);
            return Err(refusal(errno, &range, pages));
        }
        Ok(guard)
    }

    /// The guard over all pages of `region`, which `owner` has locked and noted as fully held.
    pub(crate) fn again(region: &'a Region, owner: Option<Process>) -> Self {
        Self {
            pages: region.pages(),
            kind: Kind::Full,
            owner,
            mapping: PhantomData,
        }
    }

    /// Keeps the pages for good, or until `again` makes a guard for this owner.
    pub(crate) fn keep(self) -> Option<Process> {
        core::mem::ManuallyDrop::new(self).owner
    }

    fn range(&self) -> Range<usize> {
        self.pages.addresses()
    }

    /// Locks the pages, which are noted as held.
    fn lock(&self) -> core::result::Result<(), Errno> {
        match self.kind {
            // SAFETY: the pages are those of a mapping that `self` borrows.
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
        // SAFETY: the run lies in the pages of a mapping that `self` borrows.
        self.at(run.start).map_or(Ok(()), |start| unsafe {
            os::mlock_on_fault(start, run.len())
        })
    }

    /// The pointer to `address`, which lies in the pages.
    fn at(&self, address: usize) -> Option<NonNull<u8>> {
        NonNull::new(self.pages.start.as_ptr().with_addr(address))
    }

    /// How many bytes it holds: those of whole pages.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.pages.len
    }

    /// Whether it holds nothing: the range was empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pages.len == 0
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

/// The reason for `errno`: no such call, or the limit, if `more` bytes to lock are more than it leaves. `ours` is what
/// guards hold.
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

impl Drop for LockGuard<'_> {
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

impl fmt::Debug for LockGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("address", &self.pages.start)
            .field("len", &self.pages.len)
            .field("kind", &self.kind)
            .finish()
    }
}

// SAFETY: it holds no access to the bytes, and its system calls may be made from any thread.
unsafe impl Send for LockGuard<'_> {}
// SAFETY: as above; shared, it does nothing.
unsafe impl Sync for LockGuard<'_> {}
