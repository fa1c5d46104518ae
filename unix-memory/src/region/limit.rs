//! Which limit a call reached: asked once the kernel has refused it.

use super::ledger;
use crate::error::{Errno, Reason};
use crate::os;
use crate::os::call::Wanted;

/// Why the kernel refused `wanted` with `errno`, as far as that can be found out.
#[cold]
pub fn why_refused(errno: Errno, wanted: &Wanted) -> Reason {
    match errno {
        libc::ENOMEM => os::memory_limit(wanted).unwrap_or(Reason::Kernel),
        // New memory is locked at once after `mlockall(MCL_FUTURE)`, as is what a locked mapping grows by.
        libc::EAGAIN if wanted.is_mapped => {
            let bytes = wanted.bytes as u64;
            let ours = ledger::with(|ledger| ledger.held.held_bytes(&(0..usize::MAX)) as u64);
            limit_on_locks(errno, bytes, bytes, ours.unwrap_or(0))
        }
        _ => Reason::Kernel,
    }
}

/// Why the kernel refused a call on pages that are mapped, which it may have to make several mappings
/// of. (Linux reports the limit of mappings as `EAGAIN` for advice and names.)
#[cold]
pub fn why_not_split(errno: Errno) -> Reason {
    match errno {
        libc::ENOMEM | libc::EAGAIN => os::memory_limit(&Wanted::NOTHING).unwrap_or(Reason::Kernel),
        _ => Reason::Kernel,
    }
}

/// The reason for `errno`: no such call, or the limit, if locking `more` bytes would exceed it.
/// `ours` is what guards hold.
#[cold]
pub fn limit_on_locks(errno: Errno, asked: u64, more: u64, ours: u64) -> Reason {
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
