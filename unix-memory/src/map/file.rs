//! Mapping open files: their kind and length are checked before the kernel is asked.

use std::ffi::c_int;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use unix_memory_sys as sys;

use super::facts::{Facts, is_plain, status_of};
use super::make::why_no_access;
use super::options::MapOptions;
use crate::error::{Arguments, Call, Error, FileKind, Reason, Result};
use crate::os;
use crate::os::call::FileStatus;
use crate::page::page_size;
use crate::protection::{Access, Protection};
use crate::region::Region;
use crate::shared::SharedMapping;

/// With the feature `std`: files, and anything else that is [`AsFd`].
impl MapOptions {
    /// Maps a file, shared: what is written to the mapping reaches the file, and everybody who maps or
    /// reads the file.
    ///
    /// Without a length, this maps the rest of the file; if that is empty, so is the mapping, provided
    /// that the file can be mapped at all. (Files of /proc report length zero, and cannot be mapped.) On
    /// Linux and Android a block device is mapped to its end too. The file may be closed afterwards.
    ///
    /// # Errors
    /// * `EACCES`: the file is not open for reading ([`Reason::NotReadable`]; `EBADF` if it is open only
    ///   as a path, with `O_PATH`); `access` asks for writing and the file is not open for both
    ///   ([`Reason::NotWritable`]); or a security policy forbids it.
    /// * `EINVAL`: no length is given for a character device or another file whose length is not known
    ///   ([`Reason::LengthNeeded`]); on hugetlbfs, the offset or length is not a multiple of the huge
    ///   page size ([`Reason::HugePages`]).
    /// * `ENODEV`: the file is of a kind that cannot be mapped, such as a directory or a pipe
    ///   ([`Reason::NotMappable`]); its file system maps only privately ([`Reason::PrivateOnly`]), in
    ///   which case [`map_private`](Self::map_private) works; or its file system or driver cannot map at
    ///   all ([`Reason::NoMappings`]). Some file systems return `EOPNOTSUPP`, `ENOTSUP`, `EINVAL` or
    ///   `EIO` for this.
    /// * `ENXIO`: offset and length go past the end of a regular file, or, on Linux and Android, of a
    ///   block device ([`Reason::FileLength`]), and [`past_end`](Self::past_end) does not allow it; or
    ///   the offset alone is past the end, and no length is given.
    /// * `ENOTSUP`: on Emscripten, `access` asks for writing ([`Reason::NotWrittenBack`]).
    /// * `EOVERFLOW`: offset and length are more than a file can have
    ///   ([`Reason::OffsetLimit`]).
    /// * `ENOMEM`: more than a slice can have ([`Reason::LengthLimit`]), or more than a limit allows.
    ///   Linux and Android report which limit: on addresses ([`Reason::AddressSpaceLimit`],
    ///   [`Reason::FreeAddresses`]), of mappings ([`Reason::MappingsLimit`]), on memory for private
    ///   copies ([`Reason::DataLimit`], [`Reason::MemoryAndSwap`], [`Reason::CommittedMemory`]); on
    ///   hugetlbfs, too few huge pages in the pool ([`Reason::HugePagePool`], which also stands for
    ///   other limits on memory).
    /// * `EPERM`: a seal on a memfd forbids writing to it ([`Reason::Sealed`]), or the file system
    ///   forbids executing it ([`Reason::NotExecutable`]).
    ///
    /// After `?` into [`std::io::Error`], [`Error::from_io`] returns this error again.
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
    #[doc(alias = "map")]
    #[doc(alias = "map_mut")]
    #[doc(alias = "map_raw")]
    #[inline]
    #[doc(alias = "map_exec")]
    #[doc(alias = "map_raw_read_only")]
    #[doc(alias = "with_file")]
    pub fn map_shared<A: Access>(&self, file: impl AsFd, access: A) -> Result<SharedMapping<A>> {
        self.map_open(file.as_fd(), access, sys::MAP_SHARED)
    }

    /// Maps a file, privately: writing to the mapping changes a private copy, not the file.
    ///
    /// Pages that have not been written to still show what others write to the file, so this does not
    /// return a [`Mapping`](crate::Mapping) either. Without a length, this maps the rest of the file.
    /// The file may be closed afterwards.
    ///
    /// # Errors
    /// Those of [`map_shared`](Self::map_shared), except that the file need not be open for writing.
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
    #[doc(alias = "map_copy")]
    #[inline]
    #[doc(alias = "map_copy_read_only")]
    #[doc(alias = "with_file")]
    pub fn map_private<A: Access>(&self, file: impl AsFd, access: A) -> Result<SharedMapping<A>> {
        self.map_open(file.as_fd(), access, sys::MAP_PRIVATE)
    }

    #[inline]
    pub(crate) fn map_open<A: Access>(
        &self,
        fd: BorrowedFd<'_>,
        access: A,
        sharing: c_int,
    ) -> Result<SharedMapping<A>> {
        let status = status_of(fd)?;
        let protection = access.protection();
        let part = self.plain_part(is_plain(&status), status.len);
        let region = match self.map_part(fd, part, protection, sharing) {
            Some(region) => region,
            None => self.map_status_with_care(fd, &status, protection, sharing)?,
        };
        Ok(SharedMapping::from_region(region, access))
    }

    #[cold]
    fn map_status_with_care(
        &self,
        fd: BorrowedFd<'_>,
        status: &FileStatus,
        protection: Protection,
        sharing: c_int,
    ) -> Result<Region> {
        let facts = Facts::from_status(status, fd);
        self.setting_aside(&facts)
            .map_known_with_care(fd, &facts, protection, sharing)
    }

    /// Maps the file that `facts`, which were just read, describe.
    #[inline]
    pub(crate) fn map_known<A: Access>(
        &self,
        fd: BorrowedFd<'_>,
        facts: &Facts,
        access: A,
        sharing: c_int,
    ) -> Result<SharedMapping<A>> {
        let protection = access.protection();
        let is_plain = matches!(facts.kind, FileKind::Regular) && facts.huge_page.is_none();
        let part = self.plain_part(is_plain, facts.len);
        let region = match self.map_part(fd, part, protection, sharing) {
            Some(region) => region,
            None => self
                .setting_aside(facts)
                .map_known_with_care(fd, facts, protection, sharing)?,
        };
        Ok(SharedMapping::from_region(region, access))
    }

    /// Like [`map_known`](Self::map_known), privately, except that no memory is set aside for copies.
    /// For files that are not in huge pages, and for mappings that never become writable.
    #[allow(dead_code, reason = "only some systems have such files")]
    pub(crate) fn map_no_copies<A: Access>(
        &self,
        fd: BorrowedFd<'_>,
        facts: &Facts,
        access: A,
    ) -> Result<SharedMapping<A>> {
        if facts.huge_page.is_none() {
            return self.map_known(fd, facts, access, sys::MAP_PRIVATE);
        }
        let options = self.no_reserve(true);
        options
            .map_known_with_care(fd, facts, access.protection(), sys::MAP_PRIVATE)
            .map(|region| SharedMapping::from_region(region, access))
    }

    /// These options, except that huge pages are set aside: atomics use them in place, so they must be
    /// there.
    fn setting_aside(&self, facts: &Facts) -> Self {
        match facts.huge_page {
            Some(_) => self.without(os::MAP_NORESERVE),
            None => *self,
        }
    }

    /// How many bytes to map, if there is no obstacle: a part of a file in ordinary pages.
    #[inline]
    fn plain_part(&self, is_plain: bool, len: u64) -> Option<usize> {
        if !is_plain || !self.is_plain() || self.offset > len {
            return None;
        }
        let rest = len - self.offset;
        match self.len {
            Some(len) if len as u64 <= rest || self.past_end => Some(len),
            Some(_) => None,
            None => usize::try_from(rest).ok(),
        }
    }

    /// Maps that part, if there is one and nothing interferes.
    #[inline]
    fn map_part(
        &self,
        fd: BorrowedFd<'_>,
        part: Option<usize>,
        protection: Protection,
        sharing: c_int,
    ) -> Option<Region> {
        Region::plain(part?, protection, sharing, fd.as_raw_fd(), self.offset)
    }

    #[cold]
    fn map_known_with_care(
        &self,
        fd: BorrowedFd<'_>,
        facts: &Facts,
        protection: Protection,
        sharing: c_int,
    ) -> Result<Region> {
        let len = self.len_in(facts)?;
        if len == 0 && self.len.is_none() && facts.huge_page.is_none() {
            self.check_empty(fd, protection, sharing)?;
        }
        self.map_fd_with_care(fd.as_raw_fd(), len, protection, sharing)
            .map_err(|error| {
                let too_few = error.errno() == libc::ENOMEM && error.reason() == Reason::Kernel;
                match facts.huge_page {
                    Some(size) if too_few => error.because(Reason::HugePagePool(size)),
                    _ => explain(error, fd, protection, sharing),
                }
            })
    }

    /// Refuses an empty file that could not be mapped even if it were longer, such as the files of
    /// /proc, which report length zero.
    ///
    /// (A file in huge pages could be mapped, but one byte of it could not be unmapped.)
    fn check_empty(
        &self,
        fd: BorrowedFd<'_>,
        protection: Protection,
        sharing: c_int,
    ) -> Result<()> {
        // Mapping a byte past the end, wherever that is, shows it; the byte is not used.
        let byte = Self::new().offset(self.offset);
        match byte.map_fd_with_care(fd.as_raw_fd(), 1, protection, sharing) {
            Ok(_unmapped) => Ok(()),
            // If there is no room for it, that says nothing about the file.
            Err(error) if [libc::ENOMEM, libc::EAGAIN].contains(&error.errno()) => Ok(()),
            // Nobody asked for that byte.
            Err(error) => {
                let (offset, len) = (self.offset, None);
                let error = error.of(Arguments::File { offset, len });
                Err(explain(error, fd, protection, sharing))
            }
        }
    }

    /// The length to map: the requested one, checked against the file, or the rest of the file.
    fn len_in(&self, file: &Facts) -> Result<usize> {
        let offset = self.offset;
        let arguments = Arguments::File {
            offset,
            len: self.len,
        };
        let refuse = |errno, reason| Err(Error::new(Call::Mmap, errno, arguments, reason));

        let kind = file.kind;
        let len = match (kind, file.end, self.len) {
            (FileKind::Directory | FileKind::Pipe, ..) => {
                return refuse(libc::ENODEV, Reason::NotMappable(kind));
            }
            (_, Some(end), asked) => {
                let too_short = Reason::FileLength(end);
                let rest = match end.checked_sub(offset) {
                    Some(rest) => rest,
                    None if self.past_end && asked.is_some() => 0,
                    None => return refuse(libc::ENXIO, too_short),
                };
                match asked {
                    Some(len) if self.past_end => len,
                    Some(len) if len as u64 > rest => return refuse(libc::ENXIO, too_short),
                    Some(len) => len,
                    // More than the address space holds is more than `isize::MAX`, which is refused
                    // later.
                    None => usize::try_from(rest).unwrap_or(usize::MAX),
                }
            }
            (_, None, Some(len)) => len,
            (_, None, None) => return refuse(libc::EINVAL, Reason::LengthNeeded(kind)),
        };
        // Part of a huge page is mapped as a whole one, and cannot be unmapped as a part.
        match file.huge_page {
            Some(size) if offset % size as u64 != 0 || len % size != 0 => {
                refuse(libc::EINVAL, Reason::HugePages(size))
            }
            _ => Ok(len),
        }
    }
}

/// Finds out why the kernel did not map the file behind `fd`, if more can be learned than the error
/// number.
#[cold]
fn explain(error: Error, fd: BorrowedFd<'_>, protection: Protection, sharing: c_int) -> Error {
    // (Some systems give two of these the same value.)
    const NO_MAPPING: [c_int; 4] = [libc::ENODEV, libc::ENOTSUP, libc::EOPNOTSUPP, libc::EINVAL];
    let reason = match error.errno() {
        _ if error.call() != Call::Mmap || error.reason() != Reason::Kernel => None,
        errno if NO_MAPPING.contains(&errno) => why_no_mapping(errno, fd, protection, sharing),
        // The descriptor is open, but only for its path (`O_PATH`).
        libc::EBADF => Some(Reason::NotReadable),
        libc::EACCES => why_no_access(fd.as_raw_fd(), protection, sharing),
        libc::EPERM if os::is_sealed(fd) => Some(Reason::Sealed),
        libc::EPERM if protection.contains(Protection::EXECUTE) => Some(Reason::NotExecutable),
        _ => None,
    };
    reason.map_or(error, |reason| error.because(reason))
}

/// Why the file system or driver refused with `errno`, if the file is the reason.
fn why_no_mapping(
    errno: c_int,
    fd: BorrowedFd<'_>,
    protection: Protection,
    sharing: c_int,
) -> Option<Reason> {
    if ![sys::MAP_SHARED, sys::MAP_PRIVATE].contains(&sharing) {
        // `MAP_SYNC`: a kernel that does not know it returns another error number.
        return (errno == libc::EOPNOTSUPP).then_some(Reason::NotPersistent);
    }
    let facts = Facts::of(fd).ok()?;
    let is_plain = matches!(facts.kind, FileKind::Regular) && facts.huge_page.is_none();
    if let FileKind::Socket = facts.kind {
        // Some sockets can be mapped, such as packet sockets; this one cannot.
        return Some(Reason::NotMappable(facts.kind));
    }
    if !is_plain {
        // A device is not mapped again: mapping may have side effects.
        return (errno == libc::ENODEV).then_some(Reason::NoMappings);
    }
    // One page at its start, which may not exist.
    let page = MapOptions::new().len(page_size());
    let refuses = |sharing| {
        let mapping = page.map_fd_with_care(fd.as_raw_fd(), page_size(), protection, sharing);
        mapping.is_err_and(|error| error.errno() == errno)
    };
    match (refuses(sharing), refuses(sys::MAP_PRIVATE)) {
        (true, true) => Some(Reason::NoMappings),
        (true, false) => Some(Reason::PrivateOnly),
        // The reason is how or where it was to be mapped.
        (false, _) => None,
    }
}
