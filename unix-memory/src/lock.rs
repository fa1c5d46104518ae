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
/// * **fork**: a child inherits no locks; its copies of guards do no harm.
///
/// ```
/// let mut secret = unix_memory::Mapping::anonymous(32)?;
/// secret.copy_from_slice(&[7; 32]);
/// let locked = secret.lock()?; // never written to swap while `locked` lives
/// assert_eq!(locked.len(), unix_memory::page_size());
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
        let refuse = |errno| {
            let arguments = Arguments::Range {
                start: range.start,
                len: range.len(),
            };
            let reason = match errno {
                libc::ENOMEM | libc::EPERM | libc::EAGAIN => {
                    os::lock_limit().map_or(Reason::Kernel, Reason::LockLimit)
                }
                _ => Reason::Kernel,
            };
            Error::new(Call::Mlock, errno, arguments, reason)
        };

        let guard = Self {
            pages,
            mapping: PhantomData,
        };
        if pages.len == 0 {
            return Ok(guard);
        }
        // Into the table first: from then on no other guard that goes unlocks these pages.
        if let Err(errno) = with_table(|table| table.add(pages.addresses())) {
            core::mem::forget(guard);
            return Err(refuse(errno));
        }
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
                // They are mapped, so that there is no reason to fail.
                let _mapped = unsafe { call::munlock(address, next - start) };
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
