//! The facts about a file that decide how it can be mapped.

use core::ffi::c_int;
use core::mem::ManuallyDrop;
use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd};

use crate::error::{Arguments, Call, Errno, Error, FileKind, Result};
use crate::os::{self, call::FileStatus};
use crate::page::page_size;

/// What is known about an open file.
pub struct Facts {
    pub kind: FileKind,
    /// In bytes; meaningful for regular files and shared memory objects.
    pub len: u64,
    /// Its length in bytes, if known: for regular files and block devices.
    pub end: Option<u64>,
    /// The size in bytes of its huge pages, if it is made of them.
    pub huge_page: Option<usize>,
    /// Whether its file system is known to be on a block device: see [`FileStatus`].
    pub is_on_disk: bool,
}

/// Calls `f` with a `File` over a borrowed descriptor, for its methods. The descriptor is not closed.
pub fn with_file<R>(fd: BorrowedFd<'_>, f: impl FnOnce(&File) -> R) -> R {
    // SAFETY: the descriptor is open while it is borrowed, and is not closed: the `File` is never
    // dropped. [descriptor]
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd.as_raw_fd()) });
    f(&file)
}

/// The error number of a failed call of the standard library.
pub fn errno_of(error: &std::io::Error) -> c_int {
    error.raw_os_error().unwrap_or(libc::EIO)
}

impl Facts {
    #[inline]
    pub fn of(fd: BorrowedFd<'_>) -> Result<Self> {
        let status = status_of(fd)?;
        Ok(Self::from_status(&status, fd))
    }

    /// The facts in `status`, which was just read.
    #[inline]
    pub fn from_status(status: &FileStatus, fd: BorrowedFd<'_>) -> Self {
        let kind = kind(status);
        let end = match kind {
            FileKind::Regular => Some(status.len),
            // The status of a device has no length.
            FileKind::BlockDevice => os::device_len(fd),
            _ => None,
        };
        Self {
            kind,
            len: status.len,
            end,
            huge_page: huge_page(status, fd),
            is_on_disk: status.is_on_disk,
        }
    }
}

/// The status of an open file.
#[inline]
pub fn status_of(fd: BorrowedFd<'_>) -> Result<FileStatus> {
    match os::file_status(fd) {
        Ok(status) => Ok(status),
        Err(errno) => Err(unknown(errno)),
    }
}

/// Whether it is a regular file that can be assumed to be in ordinary pages.
#[inline]
pub fn is_plain(status: &FileStatus) -> bool {
    status.mode & libc::S_IFMT == libc::S_IFREG && status.block <= page_size() as u64
}

#[cold]
const fn unknown(errno: Errno) -> Error {
    Error::kernel(Call::Fstat, errno, Arguments::None)
}

/// The size of the file's huge pages, if it is made of them.
#[inline]
fn huge_page(status: &FileStatus, fd: BorrowedFd<'_>) -> Option<usize> {
    // Such files report their page size as their block size; other files have large blocks too.
    let is_large = status.block > page_size() as u64 && !status.is_on_disk;
    if is_large && os::is_in_huge_pages(fd.as_raw_fd()) {
        usize::try_from(status.block).ok()
    } else {
        None
    }
}

#[inline]
const fn kind(status: &FileStatus) -> FileKind {
    match status.mode & libc::S_IFMT {
        libc::S_IFREG => FileKind::Regular,
        libc::S_IFDIR => FileKind::Directory,
        libc::S_IFCHR => FileKind::CharacterDevice,
        libc::S_IFBLK => FileKind::BlockDevice,
        libc::S_IFIFO => FileKind::Pipe,
        libc::S_IFSOCK => FileKind::Socket,
        _ => FileKind::Other,
    }
}
