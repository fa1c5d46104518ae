//! FreeBSD. (Its `MAP_STACK` makes a mapping that grows, which is not wanted.)

use core::ffi::c_int;
#[cfg(feature = "std")]
use core::ffi::{CStr, c_uint};
#[cfg(feature = "std")]
use core::ops::Range;
#[cfg(feature = "std")]
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use unix_memory_sys as sys;

#[cfg(feature = "std")]
use super::call;
use crate::advice::Advice;
use crate::error::Errno;
use crate::page::Pages;

#[path = "parts/advice_freebsd.rs"]
mod advice_freebsd;
#[path = "parts/at_fork.rs"]
mod at_fork;
#[cfg(feature = "std")]
#[path = "parts/fsync.rs"]
mod fsync;
#[path = "parts/icache_bsd.rs"]
mod icache_bsd;
#[path = "parts/madvise.rs"]
mod madvise;
#[path = "parts/mappings_freebsd.rs"]
mod mappings_freebsd;
#[path = "parts/mincore.rs"]
mod mincore;
#[path = "parts/minherit.rs"]
mod minherit;
#[path = "parts/mlockall.rs"]
mod mlockall;
#[path = "parts/pipe2.rs"]
mod pipe2;
#[path = "parts/rlimit.rs"]
mod rlimit;
#[cfg(feature = "std")]
#[path = "parts/sealed.rs"]
mod sealed;
#[path = "parts/snapshot.rs"]
mod snapshot;
#[cfg(feature = "std")]
#[path = "parts/statvfs.rs"]
mod statvfs;
#[path = "parts/sysctl.rs"]
mod sysctl;

pub use super::none::{MAP_CONCEAL, MAP_NORESERVE, MAP_POPULATE, MAP_STACK, MAY_BECOME};

pub use super::none::{GIVE_BACK, advise_together};
pub use advice_freebsd::{knows_advice, unchecked_advice};
pub use madvise::madvise;

pub use super::none::{populate, populate_write};
pub use mincore::mincore;

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
pub use mappings_freebsd::Mappings;

pub use super::none::memfd_secret;
pub use at_fork::at_fork;

pub use super::none::{process_vm_read, process_vm_write};
pub use icache_bsd::sync_instruction_cache;
pub use pipe2::open_pipe;

#[cfg(feature = "std")]
pub use super::none::{OPEN_AT_ONCE, READS_MAPPINGS, device_len, file_status, is_in_huge_pages};
#[cfg(feature = "std")]
pub use fsync::sync_to_device;
pub use rlimit::file_size_limit;
#[cfg(feature = "std")]
pub use sealed::is_sealed;
#[cfg(feature = "std")]
pub use statvfs::is_full;
#[cfg(feature = "std")]
pub use sys::shm_open;

#[cfg(feature = "std")]
pub use super::none::is_verified;

pub const NO_REPLACE: c_int = sys::MAP_FIXED | sys::MAP_EXCL;

/// The `MADV_` value of `advice`.
pub const fn advice(advice: Advice) -> Option<c_int> {
    match advice {
        Advice::Protect => Some(sys::MADV_PROTECT),
        _ => advice_freebsd::advice(advice),
    }
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
    unsafe { minherit::inherit_zeros(pages, sys::INHERIT_ZERO) }
}

/// Advises the kernel that this program no longer needs the bytes in `range` of the file.
#[cfg(feature = "std")]
pub fn drop_behind(fd: BorrowedFd<'_>, range: &Range<u64>) {
    let (Ok(offset), Ok(len)) = (
        libc::off_t::try_from(range.start),
        libc::off_t::try_from(range.end - range.start),
    ) else {
        return;
    };
    // SAFETY: the call touches no memory, and changes no content. [harmless]
    let _only_a_hint =
        unsafe { libc::posix_fadvise(fd.as_raw_fd(), offset, len, libc::POSIX_FADV_DONTNEED) };
}

/// This system has no flags to give by default.
#[cfg(feature = "std")]
pub const MEMFD_DEFAULT: c_uint = 0;
/// This system has no seal that others do not have.
#[cfg(feature = "std")]
pub const MORE_SEALS: c_int = 0;

/// Makes an empty file.
///
/// # Errors
/// The kernel's errors.
#[cfg(feature = "std")]
pub fn memfd_create(name: &CStr, flags: c_uint) -> Result<OwnedFd, Errno> {
    // SAFETY: the name ends in NUL. [arguments]
    let result = unsafe { sys::memfd_create(name.as_ptr(), flags) };
    // SAFETY: that is its result. [descriptor]
    unsafe { call::descriptor_or_errno(result) }
}
