//! Linux and Android: how long a block device is.

use std::os::fd::{AsRawFd, BorrowedFd};

use unix_memory_sys as sys;

use crate::os::call::zero_or_errno;

/// The length in bytes of the block device behind `fd`, which must be one: another device may take the
/// request for one of its own.
///
/// (Its metadata do not have it, and seeking its end would move the position of others who have the
/// same open file.)
pub fn device_len(fd: BorrowedFd<'_>) -> Option<u64> {
    let mut len = 0u64;
    // SAFETY: the request writes a number of 64 bits to where its argument points, and changes nothing.
    // [arguments]
    let asked = unsafe { sys::ioctl(fd.as_raw_fd(), sys::BLKGETSIZE64, &raw mut len) };
    zero_or_errno(asked).ok().map(|()| len)
}
