//! OpenBSD.

use core::ffi::c_int;

use unix_memory_sys as sys;

use crate::advice::Advice;
use crate::advice::unchecked::UncheckedAdvice;
use crate::error::Errno;
use crate::page::Pages;

#[path = "parts/at_fork.rs"]
mod at_fork;
#[cfg(feature = "std")]
#[path = "parts/fsync.rs"]
mod fsync;
#[path = "parts/icache_bsd.rs"]
mod icache_bsd;
#[path = "parts/madvise.rs"]
mod madvise;
#[path = "parts/mappings_openbsd.rs"]
mod mappings_openbsd;
#[path = "parts/minherit.rs"]
mod minherit;
#[path = "parts/mlockall.rs"]
mod mlockall;
#[path = "parts/pipe2.rs"]
mod pipe2;
#[path = "parts/rlimit.rs"]
mod rlimit;
#[path = "parts/snapshot.rs"]
mod snapshot;
#[cfg(feature = "std")]
#[path = "parts/statvfs.rs"]
mod statvfs;
#[path = "parts/sysctl.rs"]
mod sysctl;

pub use super::none::{MAP_POPULATE, MAY_BECOME};
pub use sys::{MAP_CONCEAL, MAP_NORESERVE, MAP_STACK};

pub use super::none::{GIVE_BACK, advise_together};
pub use madvise::madvise;

pub use super::none::{mincore, populate, populate_write};

pub use super::none::{
    MCL_ONFAULT, address_space_bytes, locked_bytes, memory_limit, mlock_on_fault,
    stop_locking_future,
};
pub use mlockall::{MCL_CURRENT, MCL_FUTURE, mlockall, munlockall};
pub use rlimit::lock_limit;

pub use super::none::{
    COUNTS_BYTES, ENFORCES_PROTECTION, WRITES_FILES, huge_bytes, is_anonymous_in_huge_pages,
    is_for_stack, is_in_huge_page, is_protected, may_be_several, meets_stack, name_pages, remap,
    transparent_huge_page,
};
pub use mappings_openbsd::Mappings;

pub use super::none::memfd_secret;
pub use at_fork::at_fork;

pub use super::none::{process_vm_read, process_vm_write};
pub use icache_bsd::sync_instruction_cache;
pub use pipe2::open_pipe;

#[cfg(feature = "std")]
pub use super::none::{
    OPEN_AT_ONCE, READS_MAPPINGS, device_len, drop_behind, file_status, is_in_huge_pages, is_sealed,
};
#[cfg(feature = "std")]
pub use fsync::sync_to_device;
pub use rlimit::file_size_limit;
#[cfg(feature = "std")]
pub use statvfs::is_full;
#[cfg(feature = "std")]
pub use sys::shm_open;

pub const NO_REPLACE: c_int = sys::MAP_FIXED | sys::__MAP_NOREPLACE;

/// The `MADV_` value of `advice`.
pub const fn advice(advice: Advice) -> Option<c_int> {
    Some(match advice {
        Advice::Normal => sys::MADV_NORMAL,
        Advice::Random => sys::MADV_RANDOM,
        Advice::Sequential => sys::MADV_SEQUENTIAL,
        Advice::WillNeed => sys::MADV_WILLNEED,
        Advice::Cold => sys::MADV_DONTNEED,
        Advice::SpaceAvail => sys::MADV_SPACEAVAIL,
        _ => return None,
    })
}

/// The `MADV_` value of an advice that does more than advise.
pub const fn unchecked_advice(advice: UncheckedAdvice) -> Option<c_int> {
    Some(match advice {
        UncheckedAdvice::Free => sys::MADV_FREE,
        _ => return None,
    })
}

/// Whether the kernel knows the advice `value`: it has a name for an advice that it refuses.
pub const fn knows_advice(value: c_int) -> bool {
    value != sys::MADV_SPACEAVAIL
}

/// Makes every child find zeros in `pages`, whatever call makes the child.
///
/// # Errors
/// `EINVAL` for a kernel that is too old.
///
/// # Safety
/// The pages are the caller's, private and anonymous, and what refers to them in a child can cope
/// with zeros.
pub unsafe fn wipe_in_children(pages: Pages) -> Result<(), Errno> {
    // SAFETY: as the caller vouches. [caller]
    unsafe { minherit::inherit_zeros(pages, sys::MAP_INHERIT_ZERO) }
}
