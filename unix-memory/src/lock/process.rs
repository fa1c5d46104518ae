//! Guards that keep all pages of the process in memory, and nest.

use core::ffi::c_int;
use core::fmt;

use crate::error::{Arguments, Call, Error, Result};
use crate::os::{self, call};
use crate::process::Process;
use crate::region::ledger::{self, Kind, Ledger};
use crate::region::limit::limit_on_locks;
use crate::region::spare;

bitflags::bitflags! {
    /// Which pages of the process to lock: the flags of `mlockall`. Source: mlockall(2),
    /// POSIX.1-2024.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[doc(alias = "MlockAllFlags")]
    pub struct LockPages: c_int {
        /// Pages that are mapped now.
        #[doc(alias = "MCL_CURRENT")]
        const CURRENT = os::MCL_CURRENT;
        /// Pages that will be mapped. From then on, mapping memory, loading a library, and growing the
        /// heap or a stack fail if they would exceed the limit.
        #[doc(alias = "MCL_FUTURE")]
        const FUTURE = os::MCL_FUTURE;
    }
}

/// Keeps the pages of the whole process in memory, and unlocks them when the last such guard is dropped.
///
/// Guards of this kind are counted. If several hold the same pages, a full lock wins over a lock on
/// fault. When one of them is dropped, whatever is locked stays locked until the last is dropped. Then
/// everything is unlocked, except what [`LockGuard`](crate::LockGuard)s and [`Locked`](crate::Locked)
/// mappings hold: that is unlocked for a moment, and locked again at once. If the kernel refuses to lock
/// only that, for example at its limit of mappings, everything stays locked until a guard of this kind
/// is dropped again. Locks made by calling `mlock` directly are undone too.
///
/// When the last guard for future mappings is dropped while others are left, new mappings are no longer
/// locked, and mappings that were not locked stay unlocked. The kernel has no call for just that. On
/// Linux, this crate locks all mappings on fault, and then unlocks those that were not locked before,
/// according to /proc/self/smaps. Pages that were fully locked stay in memory. If that is refused or
/// smaps cannot be read, and on other systems, new mappings are locked until the last guard is dropped.
///
/// If the guard is forgotten rather than dropped, the lock lasts as long as the process lives.
///
/// * **fork**: a child inherits no locks. Dropping the child's copy of a guard does nothing; it does not
///   unlock what the child's own guards hold.
///
/// ```
/// use unix_memory::{LockPages, ProcessLock};
///
/// match ProcessLock::new(LockPages::CURRENT) {
///     Ok(_locked) => println!("no page fault that reads from disk, while it lives"),
///     Err(error) => println!("{error}"), // usually over the limit
/// }
/// ```
#[doc(alias = "mlockall")]
#[doc(alias = "munlockall")]
#[must_use = "the pages are unlocked when it is dropped"]
pub struct ProcessLock {
    pages: LockPages,
    kind: Kind,
    owner: Process,
}

impl ProcessLock {
    /// Locks all pages of the process that `pages` names, and brings them in.
    ///
    /// Source: mlockall(2), POSIX.1-2024.
    ///
    /// # Errors
    /// `EINVAL` without a flag, or for a flag that [`LockPages`] does not name; `ENOMEM`, `EPERM` or
    /// `EAGAIN` over the limit on locked memory ([`Reason::LockLimit`](crate::Reason) on Linux);
    /// `EAGAIN` if a page could not be brought in. What other guards hold stays locked.
    ///
    /// # Platform
    /// Linux does not report pages that cannot be brought in. `ENOSYS` on Apple's systems, Cygwin and
    /// Haiku.
    pub fn new(pages: LockPages) -> Result<Self> {
        Self::with(pages, Kind::Full)
    }

    pub(crate) fn with(pages: LockPages, kind: Kind) -> Result<Self> {
        let refuse = |errno| Error::kernel(Call::Mlockall, errno, Arguments::None);
        // Such as `MCL_ONFAULT`, which would turn a full lock into one that brings nothing in.
        if pages.is_empty() || !LockPages::all().contains(pages) {
            return Err(refuse(libc::EINVAL));
        }
        let owner = Process::current().map_err(refuse)?;
        let lock = Self { pages, kind, owner };
        let locked = ledger::with(|ledger| {
            let before = ledger.process;
            ledger
                .process
                .count(kind, pages.contains(LockPages::FUTURE), 1);
            if let Err(errno) = os::mlockall(ledger.process.flags(pages.bits(), kind)) {
                ledger.process = before;
                return Err((errno, ledger.held.held_bytes(&(0..usize::MAX)) as u64));
            }
            // The kernel has just seen that this is allowed.
            let _done = ledger.process.lock_future(kind);
            if kind == Kind::OnFault {
                lock_again(ledger, Kind::Full);
            }
            Ok(())
        });
        let locked = locked.map_err(|errno| (errno, 0)).and_then(|locked| locked);
        let locked = locked.map_err(|(errno, ours)| {
            let all = os::address_space_bytes().unwrap_or(0);
            // The kernel compares all pages with the limit, whatever is locked already.
            let locked = os::locked_bytes().unwrap_or(ours);
            let more = all.saturating_sub(locked);
            let reason = limit_on_locks(errno, all, more, ours);
            Error::new(Call::Mlockall, errno, Arguments::None, reason)
        });
        match locked {
            Ok(()) => Ok(lock),
            Err(error) => {
                // It is not counted.
                core::mem::forget(lock);
                Err(error)
            }
        }
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        if !self.owner.is_current() {
            return;
        }
        ledger::with_that_of(self.owner, |ledger| {
            let future = self.pages.contains(LockPages::FUTURE);
            ledger.process.count(self.kind, future, -1);
            if !ledger.process.any() {
                unlock_all(ledger);
            } else if future && ledger.process.lock_future_again().is_ok() {
                // (What is not stays locked on fault, with the pages that are in memory.)
                lock_again(ledger, Kind::OnFault);
                lock_again(ledger, Kind::Full);
            }
        });
    }
}

/// Unlocks everything except what guards in `ledger` hold.
fn unlock_all(ledger: &mut Ledger) {
    if os::munlockall().is_err() {
        return;
    }
    ledger.all_unlocked();
    let again = || [Kind::OnFault, Kind::Full].map(|kind| lock_again(ledger, kind));
    if again() == [true; 2] {
        return;
    }
    // A locked part of a mapping becomes a mapping of its own. At the limit of mappings, this makes room
    // for some.
    spare::give_up();
    let [is_on_fault, is_full] = again();
    if !is_on_fault || !is_full {
        // What guards hold has to be locked. All of the process is, which takes no more mappings, until
        // such a guard is dropped again.
        let kind = if is_full { os::MCL_ONFAULT } else { 0 };
        let _as_far_as_it_may_be = os::mlockall(os::MCL_CURRENT | kind);
    }
}

/// Locks again what guards of this kind hold, and returns whether all of it is locked.
fn lock_again(ledger: &Ledger, kind: Kind) -> bool {
    let (mut at, mut is_all) = (0, true);
    while let Some((range, held, _)) = ledger.held.next(at) {
        at = range.end;
        let Some(start) = ledger::pointer(range.start).filter(|_| held == Some(kind)) else {
            continue;
        };
        // SAFETY: a guard that lives holds these pages, whose content does not change.
        // [borrowed, harmless]
        let on_fault = || unsafe { os::mlock_on_fault(start, range.len()) };
        // SAFETY: as above. [borrowed, harmless]
        let fully = || unsafe { call::mlock(start, range.len()) };
        is_all &= match kind {
            Kind::OnFault => on_fault().is_ok(),
            // It also fails where a page cannot come in, because nobody may access it, or its file has
            // become shorter. The kernel has locked all of them by then, if there was room for that, as
            // a lock on fault shows, which brings in none.
            Kind::Full if fully().is_ok() => true,
            Kind::Full if on_fault().is_ok() => {
                let _as_before = fully();
                true
            }
            Kind::Full => false,
        };
    }
    is_all
}

impl fmt::Debug for ProcessLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessLock")
            .field("pages", &self.pages)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
