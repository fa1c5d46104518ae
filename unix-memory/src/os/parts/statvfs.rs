//! The space of a file system: Linux and Android, Apple's systems, the BSDs, illumos and Solaris.

use core::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Whether the file system of an open file can be written and has space, and none of it is free for ordinary
/// users. (Some file systems report no space at all, because they have no limit.)
pub fn is_full(fd: BorrowedFd<'_>) -> bool {
    let mut figures = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the descriptor is open while it is borrowed, and there is room for the figures.
    // [descriptor, arguments]
    if unsafe { libc::fstatvfs(fd.as_raw_fd(), figures.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call has succeeded, so it has written all of them. [arguments]
    let figures = unsafe { figures.assume_init() };
    #[allow(clippy::unnecessary_cast, reason = "the type differs between systems")]
    let is_read_only = figures.f_flag as u64 & libc::ST_RDONLY as u64 != 0;
    !is_read_only && figures.f_blocks != 0 && figures.f_bavail == 0
}
