//! Advice, where this crate uses only what POSIX has.

use core::ffi::c_int;
use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::advice::Advice;
use crate::advice::unchecked::UncheckedAdvice;
use crate::error::Errno;

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

/// Advises on pages, by `posix_madvise`, which returns its error.
///
/// # Errors
/// The kernel's errors.
///
/// # Safety
/// The caller owns the pages.
pub unsafe fn madvise(address: NonNull<u8>, len: usize, value: c_int) -> Result<(), Errno> {
    // SAFETY: the caller owns the pages; no such advice changes content. [caller, harmless]
    match unsafe { sys::posix_madvise(address.as_ptr().cast(), len, value) } {
        0 => Ok(()),
        errno => Err(errno),
    }
}
