//! Systems of which this crate uses what POSIX has, and no more.

use core::ffi::{c_int, c_void};

use unix_memory_sys as sys;

use super::missing::fail;
pub use super::missing::mincore;
pub use super::touch::{populate, populate_write};
use crate::advice::Advice;
use crate::unchecked_advice::UncheckedAdvice;

/// There is no such flag here, or nobody has tried it.
pub const MAP_POPULATE: c_int = 0;
/// There is no such flag here, or nobody has tried it.
pub const MAP_NORESERVE: c_int = 0;

/// The `POSIX_MADV_` value of `advice`.
pub const fn advice(advice: Advice) -> Option<c_int> {
    Some(match advice {
        Advice::Normal => sys::POSIX_MADV_NORMAL,
        Advice::Random => sys::POSIX_MADV_RANDOM,
        Advice::Sequential => sys::POSIX_MADV_SEQUENTIAL,
        Advice::WillNeed => sys::POSIX_MADV_WILLNEED,
        Advice::Cold => sys::POSIX_MADV_DONTNEED,
        _ => return None,
    })
}

/// No advice that does more than advise.
pub const fn unchecked_advice(_: UncheckedAdvice) -> Option<c_int> {
    None
}

/// Whether the kernel knows the advice `value`: POSIX has it.
pub const fn knows_advice(_: c_int) -> bool {
    true
}

/// `posix_madvise`, which returns its error, told as `madvise` tells it.
pub unsafe fn madvise(address: *mut c_void, len: usize, value: c_int) -> c_int {
    // SAFETY: the caller owns the pages; no such advice changes content.
    match unsafe { sys::posix_madvise(address, len, value) } {
        0 => 0,
        errno => fail(errno),
    }
}

/// No limit that a call tells.
pub const fn lock_limit() -> Option<u64> {
    None
}
