//! Memory that can be passed to others as a descriptor.

use core::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use unix_memory_sys as sys;

use crate::error::{Arguments, Call, Error, FileKind, Result};
use crate::map::facts::{Facts, errno_of};
use crate::map::length;
use crate::map::options::MapOptions;
use crate::protection::Access;
use crate::shared::SharedMapping;

/// Memory that can be mapped many times, here and by others who get its descriptor: a memfd, a POSIX
/// shared memory object, or any other file.
///
/// The memory lives as long as a descriptor or a mapping of it. Others get it like any descriptor: over
/// a Unix socket (`SCM_RIGHTS`), by inheritance in a child, or by opening its name, if it has one
/// ([`NamedMemory`]). Whoever has it can change it and its length, so it is mapped as a
/// [`SharedMapping`]. For memory that nobody can change any more, see [`SealedMemory`].
///
/// * **Descriptors** are closed on exec. A child made by `fork` has them too.
/// * **Running out**: memory is allocated when it is first touched. If none is left then, no call
///   fails: the system kills processes, or the access raises SIGBUS.
///
/// It comes from [`unnamed`](Self::unnamed), from [`MemfdOptions`] where there are memfds, or from
/// any descriptor (`From<OwnedFd>`), such as one that came over a socket.
///
/// ```
/// use unix_memory::{ReadOnly, ReadWrite, SharedMemory};
///
/// let memory = SharedMemory::unnamed(100)?;
/// let (ours, theirs) = (memory.map(ReadWrite)?, memory.map(ReadOnly)?);
/// ours.write_at(98, b"hi")?;
/// let mut bytes = [0; 2];
/// theirs.read_at(98, &mut bytes)?;
/// assert_eq!(&bytes, b"hi");
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// [`MemfdOptions`]: https://docs.rs/unix-memory/latest/unix_memory/struct.MemfdOptions.html
/// [`NamedMemory`]: https://docs.rs/unix-memory/latest/unix_memory/struct.NamedMemory.html
/// [`SealedMemory`]: https://docs.rs/unix-memory/latest/unix_memory/struct.SealedMemory.html
pub struct SharedMemory {
    fd: OwnedFd,
}

impl SharedMemory {
    /// Sets the length of a new, empty object.
    pub(crate) fn set_first_len(&self, len: u64) -> Result<()> {
        // On Apple's systems it can be set only once, which zero must not use up.
        if len == 0 {
            return Ok(());
        }
        self.set_len(len)
    }

    /// The current length in bytes.
    ///
    /// Others may change it. On Apple's systems, it is a whole number of pages.
    ///
    /// # Errors
    /// `EIO` or `EOVERFLOW` from a file system.
    ///
    /// ```
    /// assert_eq!(unix_memory::SharedMemory::unnamed(0)?.len()?, 0);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "fstat")]
    pub fn len(&self) -> Result<u64> {
        Facts::of(self.as_fd()).map(|facts| facts.len)
    }

    /// Whether the length is currently zero.
    ///
    /// # Errors
    /// Those of [`len`](Self::len).
    pub fn is_empty(&self) -> Result<bool> {
        self.len().map(|len| len == 0)
    }

    /// Sets the length in bytes. Added bytes are zero.
    ///
    /// Growing is harmless: mappings stay as long as they were, and [`remap`](Self::remap) makes them
    /// longer. Shrinking takes the memory away from whoever has it mapped, here and elsewhere: a copy
    /// that reaches a page that is gone fails with `EFAULT` ([`Reason::Fault`](crate::Reason::Fault));
    /// for other accesses, see "Truncation" at [`SharedMapping`]. Source: ftruncate(2), POSIX.1-2024.
    ///
    /// # Errors
    /// * `EFBIG`: longer than a file can be ([`Reason::OffsetLimit`](crate::Reason::OffsetLimit)), or
    ///   than this process may make a file (`RLIMIT_FSIZE`,
    ///   [`Reason::FileSizeLimit`](crate::Reason::FileSizeLimit)).
    /// * `EINVAL`: the descriptor is not open for writing, or refers to something without a length; or
    ///   the length is not a multiple of the size of the memory's huge pages
    ///   ([`Reason::HugePages`](crate::Reason::HugePages)).
    /// * `EPERM`: a seal forbids it.
    ///
    /// # Platform
    /// On Apple's systems, the length of a shared memory object can be set only once (`EINVAL`).
    ///
    /// ```
    /// use unix_memory::{ReadWrite, SharedMemory};
    ///
    /// let memory = SharedMemory::unnamed(10)?;
    /// let before = memory.map(ReadWrite)?;
    /// # if !cfg!(target_vendor = "apple") {
    /// memory.set_len(1 << 20)?;
    /// assert_eq!((before.len(), memory.len()?), (10, 1 << 20));
    /// # }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "ftruncate")]
    pub fn set_len(&self, len: u64) -> Result<()> {
        length::set_len(self.as_fd(), len)
    }

    /// Maps all of the memory, shared. [`MapOptions::map_shared`] can map a part, and has more options.
    ///
    /// # Errors
    /// Those of [`MapOptions::map_shared`].
    #[doc(alias = "mmap")]
    pub fn map<A: Access>(&self, access: A) -> Result<SharedMapping<A>> {
        let facts = Facts::of(self.as_fd())?;
        let mut options = MapOptions::new();
        if let FileKind::Other = facts.kind {
            // On Apple's systems such an object does not report its kind, and needs a length.
            options = options.len(usize::try_from(facts.len).unwrap_or(usize::MAX));
        }
        options.map_known(self.as_fd(), &facts, access, sys::MAP_SHARED)
    }

    /// Maps all of the memory again if its length has changed, in place of `mapping`, which mapped all
    /// of it before. Returns whether that was necessary.
    ///
    /// The new mapping may be at another address, and does not have the locks and advice of the old
    /// one.
    ///
    /// # Errors
    /// Those of [`map`](Self::map); `mapping` is as it was then.
    ///
    /// ```
    /// use unix_memory::{ReadWrite, SharedMemory};
    ///
    /// let memory = SharedMemory::unnamed(10)?;
    /// let mut mapping = memory.map(ReadWrite)?;
    /// assert!(!memory.remap(&mut mapping)?);
    /// # if !cfg!(target_vendor = "apple") {
    /// memory.set_len(20)?;
    /// assert!(memory.remap(&mut mapping)?);
    /// mapping.write_at(10, b"more")?;
    /// # }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mremap")]
    pub fn remap<A: Access>(&self, mapping: &mut SharedMapping<A>) -> Result<bool> {
        if self.len()? == mapping.len() as u64 {
            return Ok(false);
        }
        *mapping = self.map(mapping.access())?;
        Ok(true)
    }

    /// Another descriptor of the same memory.
    ///
    /// # Errors
    /// `EMFILE`: too many open files.
    #[doc(alias = "dup")]
    pub fn try_clone(&self) -> Result<Self> {
        clone(self.as_fd()).map(Self::from)
    }
}

/// Another descriptor of the same object as `fd`, closed on exec.
pub fn clone(fd: BorrowedFd<'_>) -> Result<OwnedFd> {
    fd.try_clone_to_owned()
        .map_err(|error| Error::kernel(Call::Fcntl, errno_of(&error), Arguments::None))
}

impl AsFd for SharedMemory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<OwnedFd> for SharedMemory {
    /// Accepts any descriptor: its kind is checked when it is mapped.
    fn from(fd: OwnedFd) -> Self {
        Self { fd }
    }
}

impl From<SharedMemory> for OwnedFd {
    fn from(memory: SharedMemory) -> Self {
        memory.fd
    }
}

impl fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMemory")
            .field("fd", &self.fd)
            .field("len", &self.len().ok())
            .finish()
    }
}
