//! The builder of mappings.

use core::ffi::c_int;

use unix_memory_sys as sys;

use crate::error::{Arguments, Call, Error, FileKind, Reason, Result};
use crate::mapping::Mapping;
use crate::os;
use crate::protection::Access;
use crate::region::{Region, Request};
use crate::shared::SharedMapping;

/// What to map, and how: set what matters, then call one of the `map_` methods, any number of
/// times.
///
/// Source of all: mmap(2), POSIX.1-2024.
///
/// ```no_run
/// use unix_memory::{MapOptions, ReadOnly};
///
/// let file = std::fs::File::open("data")?;
/// let mapping = MapOptions::new().offset(100).len(50).map_shared(&file, ReadOnly)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[doc(alias = "mmap")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[must_use = "options map nothing by themselves"]
pub struct MapOptions {
    pub(crate) len: Option<usize>,
    pub(crate) offset: u64,
    hint: usize,
    populate: bool,
    no_reserve: bool,
}

impl MapOptions {
    /// No length, offset zero, no hints.
    pub const fn new() -> Self {
        Self {
            len: None,
            offset: 0,
            hint: 0,
            populate: false,
            no_reserve: false,
        }
    }

    /// The length in bytes. Needed but for a regular file, which is mapped to its end without it.
    ///
    /// Zero maps nothing: the guard is empty. The most is `isize::MAX`,
    /// rounded down to whole pages.
    pub const fn len(mut self, bytes: usize) -> Self {
        self.len = Some(bytes);
        self
    }

    /// Where in the file to begin, in bytes; it need not be a multiple of the page size.
    pub const fn offset(mut self, bytes: u64) -> Self {
        self.offset = bytes;
        self
    }

    /// An address near which to map, if the kernel likes; it never replaces anything.
    pub const fn hint(mut self, address: usize) -> Self {
        self.hint = address;
        self
    }

    /// Bring the pages in now rather than when they are used, as far as that goes: no failure is
    /// told. Of a private mapping that can be written, every page is copied. `populate()` of the
    /// guard tells, and copies nothing.
    ///
    /// # Platform
    /// `MAP_POPULATE` on Linux; without effect where there is nothing like it.
    #[doc(alias = "MAP_POPULATE")]
    pub const fn populate(mut self, yes: bool) -> Self {
        self.populate = yes;
        self
    }

    /// Reserve no swap space: more can be mapped than there is, and running out is told by a
    /// signal when pages are used, rather than by an error here.
    ///
    /// # Platform
    /// `MAP_NORESERVE`; without effect where there is nothing like it.
    #[doc(alias = "MAP_NORESERVE")]
    pub const fn no_reserve(mut self, yes: bool) -> Self {
        self.no_reserve = yes;
        self
    }

    /// Maps new memory, private to this process and zeroed.
    ///
    /// # Errors
    /// `EINVAL` without a length, or with an offset; `ENOMEM` for more than the address space, its
    /// limit (`RLIMIT_AS`) or the kernel's limit of mappings allows; `EAGAIN` over a limit on
    /// locked memory, after `mlockall`.
    ///
    /// ```
    /// use unix_memory::{MapOptions, NoAccess, page_size};
    ///
    /// // Address space to be used later.
    /// let mapping = MapOptions::new().len(page_size() << 10).map_anonymous(NoAccess)?;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "MAP_ANONYMOUS")]
    pub fn map_anonymous<A: Access>(&self, access: A) -> Result<Mapping<A>> {
        self.map_no_file(access, sys::MAP_PRIVATE)
            .map(Mapping::from_region)
    }

    /// Maps new zeroed memory that children made by `fork` share.
    ///
    /// # Errors
    /// As [`map_anonymous`](Self::map_anonymous).
    #[doc(alias = "MAP_ANONYMOUS")]
    #[doc(alias = "MAP_SHARED")]
    pub fn map_anonymous_shared<A: Access>(&self, access: A) -> Result<SharedMapping<A>> {
        self.map_no_file(access, sys::MAP_SHARED)
            .map(SharedMapping::from_region)
    }

    /// Maps the file behind the raw descriptor `fd`, shared; the length must be given.
    ///
    /// For `no_std` programs; others have `map_shared`, which is safe and checks the length against
    /// the file.
    ///
    /// # Errors
    /// As `map_shared`, but that a range past the end of the file is not noticed.
    ///
    /// # Safety
    /// `fd` must be open and the caller's to use, or one that nobody owns: it may be somebody
    /// else's otherwise. If the file is in huge pages (hugetlbfs), offset and length must be
    /// multiples of their size; what is mapped could not be unmapped otherwise.
    #[doc(alias = "MAP_SHARED")]
    pub unsafe fn map_shared_raw<A: Access>(
        &self,
        fd: c_int,
        access: A,
    ) -> Result<SharedMapping<A>> {
        self.map_file(fd, self.raw_len()?, access, sys::MAP_SHARED)
    }

    /// Maps the file behind the raw descriptor `fd`, privately; the length must be given.
    ///
    /// For `no_std` programs; others have `map_private`, which is safe and checks the length
    /// against the file.
    ///
    /// # Errors
    /// As `map_private`, but that a range past the end of the file is not noticed.
    ///
    /// # Safety
    /// `fd` must be open and the caller's to use, or one that nobody owns: it may be somebody
    /// else's otherwise. If the file is in huge pages (hugetlbfs), offset and length must be
    /// multiples of their size; what is mapped could not be unmapped otherwise.
    #[doc(alias = "MAP_PRIVATE")]
    pub unsafe fn map_private_raw<A: Access>(
        &self,
        fd: c_int,
        access: A,
    ) -> Result<SharedMapping<A>> {
        self.map_file(fd, self.raw_len()?, access, sys::MAP_PRIVATE)
    }

    /// The length for a descriptor of which nothing is known.
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
    pub(crate) fn map_file<A: Access>(
        &self,
        fd: c_int,
        len: usize,
        access: A,
        sharing: c_int,
    ) -> Result<SharedMapping<A>> {
        let arguments = Arguments::File {
            offset: self.offset,
            len: Some(len),
        };
        self.map(access, len, sharing, fd, arguments)
            .map(SharedMapping::from_region)
    }

    fn map_no_file<A: Access>(&self, access: A, sharing: c_int) -> Result<Region> {
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
        self.map(access, len, flags, -1, Arguments::Length(len))
    }

    fn map<A: Access>(
        &self,
        access: A,
        len: usize,
        flags: c_int,
        fd: c_int,
        arguments: Arguments,
    ) -> Result<Region> {
        // Its type says all.
        let _ = access;
        let mut flags = flags;
        if self.populate {
            flags |= os::MAP_POPULATE;
        }
        if self.no_reserve {
            flags |= os::MAP_NORESERVE;
        }
        let request = Request {
            hint: self.hint,
            len,
            protection: A::PROTECTION,
            flags,
            fd,
            offset: self.offset,
        };
        Region::map(&request, arguments)
    }
}
