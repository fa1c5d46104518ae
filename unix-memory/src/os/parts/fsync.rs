//! Making a file's device store it.

use core::ffi::c_int;

use crate::error::Errno;
use crate::os::call::zero_or_errno;

/// Makes the device store all of the file behind `fd`.
///
/// # Errors
/// The kernel's errors.
///
/// # Safety
/// `fd` is open.
pub unsafe fn sync_to_device(fd: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the descriptor. [caller]
    zero_or_errno(unsafe { libc::fsync(fd) })
}
