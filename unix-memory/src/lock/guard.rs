//! Guards that keep pages in memory, and nest.
//!
//! The kernel's locks do not nest: one `munlock` undoes any number of `mlock`. So this crate records
//! what all live guards hold, and a guard that is dropped unlocks only what no other holds.

use core::fmt;
use core::ops::RangeBounds;

use crate::error::{Arguments, Result};
use crate::page::Pages;
use crate::region::Region;
use crate::region::hold::Hold;
use crate::region::ledger::Kind;

/// Keeps pages of a mapping in memory, and unlocks them when dropped.
///
/// Made by `lock()` and `lock_range()` of [`Mapping`](crate::Mapping) and
/// [`SharedMapping`](crate::SharedMapping), which it borrows; on Linux and Android also by
/// `lock_on_fault()` and `lock_range_on_fault()`; over other memory by
/// [`ForeignPages::lock`](crate::foreign::ForeignPages::lock). Where a mapping must be written
/// while it is locked, see [`Mapping::into_locked`](crate::Mapping::into_locked); where a struct owns the
/// mapping and locks it at some time, [`Mapping::mlock`](crate::Mapping::mlock).
///
/// Guards nest: pages that another guard also holds stay locked. If a full lock and a lock on fault
/// hold the same pages, the full lock wins; once it is dropped, the pages are locked on fault. The
/// crate does not see a lock made by calling `mlock` directly; the last guard over its pages undoes
/// it. While a [`ProcessLock`](crate::ProcessLock) lives, nothing is unlocked.
///
/// If the guard is forgotten rather than dropped, it holds the pages until they are unmapped.
///
/// * **fork**: a child inherits no locks. Dropping the child's copy of a guard does nothing; it does
///   not unlock what the child's own guards hold.
/// * **Signals**: neither locking nor dropping a guard is async-signal-safe.
/// * **Limit of mappings**: a kernel that has reached its limit may be unable to unlock a part of a
///   mapping that it had merged. The crate tries again when it unmaps or unlocks something; until
///   then, those pages stay locked.
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
    hold: Hold<'a>,
}

impl<'a> LockGuard<'a> {
    /// Locks the pages of `region` that hold a byte of `range`.
    #[inline]
    pub(crate) fn new(
        region: &'a Region,
        range: &impl RangeBounds<usize>,
        kind: Kind,
    ) -> Result<Self> {
        match Hold::new(region, range, kind) {
            Ok(hold) => Ok(Self { hold }),
            Err(error) => Err(error),
        }
    }

    /// Locks pages that no region has.
    ///
    /// # Safety
    /// They stay mapped for `'a`.
    pub(crate) unsafe fn of(pages: Pages, arguments: Arguments) -> Result<Self> {
        // SAFETY: as the caller vouches. [caller]
        let hold = unsafe { Hold::foreign(pages, arguments) }?;
        Ok(Self { hold })
    }

    /// How many bytes it keeps in memory, in whole pages.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.hold.pages.len
    }

    /// Whether it holds nothing, because the range was empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.hold.pages.len == 0
    }
}

impl fmt::Debug for LockGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("address", &self.hold.pages.start)
            .field("len", &self.hold.pages.len)
            .field("kind", &self.hold.kind)
            .finish()
    }
}

// SAFETY: it gives no access to the bytes, and its system calls may be made from any thread.
// [threads]
unsafe impl Send for LockGuard<'_> {}
// SAFETY: as above; shared, it does nothing. [threads]
unsafe impl Sync for LockGuard<'_> {}
