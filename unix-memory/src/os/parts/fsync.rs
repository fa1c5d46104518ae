//! Having a file kept by its device.

use core::ffi::c_int;

use crate::error::Errno;
use crate::os::call::zero_or_errno;

/// Has all of the file behind `fd` kept by its device.
///
/// # Errors
/// What the kernel says.
///
/// # Safety
/// `fd` is open.
pub unsafe fn sync_to_device(fd: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the descriptor.
    zero_or_errno(unsafe { libc::fsync(fd) })
}
