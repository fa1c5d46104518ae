//! `mincore`.

use core::ffi::c_uchar;
use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::error::Errno;
use crate::os::call::zero_or_errno;
use crate::page::page_size;

/// Writes one byte for each page into `vec`: whether it is in memory.
///
/// # Errors
/// The kernel's errors.
///
/// # Safety
/// The caller owns the pages.
pub unsafe fn mincore(address: NonNull<u8>, len: usize, vec: &mut [c_uchar]) -> Result<(), Errno> {
    debug_assert!(len.div_ceil(page_size()) <= vec.len());
    // SAFETY: the kernel writes one byte per page of `len`, and `vec` has room for them.
    // [arguments]
    zero_or_errno(unsafe { sys::mincore(address.as_ptr().cast(), len, vec.as_mut_ptr().cast()) })
}
