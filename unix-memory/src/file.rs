//! Mapping open files: what they are and how long, before the kernel is asked.

use std::fs::{File, FileType};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd};
use std::os::unix::fs::FileTypeExt;

use unix_memory_sys as sys;

use crate::error::{Arguments, Call, Error, FileKind, Reason, Result};
use crate::options::MapOptions;
use crate::protection::Access;
use crate::shared::SharedMapping;

/// With the feature `std`: files, and whatever else is [`AsFd`].
impl MapOptions {
    /// Maps a file, shared: what is written to the mapping reaches the file, and others who have
    /// it mapped or read it.
    ///
    /// The length is that of the rest of the file unless given. The file may be closed afterwards.
    ///
    /// # Errors
    /// * `EACCES`: the file is not open for reading, or `access` asks for writing and it is not
    ///   open for that too; or a security policy forbids it.
    /// * `EINVAL`: no length given for a device, or whatever else does not tell it
    ///   ([`Reason::LengthNeeded`]).
    /// * `ENODEV`: what it is cannot be mapped, as a directory or a pipe
    ///   ([`Reason::NotMappable`]), or its file system cannot map.
    /// * `ENXIO`: offset and length go past the end of a regular file ([`Reason::FileLength`]).
    /// * `EOVERFLOW`: offset and length are more than a file can have
    ///   ([`Reason::OffsetLimit`]).
    /// * `ENOMEM`: more than a slice can have ([`Reason::LengthLimit`]), or than the address
    ///   space, its limit or the kernel's limit of mappings allows.
    /// * `EPERM`: a seal on a memfd forbids it, or the file system executing.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadOnly};
    ///
    /// let program = std::fs::File::open(std::env::current_exe()?)?;
    /// let mapping = MapOptions::new().map_shared(&program, ReadOnly)?;
    /// let mut magic = [0; 2];
    /// mapping.read_at(0, &mut magic)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "MAP_SHARED")]
    pub fn map_shared<A: Access>(&self, file: impl AsFd, access: A) -> Result<SharedMapping<A>> {
        let fd = file.as_fd();
        self.map_file(fd.as_raw_fd(), self.len_in(fd)?, access, sys::MAP_SHARED)
    }

    /// Maps a file, privately: what is written to the mapping is a copy of one's own.
    ///
    /// Pages that were not yet written to still show what others write to the file, so this is no
    /// [`Mapping`](crate::Mapping) either. The length is that of the rest of the file unless given.
    /// The file may be closed afterwards.
    ///
    /// # Errors
    /// As [`map_shared`](Self::map_shared), but that writing needs no file open for writing.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let program = std::fs::File::open(std::env::current_exe()?)?;
    /// let mapping = MapOptions::new().map_private(&program, ReadWrite)?;
    /// mapping.write_at(0, b"not the file's own")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "MAP_PRIVATE")]
    pub fn map_private<A: Access>(&self, file: impl AsFd, access: A) -> Result<SharedMapping<A>> {
        let fd = file.as_fd();
        self.map_file(fd.as_raw_fd(), self.len_in(fd)?, access, sys::MAP_PRIVATE)
    }

    /// The length to map: the one asked for, held against the file, or the rest of the file.
    fn len_in(&self, fd: BorrowedFd<'_>) -> Result<usize> {
        let offset = self.offset;
        let arguments = Arguments::File {
            offset,
            len: self.len,
        };
        let refuse = |errno, reason| Err(Error::new(Call::Mmap, errno, arguments, reason));

        let (kind, file_len) = kind_and_len(fd)?;
        match kind {
            FileKind::Directory | FileKind::Pipe | FileKind::Socket => {
                refuse(libc::ENODEV, Reason::NotMappable(kind))
            }
            FileKind::Regular => {
                let Some(rest) = file_len.checked_sub(offset) else {
                    return refuse(libc::ENXIO, Reason::FileLength(file_len));
                };
                match self.len {
                    Some(len) if len as u64 > rest => {
                        refuse(libc::ENXIO, Reason::FileLength(file_len))
                    }
                    Some(len) => Ok(len),
                    // More than the address space has is more than `isize::MAX`: refused later.
                    None => Ok(usize::try_from(rest).unwrap_or(usize::MAX)),
                }
            }
            _ => match self.len {
                Some(len) => Ok(len),
                None => refuse(libc::EINVAL, Reason::LengthNeeded(kind)),
            },
        }
    }
}

/// What the open file is, and its length in bytes, which means something for regular files.
fn kind_and_len(fd: BorrowedFd<'_>) -> Result<(FileKind, u64)> {
    // SAFETY: the descriptor is open as long as `fd` lives, and is not closed: never dropped.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd.as_raw_fd()) });
    let metadata = file.metadata().map_err(|error| {
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        Error::kernel(Call::Fstat, errno, Arguments::None)
    })?;
    Ok((kind(metadata.file_type()), metadata.len()))
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
