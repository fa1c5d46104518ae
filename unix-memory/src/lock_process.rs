//! All pages of the process kept in memory, by guards that nest.

use core::ffi::c_int;
use core::fmt;

use crate::call::{self, Errno};
use crate::error::{Arguments, Call, Error, Result};
use crate::lock::limit_reached;
use crate::os;
use crate::table::{Kind, Table, with_table};

bitflags::bitflags! {
    /// Which pages of the process to lock: the flags of `mlockall`. Source: mlockall(2),
    /// POSIX.1-2024.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct LockPages: c_int {
        /// Those that are mapped now.
        #[doc(alias = "MCL_CURRENT")]
        const CURRENT = os::MCL_CURRENT;
        /// Those that will be mapped: to map, to load a library, to grow the heap or a stack fails
        /// from now on where it would go over the limit.
        #[doc(alias = "MCL_FUTURE")]
        const FUTURE = os::MCL_FUTURE;
    }
}

/// Keeps the pages of the whole process in memory, and lets them go when the last such guard is
/// dropped.
///
/// Guards of this kind are counted. Over pages that several ask for, the full lock wins over that on
/// fault. When one goes, future mappings are locked as the others ask (on Linux; elsewhere as
/// before); what is locked already stays so until the last goes. Then everything is unlocked but what [`LockGuard`](crate::LockGuard)s and
/// [`Locked`](crate::Locked) mappings hold, which is locked again at once: for a moment it is not.
/// Locks that were made otherwise, by `mlock` itself, are undone too.
///
/// Forgotten rather than dropped, it locks as long as the process lives.
///
/// * **fork**: a child inherits no locks; to drop its copy of a guard does no harm.
///
/// ```
/// use unix_memory::{LockPages, ProcessLock};
///
/// match ProcessLock::new(LockPages::CURRENT) {
///     Ok(_locked) => println!("no page fault that reads from disk, while it lives"),
///     Err(error) => println!("{error}"), // over the limit, as a rule
/// }
/// ```
#[doc(alias = "mlockall")]
#[doc(alias = "munlockall")]
#[must_use = "the pages are unlocked when it is dropped"]
pub struct ProcessLock {
    pages: LockPages,
    kind: Kind,
}

impl ProcessLock {
    /// Locks all pages of the process that `pages` names, and brings them in.
    ///
    /// Source: mlockall(2), POSIX.1-2024.
    ///
    /// # Errors
    /// `EINVAL` for no flag; `ENOMEM`, `EPERM` or `EAGAIN` over the limit on locked memory, of which
    /// [`Reason::LockLimit`](crate::Reason) tells on Linux; `EAGAIN` where a page could not be
    /// brought in. What other guards hold stays locked.
    ///
    /// # Platform
    /// Linux does not say when a page cannot be brought in. `ENOSYS` on Apple's systems, Cygwin and
    /// Haiku.
    pub fn new(pages: LockPages) -> Result<Self> {
        Self::with(pages, Kind::Full)
    }

    pub(crate) fn with(pages: LockPages, kind: Kind) -> Result<Self> {
        let lock = Self { pages, kind };
        let locked = with_table(|table| {
            let before = table.process;
            table.process.count(&lock, 1);
            if let Err(errno) = call::mlockall(table.process.flags(&lock)) {
                table.process = before;
                return Err((errno, table.held_bytes(0..usize::MAX) as u64));
            }
            // Of which the kernel has just seen that it may be.
            let _done = table.process.lock_future(&lock);
            if kind == Kind::OnFault {
                lock_again(table, Kind::Full);
            }
            Ok(())
        });
        locked.map_err(|(errno, ours)| {
            let all = os::address_space_bytes().unwrap_or(0);
            // The kernel compares all with the limit, whatever is locked already.
            let locked = os::locked_bytes().unwrap_or(ours);
            let more = all.saturating_sub(locked);
            let reason = limit_reached(errno, all, more, ours);
            Error::new(Call::Mlockall, errno, Arguments::None, reason)
        })?;
        Ok(lock)
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        with_table(|table| {
            // Not in a child of fork, which has no locks.
            if !table.process.any() {
                return;
            }
            table.process.count(self, -1);
            if !table.process.any() {
                unlock_all(table);
            } else if self.pages.contains(LockPages::FUTURE) {
                let _or_with_the_last = table.process.lock_future_again();
                lock_again(table, Kind::Full);
            }
        });
    }
}

/// How many guards of the process ask for what.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    all: usize,
    future_on_fault: usize,
    future_full: usize,
}

impl Wishes {
    pub const NONE: Self = Self {
        all: 0,
        future_on_fault: 0,
        future_full: 0,
    };

    /// Whether there is a guard.
    pub const fn any(&self) -> bool {
        self.all != 0
    }

    /// Counts `lock` in or out.
    fn count(&mut self, lock: &ProcessLock, by: isize) {
        self.all = self.all.saturating_add_signed(by);
        if lock.pages.contains(LockPages::FUTURE) {
            let future = match lock.kind {
                Kind::OnFault => &mut self.future_on_fault,
                Kind::Full => &mut self.future_full,
            };
            *future = future.saturating_add_signed(by);
        }
    }

    /// How future pages are to be locked, if they are.
    const fn future(&self) -> Option<Kind> {
        match (self.future_full, self.future_on_fault) {
            (0, 0) => None,
            (0, _) => Some(Kind::OnFault),
            _ => Some(Kind::Full),
        }
    }

    /// The flags with which `lock` is made: its own, and the future that others ask for, which the
    /// kernel would forget otherwise.
    fn flags(&self, lock: &ProcessLock) -> c_int {
        let future = match self.future() {
            Some(_) => LockPages::FUTURE,
            None => LockPages::empty(),
        };
        if lock.pages.is_empty() {
            return 0;
        }
        (lock.pages | future).bits() | on_fault(lock.kind)
    }

    /// Has the future locked as it is to be, where making `lock` did it otherwise.
    fn lock_future(&self, lock: &ProcessLock) -> core::result::Result<(), Errno> {
        match self.future() {
            Some(kind) if kind != lock.kind => {
                call::mlockall(LockPages::FUTURE.bits() | on_fault(kind))
            }
            _ => Ok(()),
        }
    }

    /// Has the future locked as it is to be, or not at all, where there is another guard.
    fn lock_future_again(&self) -> core::result::Result<(), Errno> {
        match self.future() {
            Some(kind) => call::mlockall(LockPages::FUTURE.bits() | on_fault(kind)),
            // To ask for what is there, and no more, is the only way to have less in future; on
            // Linux it takes no time, elsewhere it is no way either.
            None if os::MCL_ONFAULT != 0 => {
                call::mlockall(LockPages::CURRENT.bits() | os::MCL_ONFAULT)
            }
            None => Ok(()),
        }
    }
}

const fn on_fault(kind: Kind) -> c_int {
    match kind {
        Kind::OnFault => os::MCL_ONFAULT,
        Kind::Full => 0,
    }
}

/// Unlocks everything but what guards in `table` hold.
fn unlock_all(table: &Table) {
    let _without_locks = call::munlockall();
    lock_again(table, Kind::OnFault);
    lock_again(table, Kind::Full);
}

/// Locks what guards of this kind hold, again.
fn lock_again(table: &Table, kind: Kind) {
    for held in table.iter().filter(|held| held.kind == kind) {
        // (The guard has the pointer to the pages; an address is all that the kernel takes.)
        let Some(start) =
            core::ptr::NonNull::new(core::ptr::without_provenance_mut(held.range.start))
        else {
            continue;
        };
        let _as_it_was = match kind {
            // SAFETY: a guard that lives holds these pages, whose content does not change.
            Kind::OnFault => unsafe { os::mlock_on_fault(start, held.range.len()) },
            // SAFETY: as above.
            Kind::Full => unsafe { call::mlock(start, held.range.len()) },
        };
    }
}

impl fmt::Debug for ProcessLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessLock")
            .field("pages", &self.pages)
            .field("kind", &self.kind)
            .finish()
    }
}
