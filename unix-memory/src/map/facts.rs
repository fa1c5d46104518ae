//! What a file is, as far as it decides how it can be mapped.

use core::ffi::c_int;
use core::mem::ManuallyDrop;
use std::fs::{File, FileType};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use crate::error::{Arguments, Call, Error, FileKind, Result};
use crate::os;
use crate::page::page_size;

/// What is known of an open file.
pub struct Facts {
    pub kind: FileKind,
    /// In bytes; means something for regular files and shared memory objects.
    pub len: u64,
    /// The size in bytes of the huge pages that it is made of, if it is.
    pub huge_page: Option<usize>,
}

/// Calls `f` with a `File` of a borrowed descriptor, for its methods; it is not closed.
pub fn with_file<R>(fd: BorrowedFd<'_>, f: impl FnOnce(&File) -> R) -> R {
    // SAFETY: the descriptor is open as long as it is borrowed, and is not closed: never dropped.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd.as_raw_fd()) });
    f(&file)
}

/// The error number of a failed call of std.
pub fn errno_of(error: &std::io::Error) -> c_int {
    error.raw_os_error().unwrap_or(libc::EIO)
}

impl Facts {
    pub fn of(fd: BorrowedFd<'_>) -> Result<Self> {
        let metadata = with_file(fd, File::metadata)
            .map_err(|error| Error::kernel(Call::Fstat, errno_of(&error), Arguments::None))?;
        // Such files tell their page size as their block size; others have large blocks too.
        let block = usize::try_from(metadata.blksize()).unwrap_or(usize::MAX);
        let huge = block > page_size() && os::is_in_huge_pages(fd.as_raw_fd());
        Ok(Self {
            kind: kind(metadata.file_type()),
            len: metadata.len(),
            huge_page: huge.then_some(block),
        })
    }
}

fn kind(file_type: FileType) -> FileKind {
    if file_type.is_file() {
        FileKind::Regular
    } else if file_type.is_dir() {
        FileKind::Directory
    } else if file_type.is_char_device() {
        FileKind::CharacterDevice
    } else if file_type.is_block_device() {
        FileKind::BlockDevice
    } else if file_type.is_fifo() {
        FileKind::Pipe
    } else if file_type.is_socket() {
        FileKind::Socket
    } else {
        FileKind::Other
    }
}
