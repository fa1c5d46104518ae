//! Pages kept in memory, by guards that nest.
//!
//! The kernel's locks do not nest: one `munlock` undoes any number of `mlock`. So the ranges of all
//! guards that live are kept in one table, and a guard that goes unlocks only what no other holds.
//! The table lives in a mapping of its own: this crate has no allocator.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Range, RangeBounds};
use core::ptr::NonNull;

use crate::call;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::os;
use crate::page::check_range;
use crate::region::{Pages, Region};
use crate::table::{Table, with_table};

/// Keeps pages of a mapping in memory, and lets them go when dropped.
///
/// Made by `lock()` and `lock_range()` of [`Mapping`](crate::Mapping) and
/// [`SharedMapping`](crate::SharedMapping), which it borrows. Pages that another guard holds too
/// stay locked. A lock that was made otherwise, by `mlock` itself or `mlockall`, is not seen, and
/// is undone with the last guard over its pages.
///
/// Forgotten rather than dropped, it holds the pages until they are unmapped.
///
/// * **fork**: a child inherits no locks; to drop its copies of guards does no harm.
/// * **Signals**: neither locking nor dropping a guard is async-signal-safe.
/// * **Limit of mappings**: where the kernel has reached it, it may be unable to unlock a part of
///   what it had merged; those pages stay locked until they are unmapped.
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
    mapping: PhantomData<&'a [u8]>,
}

impl<'a> LockGuard<'a> {
    pub(crate) fn new(region: &'a Region, range: &impl RangeBounds<usize>) -> Result<Self> {
        let range = check_range(Call::Mlock, range, region.len())?;
        let pages = region.pages_of(&range);
        if pages.len == 0 {
            return Ok(Self {
                pages,
                mapping: PhantomData,
            });
        }
        // Into the table first: from then on no other guard that goes unlocks these pages.
        drop(with_table(|table| table.add(&pages.addresses()))?);
        let guard = Self {
            pages,
            mapping: PhantomData,
        };
        let refuse = |errno| {
            let arguments = Arguments::range(&range);
            // What this guard asks for is in the table too.
            let held = with_table(|table| table.iter().map(|held| held.len() as u64).sum::<u64>());
            let reason = match (errno, os::lock_limit()) {
                (libc::ENOMEM | libc::EPERM | libc::EAGAIN, Some(limit)) if held > limit => {
                    Reason::LockLimit(limit)
                }
                _ => Reason::Kernel,
            };
            Error::new(Call::Mlock, errno, arguments, reason)
        };
        // SAFETY: the pages are those of a mapping that `guard` borrows.
        // A failure may have locked some of them; dropping `guard` undoes that.
        unsafe { call::mlock(pages.start, pages.len) }.map_err(refuse)?;
        Ok(guard)
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

    /// Unlocks what no other guard in `table` holds.
    fn release(&self, table: &Table) {
        let Range { mut start, end } = self.pages.addresses();
        while start < end {
            if let Some(held) = table.iter().find(|held| held.contains(&start)) {
                start = held.end;
                continue;
            }
            let next = table
                .iter()
                .map(|held| held.start)
                .filter(|&held| held > start)
                .min()
                .unwrap_or(end);
            let next = next.min(end);
            // `start..next` lies in the guard's pages, so this pointer may speak for it.
            let address = self.pages.start.as_ptr().with_addr(start);
            if let Some(address) = NonNull::new(address) {
                // SAFETY: the pages are those of a mapping that `self` borrows.
                // At its limit of mappings the kernel cannot unlock a part of one; such pages then
                // stay locked until they are unmapped.
                let _or_later = unsafe { call::munlock(address, next - start) };
            }
            start = next;
        }
    }
}

impl Drop for LockGuard<'_> {
    fn drop(&mut self) {
        if self.pages.len != 0 {
            // Unlocked before the table is free again: else a new guard over the same pages could
            // lock them in between, and lose them.
            with_table(|table| {
                table.remove(&self.pages.addresses());
                self.release(table);
            });
        }
    }
}

impl fmt::Debug for LockGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("address", &self.pages.start)
            .field("len", &self.pages.len)
            .finish()
    }
}

// SAFETY: it holds no access to the bytes, and its system calls may be made from any thread.
unsafe impl Send for LockGuard<'_> {}
// SAFETY: as above; shared, it does nothing.
unsafe impl Sync for LockGuard<'_> {}
