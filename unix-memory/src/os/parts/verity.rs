//! Files that the kernel lets nobody change, and whose content it verifies: fs-verity.

use core::ffi::c_long;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::file_system::magic;

/// The file systems that do so themselves, by their numbers in `<linux/magic.h>`: ext4, f2fs,
/// btrfs.
const FILE_SYSTEMS: [u32; 3] = [0xef53, 0xf2f5_2010, 0x9123_683e];

/// `<linux/stat.h>`.
const STATX_ATTR_VERITY: u64 = 0x0010_0000;

/// Whether the file behind `fd` has fs-verity, which nobody can take away.
///
/// File systems other than those that do it themselves are not believed: overlayfs reports about the
/// file that is there now, which may not be the one that is open, and FUSE reports what a program
/// says.
pub fn is_verified(fd: BorrowedFd<'_>) -> bool {
    let fd = fd.as_raw_fd();
    attributes(c_long::from(fd)) & STATX_ATTR_VERITY != 0
        && magic(fd).is_some_and(|magic| FILE_SYSTEMS.contains(&magic))
}

/// The attributes of an open file, as far as its file system reports them. Source: statx(2).
///
/// The C library's `statx` is younger than the oldest that rustc's targets promise.
#[allow(
    clippy::cast_possible_wrap,
    clippy::cast_lossless,
    reason = "each argument goes through `syscall` as a long, whatever its width here"
)]
fn attributes(fd: c_long) -> u64 {
    // `struct statx`: 256 bytes, of which the second eight are `stx_attributes`, and those from the
    // 56th on `stx_attributes_mask`.
    let mut statx = [0u64; 32];
    // SAFETY: the arguments are those of statx(2): the path ends in NUL, and the kernel writes no
    // more than the structure. [arguments]
    let result = unsafe {
        libc::syscall(
            libc::SYS_statx as c_long,
            fd,
            c"".as_ptr().expose_provenance() as c_long,
            libc::AT_EMPTY_PATH as c_long,
            // Attributes are reported unasked.
            0 as c_long,
            (&raw mut statx).expose_provenance() as c_long,
        )
    };
    if result == 0 { statx[1] & statx[7] } else { 0 }
}
