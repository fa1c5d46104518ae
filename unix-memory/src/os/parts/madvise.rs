//! `madvise`, as most systems have it.

use core::ffi::c_int;
use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::error::Errno;
use crate::os::call::zero_or_errno;

/// Advises on pages.
///
/// # Errors
/// The kernel's errors.
///
/// # Safety
/// The caller owns the pages, and knows what the advice does to their content.
#[inline]
pub unsafe fn madvise(address: NonNull<u8>, len: usize, advice: c_int) -> Result<(), Errno> {
    // SAFETY: as the caller vouches. [caller]
    zero_or_errno(unsafe { sys::madvise(address.as_ptr().cast(), len, advice) })
}
