//! Having a file kept by its device.

use core::ffi::c_int;

/// # Safety
/// `fd` is open.
pub unsafe fn sync_to_device(fd: c_int) -> c_int {
    // SAFETY: the caller vouches for the descriptor.
    unsafe { libc::fsync(fd) }
}
