//! Apple's systems.

use core::ffi::c_int;

pub use sys::{MAP_NORESERVE, madvise, mincore};
use unix_memory_sys as sys;

pub use super::rlimit::lock_limit;
pub use super::touch::populate;
use crate::advice::Advice;

/// There is no such flag here.
pub const MAP_POPULATE: c_int = 0;

/// The `MADV_` value of `advice`.
pub const fn advice(advice: Advice) -> Option<c_int> {
    Some(match advice {
        Advice::Normal => sys::MADV_NORMAL,
        Advice::Random => sys::MADV_RANDOM,
        Advice::Sequential => sys::MADV_SEQUENTIAL,
        Advice::WillNeed => sys::MADV_WILLNEED,
        _ => return None,
    })
}

/// Whether the kernel knows the advice `value`: it was there from the start.
pub const fn knows_advice(_: c_int) -> bool {
    true
}

/// Here the mode is one of a variable number of arguments.
///
/// # Safety
/// As that of unix-memory-sys.
#[cfg(feature = "std")]
pub unsafe fn shm_open(name: *const core::ffi::c_char, flags: c_int, mode: sys::mode_t) -> c_int {
    // SAFETY: the caller vouches for the name.
    unsafe { sys::shm_open(name, flags, core::ffi::c_uint::from(mode)) }
}
