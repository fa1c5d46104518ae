//! Having a file kept by its device, on Apple's systems, where `fsync` stops short of that.

use core::ffi::c_int;

use crate::call;

/// # Safety
/// `fd` is open.
pub unsafe fn sync_to_device(fd: c_int) -> c_int {
    // SAFETY: the caller vouches for the descriptor; the command takes no argument.
    let result = unsafe { libc::fcntl(fd, libc::F_FULLFSYNC) };
    // What file systems that do not have it say.
    if result == -1 && matches!(call::errno(), libc::ENOTSUP | libc::ENOTTY | libc::EINVAL) {
        // SAFETY: as above.
        return unsafe { libc::fsync(fd) };
    }
    if result == -1 { -1 } else { 0 }
}
