//! Which part of a file to load, and the ways to load it.

use std::os::fd::{AsFd, BorrowedFd};

use super::FileBytes;
use super::read::{Extent, Source, read, too_long};
use super::way::{Way, leaves_another_way};
use crate::error::{Arguments, Call, Error, FileKind, Reason, Result};
use crate::map::facts::Facts;
use crate::map::options::MapOptions;
use crate::mapping::Mapping;
use crate::object::fixed::map_fixed_content;
use crate::protection::ReadOnly;
use crate::region::map::MAX_OFFSET;

/// Which part of a file to load: the options of [`FileBytes`]. Set what you need, then call
/// [`load`](Self::load) or one of the `map_` methods, any number of times.
///
/// ```
/// use unix_memory::FileBytesOptions;
///
/// let program = std::fs::File::open(std::env::current_exe()?)?;
/// let start = FileBytesOptions::new().len(16).load(&program)?;
/// let rest = FileBytesOptions::new().offset(16).load(&program)?;
/// assert_eq!((start.len() + rest.len()) as u64, program.metadata()?.len());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[must_use = "options load nothing by themselves"]
pub struct FileBytesOptions {
    offset: u64,
    len: Option<usize>,
    max_len: Option<usize>,
}

impl FileBytesOptions {
    /// The default: all of the file, however long it is.
    pub const fn new() -> Self {
        Self {
            offset: 0,
            len: None,
            max_len: None,
        }
    }

    /// Sets the offset in the file to begin at, in bytes; it need not be a multiple of anything. A
    /// file without offsets, such as a pipe, is read from its current position, and accepts only the
    /// offset zero.
    pub const fn offset(mut self, bytes: u64) -> Self {
        self.offset = bytes;
        self
    }

    /// Sets the exact number of bytes, instead of everything up to the end of the file. A pipe keeps
    /// what comes after them.
    pub const fn len(mut self, bytes: usize) -> Self {
        self.len = Some(bytes);
        self
    }

    /// Sets the largest number of bytes to accept; more are an error ([`Reason::BytesLimit`]). With this
    /// limit, an endless file, such as /dev/zero or a pipe whose writer never stops, does not take all
    /// memory.
    ///
    /// ```
    /// use unix_memory::{FileBytesOptions, Reason};
    ///
    /// let endless = std::fs::File::open("/dev/zero")?;
    /// let error = FileBytesOptions::new().max_len(1 << 20).load(&endless).unwrap_err();
    /// assert_eq!(error.reason(), Reason::BytesLimit(1 << 20));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const fn max_len(mut self, bytes: usize) -> Self {
        self.max_len = Some(bytes);
        self
    }

    /// Returns the content of any file, with safe code: mapped if nobody can change the file, and
    /// read otherwise. See [`FileBytes`].
    ///
    /// # Errors
    /// * `EISDIR`: a directory ([`Reason::NoBytes`]).
    /// * `EBADF`: the file is not open for reading ([`Reason::NotReadable`]), and at least one byte is
    ///   requested.
    /// * `EFBIG`: there are more bytes than [`max_len`](Self::max_len) allows ([`Reason::BytesLimit`]). If
    ///   the file reports its length, none are read before this error.
    /// * `ENXIO`: the file has fewer bytes than the [`len`](Self::len) that was requested, or the offset
    ///   is past its end ([`Reason::FileLength`]); or a pipe or socket ended earlier ([`Reason::Ended`]).
    /// * `EOVERFLOW`: offset and length are more than a file can have ([`Reason::OffsetLimit`]).
    /// * `ESPIPE`: an [`offset`](Self::offset) in a file without offsets, such as a pipe
    ///   ([`Reason::NoOffsets`]).
    /// * `ENOMEM`: more than the address space, its limit (`RLIMIT_AS`) or the kernel's limit of mappings
    ///   allows, or more than a slice can have ([`Reason::LengthLimit`]). If a [`len`](Self::len) was
    ///   given, nothing has been read from a pipe or a device then.
    /// * `EAGAIN`: there is nothing to read yet, and the descriptor is non-blocking
    ///   ([`Reason::WouldBlock`]).
    /// * `EINVAL`: the file can be mapped but not read, such as memory of memfd_secret(2); or it is
    ///   open with `O_DIRECT`, and the offset or the length is not a multiple of what its file system
    ///   requires.
    /// * `EIO`, `ECONNRESET` and any other error of read(2). A call that is interrupted by a signal
    ///   (`EINTR`) is repeated.
    ///
    /// After an error, the bytes that were already read from a pipe, a socket or a terminal are lost; the
    /// offset in an error of `read` is their number.
    ///
    /// # Platform
    /// Sealed files are mapped on Linux, Android and FreeBSD, and files with fs-verity on Linux and
    /// Android; if no more descriptors can be opened, they are read. Elsewhere all files are read.
    #[doc(alias = "pread")]
    #[doc(alias = "read")]
    pub fn load(&self, file: impl AsFd) -> Result<FileBytes> {
        let fd = file.as_fd();
        let facts = self.check(fd)?;
        if facts.kind == FileKind::Regular {
            if let Some((mapping, is_sealed)) = map_fixed_content(fd, &facts, self.map_options()) {
                if is_sealed {
                    return self.limited(mapping, Way::Sealed);
                }
                return self.limited(mapping, Way::Verified);
            }
        }
        self.read(fd, &facts)
    }

    /// Returns the content of a file that the caller vouches for, mapped privately, or read if that
    /// is not possible.
    ///
    /// The file is read if it cannot be mapped, or if it does not report its length and no
    /// [`len`](Self::len) is given. [`FileBytes::way`] returns which of these happened.
    ///
    /// # Errors
    /// Those of [`load`](Self::load) and, if the file is mapped, those of [`MapOptions::map_private`].
    ///
    /// # Safety
    /// Unless the file was read ([`Way::Read`]), the following must hold as long as the result, or the
    /// mapping that it becomes, lives:
    /// * nobody writes to that part of the file, truncates the file to less than it, or takes bytes
    ///   out of it (by `fallocate`): no other process, and no other descriptor or mapping in this
    ///   one. Bytes that change are undefined behaviour; bytes that are gone, or that a disk cannot
    ///   read, raise SIGBUS;
    /// * if it is made writable (by [`into_mapping`](FileBytes::into_mapping) and
    ///   [`protect`](crate::Mapping::protect)), and the way is [`Way::MappedShared`], nobody else
    ///   holds a reference to bytes of the file.
    ///
    /// ```
    /// use unix_memory::{FileBytesOptions, Way};
    ///
    /// let program = std::fs::File::open(std::env::current_exe()?)?;
    /// // SAFETY: nobody changes a running program.
    /// let bytes = unsafe { FileBytesOptions::new().map_private(&program) }?;
    /// assert_eq!(bytes.way(), Way::MappedPrivate);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "mmap")]
    #[doc(alias = "MAP_PRIVATE")]
    pub unsafe fn map_private(&self, file: impl AsFd) -> Result<FileBytes> {
        // SAFETY: as the caller vouches. [caller]
        unsafe { self.map(file.as_fd(), &[Way::MappedPrivate]) }
    }

    /// Returns the content of a file that the caller vouches for, mapped shared. If its file system has no
    /// shared mappings (such as FUSE with direct I/O), it is mapped privately; if that is not possible
    /// either, it is read.
    ///
    /// As long as nobody writes to the bytes, a shared and a private mapping show the same.
    ///
    /// # Errors
    /// Those of [`load`](Self::load) and, if the file is mapped, those of [`MapOptions::map_shared`].
    ///
    /// # Safety
    /// The same as for [`map_private`](Self::map_private).
    ///
    /// ```
    /// use unix_memory::{FileBytesOptions, Way};
    ///
    /// let program = std::fs::File::open(std::env::current_exe()?)?;
    /// // SAFETY: nobody changes a running program.
    /// let bytes = unsafe { FileBytesOptions::new().map_shared(&program) }?;
    /// println!("{} bytes, {:?}", bytes.len(), bytes.way());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "mmap")]
    #[doc(alias = "MAP_SHARED")]
    pub unsafe fn map_shared(&self, file: impl AsFd) -> Result<FileBytes> {
        // SAFETY: as the caller vouches. [caller]
        unsafe { self.map(file.as_fd(), &[Way::MappedShared, Way::MappedPrivate]) }
    }

    /// Returns the content, mapped in the first of these ways that works, or read.
    ///
    /// # Safety
    /// The same as for [`map_private`](Self::map_private).
    unsafe fn map(&self, fd: BorrowedFd<'_>, ways: &[Way]) -> Result<FileBytes> {
        let facts = self.check(fd)?;
        // The file reports that it has no such part; if it cannot be mapped, that may be wrong.
        let is_doubtful = facts.kind == FileKind::Regular
            && facts.len == 0
            && (self.len.is_some() || self.offset != 0);
        // Linux maps the sockets of some protocols, but not the bytes that they would deliver.
        let ways = match facts.kind {
            FileKind::Socket => &[],
            _ => ways,
        };
        for &way in ways {
            let map = |options: MapOptions| match way {
                Way::MappedShared => options.map_shared(fd, ReadOnly),
                _ => options.map_private(fd, ReadOnly),
            };
            let mapping = if is_doubtful {
                map(MapOptions::new()).and_then(|_nothing| map(self.map_options()))
            } else {
                map(self.map_options())
            };
            match mapping {
                Ok(mapping) => {
                    // SAFETY: as the caller vouches; huge pages were reserved. [caller]
                    let mapping = unsafe { mapping.assume_unshared() };
                    return self.limited(mapping, way);
                }
                Err(error) if leaves_another_way(&error) => {}
                // A part of a huge page can be read.
                Err(error) if matches!(error.reason(), Reason::HugePages(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.read(fd, &facts)
    }

    fn map_options(&self) -> MapOptions {
        let options = MapOptions::new().offset(self.offset);
        match self.len {
            Some(len) => options.len(len),
            None => options,
        }
    }

    /// Returns what the file is, unless the options refuse it.
    fn check(&self, fd: BorrowedFd<'_>) -> Result<Facts> {
        let (offset, len) = (self.offset, self.len);
        let refuse = |errno, reason| {
            let arguments = Arguments::File { offset, len };
            Err(Error::new(Call::ReadFile, errno, arguments, reason))
        };
        if offset > MAX_OFFSET || len.unwrap_or(0) as u64 > MAX_OFFSET - offset {
            return refuse(libc::EOVERFLOW, Reason::OffsetLimit(MAX_OFFSET));
        }
        let facts = Facts::of(fd)?;
        if facts.kind == FileKind::Directory {
            // Some systems can read directories.
            return refuse(libc::EISDIR, Reason::NoBytes(facts.kind));
        }
        let Some(limit) = self.max_len else {
            return Ok(facts);
        };
        let is_too_long = match len {
            Some(len) => len > limit,
            None if facts.kind == FileKind::Regular => {
                // Some files report more than they have, for example those of sysfs. (An error is
                // returned again when the file is read.)
                let beyond = || Source::at(fd, offset).read(limit, &mut [0]);
                facts.len.saturating_sub(offset) > limit as u64
                    && beyond().is_ok_and(|read| read > 0)
            }
            None => false,
        };
        if is_too_long {
            return Err(too_long(offset, limit));
        }
        Ok(facts)
    }

    /// Checks the limit again: the file may have grown.
    fn limited(&self, mapping: Mapping<ReadOnly>, way: Way) -> Result<FileBytes> {
        match self.max_len {
            Some(limit) if mapping.len() > limit => Err(too_long(self.offset, limit)),
            _ => Ok(FileBytes { mapping, way }),
        }
    }

    fn read(&self, fd: BorrowedFd<'_>, facts: &Facts) -> Result<FileBytes> {
        let offset = self.offset;
        // The memory for a requested length is made before anything is read: if there is none, no pipe
        // loses bytes, and no endless device fills the machine's memory first.
        let expected = match (facts.end, self.len) {
            (Some(end), _) => end.saturating_sub(offset),
            (None, len) => len.unwrap_or(0) as u64,
        };
        let extent = match self.len {
            Some(len) => Extent::UpTo(len),
            None => Extent::Whole(self.max_len.unwrap_or(usize::MAX)),
        };
        let ends_early = facts.is_on_disk && facts.kind == FileKind::Regular;
        let mapping = match read(Source::at(fd, offset), extent, expected, ends_early) {
            Err(error) if error.errno() == libc::ESPIPE && offset == 0 => {
                read(Source::stream(fd), extent, expected, false)?
            }
            Err(error) if error.errno() == libc::ESPIPE => {
                return Err(error.because(Reason::NoOffsets(facts.kind)));
            }
            result => result?,
        };
        let is_past_end = || {
            // If no bytes were asked for, none were read.
            let has_more = self.len.is_some()
                && Source::at(fd, offset)
                    .read(0, &mut [0])
                    .is_ok_and(|read| read > 0);
            facts.kind == FileKind::Regular && facts.len < offset && !has_more
        };
        let end = match self.len {
            // If nothing was read, it may have ended long before.
            Some(len) if len > 0 && mapping.is_empty() => {
                Some(facts.end.map_or(offset, |end| end.min(offset)))
            }
            Some(len) if mapping.len() < len => Some(offset + mapping.len() as u64),
            _ if mapping.is_empty() && is_past_end() => Some(facts.len),
            _ => None,
        };
        if let Some(end) = end {
            let arguments = Arguments::File {
                offset,
                len: self.len,
            };
            let reason = if facts.kind == FileKind::Regular {
                Reason::FileLength(end)
            } else {
                Reason::Ended {
                    kind: facts.kind,
                    at: end,
                }
            };
            return Err(Error::new(Call::ReadFile, libc::ENXIO, arguments, reason));
        }
        Ok(FileBytes {
            mapping,
            way: Way::Read,
        })
    }
}

impl FileBytes {
    /// Returns the content of any file, with safe code: mapped if nobody can change the file, and
    /// read otherwise.
    ///
    /// This is `FileBytesOptions::new().load(file)`. To load a part, or to keep an endless file from
    /// taking all memory, use [`FileBytesOptions`].
    ///
    /// # Errors
    /// Those of [`FileBytesOptions::load`].
    ///
    /// ```
    /// use std::io::Write;
    /// use unix_memory::{FileBytes, Way};
    ///
    /// let mut file = tempfile::tempfile()?;
    /// file.write_all(b"all of it")?;
    /// // (Wherever the file stands.)
    /// let bytes = FileBytes::load(&file)?;
    /// file.set_len(0)?;
    /// assert_eq!(*bytes, *b"all of it");
    /// assert_eq!(bytes.way(), Way::Read);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn load(file: impl AsFd) -> Result<Self> {
        FileBytesOptions::new().load(file)
    }
}
