//! Letting go of pages of a file that were read: Linux and Android.

use core::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Advises the kernel that this program no longer needs the bytes in `range` of the file. It keeps
/// pages that are not yet written to the disk, or that anybody has mapped.
pub fn drop_behind(fd: BorrowedFd<'_>, range: &Range<u64>) {
    let (Ok(offset), Ok(len)) = (
        libc::off64_t::try_from(range.start),
        libc::off64_t::try_from(range.end - range.start),
    ) else {
        return;
    };
    // SAFETY: the call touches no memory, and changes no content. [harmless]
    let _only_a_hint =
        unsafe { libc::posix_fadvise64(fd.as_raw_fd(), offset, len, libc::POSIX_FADV_DONTNEED) };
}
