//! Making mappings according to the options.

use core::ffi::c_int;

use unix_memory_sys as sys;

use super::options::MapOptions;
use crate::error::{Arguments, Call, Error, FileKind, Reason, Result};
use crate::mapping::Mapping;
use crate::os::{self, call};
use crate::page::page_size;
use crate::protection::{Access, Protection, ReadWrite};
use crate::region::Region;
use crate::region::map::Request;
use crate::region::place::Place;
use crate::shared::SharedMapping;

impl MapOptions {
    /// Maps new memory, private to this process and zeroed.
    ///
    /// # Errors
    /// * `EINVAL`: there is no length, or there is an offset; the alignment is not a power of two
    ///   ([`Reason::PowerOfTwo`]); the address is not a multiple of the alignment or of the page size
    ///   ([`Reason::Unaligned`]), or is zero.
    /// * `EACCES`: the memory would be writable and executable, which the process may not have
    ///   ([`Reason::ExecuteDenied`]).
    /// * `ENOMEM`: the alignment leaves too few addresses ([`Reason::AlignmentLimit`]); the length is
    ///   more than a limit allows, and Linux and Android report which: on addresses
    ///   ([`Reason::AddressSpaceLimit`], [`Reason::FreeAddresses`]), of mappings
    ///   ([`Reason::MappingsLimit`]), on memory that can be written ([`Reason::DataLimit`],
    ///   [`Reason::MemoryAndSwap`], [`Reason::CommittedMemory`]); there is no room in the given range
    ///   ([`Reason::NoRoom`]); there are too few huge pages ([`Reason::HugePagePool`]).
    /// * `EEXIST`: something is mapped at the given address ([`Reason::Occupied`]). `EPERM`, `ENOMEM`
    ///   or `EINVAL`: the kernel lets nothing be mapped there ([`Reason::NoAddress`]).
    /// * `EAGAIN`: the limit on locked memory is exceeded, after `mlockall` ([`Reason::LockLimit`] on
    ///   Linux).
    /// * Those of [`Mapping::advise`] and [`Mapping::lock`], if the options ask for these.
    ///
    /// ```
    /// use unix_memory::{MapOptions, NoAccess, page_size};
    ///
    /// // Address space to be used later.
    /// let mapping = MapOptions::new().len(page_size() << 10).map_anonymous(NoAccess)?;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "MAP_ANONYMOUS")]
    #[inline]
    #[doc(alias = "alloc")]
    #[doc(alias = "mmap_anonymous")]
    #[doc(alias = "map_none")]
    #[doc(alias = "map_exec")]
    #[doc(alias = "map_exec_mut")]
    pub fn map_anonymous<A: Access>(&self, access: A) -> Result<Mapping<A>> {
        self.map_no_file(access.protection(), sys::MAP_PRIVATE)
            .map(|region| Mapping::from_region(region, access))
    }

    /// Maps new zeroed memory that children made by `fork` share.
    ///
    /// # Errors
    /// Those of [`map_anonymous`](Self::map_anonymous).
    #[doc(alias = "MAP_ANONYMOUS")]
    #[doc(alias = "MAP_SHARED")]
    #[inline]
    pub fn map_anonymous_shared<A: Access>(&self, access: A) -> Result<SharedMapping<A>> {
        self.map_no_file(access.protection(), sys::MAP_SHARED)
            .map(|region| SharedMapping::from_region(region, access))
    }

    /// Maps the file behind the raw descriptor `fd`, shared. The length must be given.
    ///
    /// This is for `no_std` programs; others should use `map_shared`, which is safe and checks the
    /// length against the file.
    ///
    /// # Errors
    /// Those of `map_shared`, except that a range past the end of the file is not detected.
    ///
    /// # Safety
    /// `fd` must be an open descriptor that the caller may use, or one that nobody owns. If the file
    /// is in huge pages (hugetlbfs):
    /// * offset and length must be multiples of their size; otherwise the mapping could not be
    ///   unmapped;
    /// * with [`no_reserve`](Self::no_reserve), whoever accesses the memory in place, for example
    ///   through [`SharedMapping::atomic`], must be prepared for SIGBUS: the pool may have no page
    ///   when one is first used. (`map_shared` sets the pages aside regardless of the options.)
    #[doc(alias = "MAP_SHARED")]
    #[doc(alias = "MmapAsRawDesc")]
    #[doc(alias = "MmapRawDescriptor")]
    #[doc(alias = "as_raw_desc")]
    pub unsafe fn map_shared_raw<A: Access>(
        &self,
        fd: c_int,
        access: A,
    ) -> Result<SharedMapping<A>> {
        self.map_fd(fd, self.raw_len()?, access, sys::MAP_SHARED)
    }

    /// Maps the file behind the raw descriptor `fd`, privately. The length must be given.
    ///
    /// This is for `no_std` programs; others should use `map_private`, which is safe and checks the
    /// length against the file.
    ///
    /// # Errors
    /// Those of `map_private`, except that a range past the end of the file is not detected.
    ///
    /// # Safety
    /// `fd` must be an open descriptor that the caller may use, or one that nobody owns. If the file
    /// is in huge pages (hugetlbfs):
    /// * offset and length must be multiples of their size; otherwise the mapping could not be
    ///   unmapped;
    /// * with [`no_reserve`](Self::no_reserve), whoever accesses the memory in place, for example
    ///   through [`SharedMapping::atomic`], must be prepared for SIGBUS: the pool may have no page
    ///   when one is first used. (`map_private` sets the pages aside regardless of the options.)
    #[doc(alias = "MAP_PRIVATE")]
    pub unsafe fn map_private_raw<A: Access>(
        &self,
        fd: c_int,
        access: A,
    ) -> Result<SharedMapping<A>> {
        self.map_fd(fd, self.raw_len()?, access, sys::MAP_PRIVATE)
    }

    /// The length for a descriptor about which nothing is known.
    fn raw_len(&self) -> Result<usize> {
        self.len.ok_or_else(|| {
            let arguments = Arguments::File {
                offset: self.offset,
                len: None,
            };
            let reason = Reason::LengthNeeded(FileKind::Other);
            Error::new(Call::Mmap, libc::EINVAL, arguments, reason)
        })
    }

    /// Maps `len` bytes of the file behind `fd`, which the caller may use.
    #[inline]
    pub(crate) fn map_fd<A: Access>(
        &self,
        fd: c_int,
        len: usize,
        access: A,
        sharing: c_int,
    ) -> Result<SharedMapping<A>> {
        let protection = access.protection();
        let plain = if self.is_plain() {
            Region::plain(len, protection, sharing, fd, self.offset)
        } else {
            None
        };
        let region = match plain {
            Some(region) => region,
            None => self
                .map_fd_with_care(fd, len, protection, sharing)
                .map_err(|error| match error.errno() {
                    libc::EACCES | libc::EBADF if error.reason() == Reason::Kernel => {
                        let reason = why_no_access(fd, protection, sharing);
                        error.because(reason.unwrap_or(Reason::Kernel))
                    }
                    _ => error,
                })?,
        };
        Ok(SharedMapping::from_region(region, access))
    }

    /// Maps `len` bytes of the file behind `fd`, which the caller may use, or finds out why that
    /// failed.
    #[cold]
    pub(crate) fn map_fd_with_care(
        &self,
        fd: c_int,
        len: usize,
        protection: Protection,
        sharing: c_int,
    ) -> Result<Region> {
        let arguments = Arguments::File {
            offset: self.offset,
            len: Some(len),
        };
        self.map_checked(protection, len, sharing, fd, arguments)
    }

    #[inline]
    pub(crate) fn map_no_file(&self, protection: Protection, sharing: c_int) -> Result<Region> {
        if let (true, 0, Some(len)) = (self.is_plain(), self.offset, self.len) {
            let flags = sharing | sys::MAP_ANONYMOUS;
            if let Some(region) = Region::plain(len, protection, flags, -1, 0) {
                return Ok(region);
            }
        }
        self.map_no_file_with_care(protection, sharing)
    }

    #[cold]
    fn map_no_file_with_care(&self, protection: Protection, sharing: c_int) -> Result<Region> {
        let Some(len) = self.len else {
            let reason = Reason::LengthNeeded(FileKind::None);
            return Err(Error::new(
                Call::Mmap,
                libc::EINVAL,
                Arguments::None,
                reason,
            ));
        };
        if self.offset != 0 {
            let arguments = Arguments::File {
                offset: self.offset,
                len: Some(len),
            };
            return Err(Error::new(
                Call::Mmap,
                libc::EINVAL,
                arguments,
                Reason::NoOffset,
            ));
        }
        let flags = sharing | sys::MAP_ANONYMOUS;
        self.map_checked(protection, len, flags, -1, Arguments::Length(len))
    }

    fn map_checked(
        &self,
        protection: Protection,
        len: usize,
        flags: c_int,
        fd: c_int,
        arguments: Arguments,
    ) -> Result<Region> {
        let request = Request {
            place: Place::Anywhere,
            alignment: 0,
            lead: 0,
            len,
            page_size: page_size(),
            protection,
            flags,
            fd,
            offset: self.offset,
        };
        match self.special.0 {
            Some(map) => map(self, request, arguments),
            None => Region::map_anywhere(&request, arguments),
        }
    }

    /// Maps what `request` asks for, as the options that it does not have yet say: see
    /// [`Special`](super::special::Special).
    pub(super) fn map_special(&self, mut request: Request, arguments: Arguments) -> Result<Region> {
        let refuse = |reason| Err(Error::new(Call::Mmap, libc::EINVAL, arguments, reason));
        if self.alignment != 0 && !self.alignment.is_power_of_two() {
            return refuse(Reason::PowerOfTwo);
        }
        (request.place, request.alignment) = (self.place, self.alignment);
        request.lead = self.lead;
        request.flags |= self.flags;
        if let Some((size, huge)) = self.huge_page {
            if request.fd != -1 {
                return refuse(Reason::NotAnonymous);
            }
            // Only whole ones can be unmapped.
            let whole = request.len.checked_next_multiple_of(size);
            request.len = whole.unwrap_or(usize::MAX);
            request.page_size = size;
            // Pages that are used in place, for example by atomics, must be there, even when a child
            // shares them: using a page that the pool no longer has raises SIGBUS.
            request.flags = (request.flags | huge) & !os::MAP_NORESERVE;
        }
        if self.huge_page.is_none() && !self.transparent && self.steps.is_none() {
            return Region::map(&request, arguments);
        }
        let region = if self.transparent && self.huge_page.is_none() {
            self.map_transparent(&request, arguments)?
        } else {
            Region::map(&request, arguments).map_err(|error| self.explain(error))?
        };
        self.steps.apply(region)
    }

    /// Reports too few huge pages, if the kernel has no more memory or no pages of that size.
    #[cold]
    fn explain(&self, error: Error) -> Error {
        let Some((size, _)) = self.huge_page else {
            return error;
        };
        match (error.errno(), error.reason()) {
            (libc::ENOMEM, Reason::Kernel) => error.because(Reason::HugePagePool(size)),
            (libc::EINVAL, Reason::Kernel) => error.because(Reason::HugePageSize(size)),
            _ => error,
        }
    }
}

/// Maps in the unusual cases, and after a refusal.
#[cold]
fn anonymous_with_care(len: usize) -> Result<Mapping<ReadWrite>> {
    MapOptions::new().len(len).map_anonymous(ReadWrite)
}

impl Mapping<ReadWrite> {
    /// Maps `len` bytes of new memory, private to this process and zeroed.
    ///
    /// The same as `MapOptions::new().len(len).map_anonymous(ReadWrite)`.
    ///
    /// # Errors
    /// Those of [`MapOptions::map_anonymous`].
    ///
    /// ```
    /// let mapping = unix_memory::Mapping::anonymous(100)?;
    /// assert_eq!(*mapping, [0; 100]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mmap")]
    #[doc(alias = "MAP_ANONYMOUS")]
    #[doc(alias = "map_anon")]
    #[inline]
    #[doc(alias = "alloc")]
    #[doc(alias = "mmap_anonymous")]
    pub fn anonymous(len: usize) -> Result<Self> {
        let both = ReadWrite.protection();
        let flags = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS;
        match Region::plain(len, both, flags, -1, 0) {
            Some(region) => Ok(Self::from_region(region, ReadWrite)),
            None => anonymous_with_care(len),
        }
    }
}

/// Which access to the file behind `fd` the descriptor lacks, if any.
#[cold]
pub(super) fn why_no_access(fd: c_int, protection: Protection, sharing: c_int) -> Option<Reason> {
    let writes = sharing == sys::MAP_SHARED && protection.contains(Protection::WRITE);
    match call::access_mode(fd)? {
        libc::O_WRONLY => Some(Reason::NotReadable),
        libc::O_RDONLY if writes => Some(Reason::NotWritable),
        _ => None,
    }
}
