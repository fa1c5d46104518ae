//! Apple's systems.

use core::ffi::{c_int, c_void};
use core::ptr::NonNull;

use unix_memory_sys as sys;

#[cfg(feature = "std")]
use super::call;
use crate::advice::Advice;
use crate::advice::unchecked::UncheckedAdvice;
use crate::error::Errno;
use crate::page::page_size;

#[path = "parts/at_fork.rs"]
mod at_fork;
#[cfg(feature = "std")]
#[path = "parts/fsync.rs"]
mod fsync;
#[path = "parts/madvise.rs"]
mod madvise;
#[path = "parts/mappings_apple.rs"]
mod mappings_apple;
#[path = "parts/mincore.rs"]
mod mincore;
#[path = "parts/mlockall.rs"]
mod mlockall;
#[path = "parts/pipe1.rs"]
mod pipe1;
#[path = "parts/rlimit.rs"]
mod rlimit;
#[cfg(feature = "std")]
#[path = "parts/statvfs.rs"]
mod statvfs;

pub use super::none::{MAP_CONCEAL, MAP_POPULATE, MAP_STACK, MAY_BECOME, NO_REPLACE};
pub use sys::MAP_NORESERVE;

pub use super::none::{GIVE_BACK, advise_together};
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
pub use mappings_apple::Mappings;

pub use super::none::{memfd_secret, wipe_in_children};
pub use at_fork::at_fork;

pub use super::none::{process_vm_read, process_vm_write};
pub use pipe1::open_pipe;

#[cfg(feature = "std")]
pub use super::none::{
    OPEN_AT_ONCE, READS_MAPPINGS, device_len, drop_behind, file_status, is_in_huge_pages, is_sealed,
};
pub use rlimit::file_size_limit;
#[cfg(feature = "std")]
pub use statvfs::is_full;

/// The `MADV_` value of `advice`.
pub const fn advice(advice: Advice) -> Option<c_int> {
    Some(match advice {
        Advice::Normal => sys::MADV_NORMAL,
        Advice::Random => sys::MADV_RANDOM,
        Advice::Sequential => sys::MADV_SEQUENTIAL,
        Advice::WillNeed => sys::MADV_WILLNEED,
        Advice::Cold => sys::MADV_DONTNEED,
        Advice::PageOut => sys::MADV_PAGEOUT,
        Advice::ZeroWiredPages => sys::MADV_ZERO_WIRED_PAGES,
        Advice::FreeReuse => sys::MADV_FREE_REUSE,
        Advice::CanReuse => sys::MADV_CAN_REUSE,
        _ => return None,
    })
}

/// The `MADV_` value of an advice that does more than advise.
pub const fn unchecked_advice(advice: UncheckedAdvice) -> Option<c_int> {
    Some(match advice {
        UncheckedAdvice::Free => sys::MADV_FREE,
        UncheckedAdvice::FreeReusable => sys::MADV_FREE_REUSABLE,
        UncheckedAdvice::Zero => sys::MADV_ZERO,
        _ => return None,
    })
}

/// Whether the kernel knows the advice `value`: it checks that before it notices that there is nothing
/// to advise on.
pub fn knows_advice(value: c_int) -> bool {
    let address = core::ptr::without_provenance_mut(page_size());
    NonNull::new(address).is_some_and(|address| {
        // SAFETY: no bytes are advised on. [harmless]
        unsafe { madvise(address, 0, value) }.is_ok()
    })
}

/// Makes code that was written fit to run.
///
/// # Errors
/// None.
///
/// # Safety
/// The bytes are mapped, and can be read.
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub unsafe fn sync_instruction_cache(start: *const u8, len: usize) -> Result<(), Errno> {
    unsafe extern "C" {
        /// `<libkern/OSCacheControl.h>`, in libSystem.
        fn sys_icache_invalidate(start: *mut c_void, len: usize);
    }
    // SAFETY: as the caller vouches; no content changes. [caller, harmless]
    unsafe { sys_icache_invalidate(start.cast_mut().cast(), len) };
    Ok(())
}

/// Lets the calling thread execute what was mapped with `MAP_JIT` (`true`, as when a thread begins), or
/// write it (`false`): on Apple silicon it cannot do both. On Intel's processors it can, and systems
/// other than macOS do not have the call. Source: `<pthread.h>`, pthread_jit_write_protect_np(3).
pub fn jit_write_protect(yes: bool) {
    #[cfg(all(target_os = "macos", target_arch = "aarch64"))]
    // SAFETY: the call takes a number, and changes the rights of this thread alone: what it may write
    // was mapped with `MAP_JIT`, to which no references are given out. [arguments]
    unsafe {
        libc::pthread_jit_write_protect_np(c_int::from(yes));
    }
    #[cfg(not(all(target_os = "macos", target_arch = "aarch64")))]
    let _ = yes;
}

/// Makes the device store all of the file behind `fd`; `fsync` alone stops short of that.
///
/// # Errors
/// The kernel's errors.
///
/// # Safety
/// `fd` is open.
#[cfg(feature = "std")]
pub unsafe fn sync_to_device(fd: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the descriptor; the command takes no argument.
    // [caller, arguments]
    if unsafe { libc::fcntl(fd, libc::F_FULLFSYNC) } != -1 {
        return Ok(());
    }
    match call::errno() {
        // What file systems without it report.
        // SAFETY: as above. [caller, arguments]
        libc::ENOTSUP | libc::ENOTTY | libc::EINVAL => unsafe { fsync::sync_to_device(fd) },
        errno => Err(errno),
    }
}

/// Here the mode is a variadic argument.
///
/// # Safety
/// As that of unix-memory-sys.
#[cfg(feature = "std")]
pub unsafe fn shm_open(name: *const core::ffi::c_char, flags: c_int, mode: sys::mode_t) -> c_int {
    // SAFETY: the caller vouches for the name. [caller]
    unsafe { sys::shm_open(name, flags, core::ffi::c_uint::from(mode)) }
}
