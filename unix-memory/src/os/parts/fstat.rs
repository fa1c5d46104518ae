//! fstat(2), with a length of 64 bits: Linux and Android.

use core::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::error::Errno;
use crate::os::call::{FileStatus, zero_or_errno};
use crate::os::none;

/// The kind and length of an open file.
///
/// # Errors
/// Those of fstat(2).
#[inline]
pub fn file_status(fd: BorrowedFd<'_>) -> Result<FileStatus, Errno> {
    let mut status = MaybeUninit::<libc::stat64>::uninit();
    // SAFETY: the call writes the structure that it is given, and changes nothing else. [arguments]
    match zero_or_errno(unsafe { libc::fstat64(fd.as_raw_fd(), status.as_mut_ptr()) }) {
        // A C library whose times have 32 bits cannot report a file that changed after the year 2038.
        // The standard library makes another call, statx(2).
        Err(libc::EOVERFLOW) => {
            let FileStatus {
                mode,
                len,
                block,
                is_on_disk,
            } = none::file_status(fd)?;
            // (Field by field: then what is returned need not lie in memory.)
            return Ok(FileStatus {
                mode,
                len,
                block,
                is_on_disk,
            });
        }
        result => result?,
    }
    // SAFETY: the call succeeded, so it wrote all of it. [arguments]
    let status = unsafe { status.assume_init_ref() };
    Ok(FileStatus {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::unnecessary_cast,
            reason = "on Android with 32 bits its type has more than the 16 bits of a mode"
        )]
        mode: status.st_mode as libc::mode_t,
        #[allow(clippy::cast_sign_loss, reason = "no length is negative")]
        len: status.st_size as u64,
        #[allow(
            clippy::cast_sign_loss,
            clippy::unnecessary_cast,
            reason = "its type differs between architectures; it is not negative"
        )]
        block: status.st_blksize as u64,
        // File systems without a device have numbers whose upper part is zero.
        is_on_disk: libc::major(status.st_dev as libc::dev_t) != 0,
    })
}
