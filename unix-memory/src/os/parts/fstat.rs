//! fstat(2), with a length of 64 bits: Linux and Android.

use core::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::error::Errno;
use crate::os::call::{FileStatus, zero_or_errno};

/// What an open file is, and how long.
///
/// # Errors
/// Those of fstat(2).
#[inline]
pub fn file_status(fd: BorrowedFd<'_>) -> Result<FileStatus, Errno> {
    let mut status = MaybeUninit::<libc::stat64>::uninit();
    // SAFETY: the call writes the structure that it is given, and changes nothing else.
    zero_or_errno(unsafe { libc::fstat64(fd.as_raw_fd(), status.as_mut_ptr()) })?;
    // SAFETY: the call succeeded, so that it wrote all of it.
    let status = unsafe { status.assume_init_ref() };
    Ok(FileStatus {
        mode: status.st_mode,
        #[allow(clippy::cast_sign_loss, reason = "no length is negative")]
        len: status.st_size as u64,
        #[allow(
            clippy::cast_sign_loss,
            clippy::unnecessary_cast,
            reason = "its type differs between architectures; it is not negative"
        )]
        block: status.st_blksize as u64,
    })
}
