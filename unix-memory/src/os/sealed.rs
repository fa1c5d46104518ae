//! Memory that nobody can change any more: memfds with seals.

use core::ffi::c_int;
use core::fmt;
use core::ops::Deref;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use unix_memory_sys as sys;

use super::memfd::MemfdOptions;
use super::{is_verified, memfd_create};
use crate::call;
use crate::error::{Arguments, Call, Error, Failed, Reason, Result};
use crate::file::{Facts, errno_of, with_file};
use crate::mapping::Mapping;
use crate::object::{SharedMemory, clone};
use crate::options::MapOptions;
use crate::protection::ReadOnly;

bitflags::bitflags! {
    /// What can no longer be done to a file in memory, by nobody. Source: fcntl(2), `F_ADD_SEALS`.
    ///
    /// A seal is the file's, not a descriptor's, and stays. Linux has two more.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Seals: c_int {
        /// No more seals.
        #[doc(alias = "F_SEAL_SEAL")]
        const SEAL = sys::F_SEAL_SEAL;
        /// The file cannot become shorter: nobody who has it mapped can lose a page.
        #[doc(alias = "F_SEAL_SHRINK")]
        const SHRINK = sys::F_SEAL_SHRINK;
        /// The file cannot become longer.
        #[doc(alias = "F_SEAL_GROW")]
        const GROW = sys::F_SEAL_GROW;
        /// The content cannot change; refused while somebody has the file mapped shared and could
        /// write.
        #[doc(alias = "F_SEAL_WRITE")]
        const WRITE = sys::F_SEAL_WRITE;
        /// What else there is, or will be.
        const _ = !0;
    }
}

/// Memory that nobody can change any more, in this process or another, with whatever rights: it
/// derefs to `[u8]`, by safe code, though others have it too.
///
/// It is a memfd whose seals forbid to write to it and to make it shorter, mapped for reading; or, on
/// Linux and Android, a file with fs-verity, which forbids as much. Pass the descriptor (`AsFd`) to
/// others, who get as much by [`from_fd`](Self::from_fd), and need not trust this process.
///
/// It comes
/// * from bytes: [`from_bytes`](Self::from_bytes);
/// * without a copy, from a [`SharedMemory`] that was filled through a mapping:
///   [`SharedMemory::seal`];
/// * from a descriptor that somebody sent, or of a file: [`from_fd`](Self::from_fd), and for a part
///   of it [`MapOptions::map_sealed`].
///
/// * **fork**: a child shares it. **exec**: the descriptor is closed.
/// * **Running out**: pages of a memfd that were never written to take memory when they are first
///   read, as those of new memory do when they are written to.
/// * **Broken disks**: to touch a page of a file that cannot be read, or no longer is what was
///   verified, raises SIGBUS. (It is no undefined behaviour.)
///
/// # Platform
/// Linux (3.17; fs-verity 5.5, on ext4, f2fs and btrfs), Android, FreeBSD (13.0).
///
/// ```
/// use unix_memory::SealedMemory;
///
/// let ours = SealedMemory::from_bytes(b"a constant")?;
/// // As if it had come over a socket:
/// let theirs = SealedMemory::from_fd(&ours)?;
/// assert_eq!(&*theirs, b"a constant");
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// What does not compile: to write to it.
///
/// ```compile_fail,E0594
/// # use unix_memory::SealedMemory;
/// let mut sealed = SealedMemory::from_bytes(b"a constant")?;
/// sealed[0] = b'A';
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "memfd_create")]
#[doc(alias = "F_ADD_SEALS")]
#[must_use = "it is unmapped when it is dropped"]
pub struct SealedMemory {
    mapping: Mapping<ReadOnly>,
    memory: SharedMemory,
}

impl SealedMemory {
    /// Copies `bytes` into new memory, and seals it.
    ///
    /// # Errors
    /// Those of [`MemfdOptions::create`] and of writing: `ENOSPC`, `ENOMEM`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let memory = MemfdOptions::new().sealing(true).create(0)?;
        with_file(memory.as_fd(), |mut file| file.write_all(bytes)).map_err(|error| {
            let arguments = Arguments::Length(bytes.len());
            Error::kernel(Call::WriteFile, errno_of(&error), arguments)
        })?;
        Ok(memory.seal()?)
    }

    /// Maps the sealed memory behind a descriptor that somebody sent, or a file with fs-verity, and
    /// keeps another descriptor of it.
    ///
    /// # Errors
    /// As [`MapOptions::map_sealed`].
    #[doc(alias = "F_GET_SEALS")]
    pub fn from_fd(fd: impl AsFd) -> Result<Self> {
        MapOptions::new().map_sealed(fd)
    }

    fn map(memory: &SharedMemory, options: MapOptions) -> Result<Mapping<ReadOnly>> {
        match memory.seals() {
            Ok(seals) => {
                let shrink = !seals.contains(Seals::SHRINK);
                let write = !seals.contains(Seals::WRITE);
                if shrink || write {
                    let reason = Reason::SealsMissing { shrink, write };
                    return Err(Error::new(
                        Call::GetSeals,
                        libc::EPERM,
                        Arguments::None,
                        reason,
                    ));
                }
            }
            Err(error) if error.reason() == Reason::NotSealable && is_verified(memory.as_fd()) => {}
            Err(error) => return Err(error),
        }
        // From here on the file is at least so long.
        let facts = Facts::of(memory.as_fd())?;
        // Privately: before Linux 6.7 such a file cannot be mapped shared. No page is ever copied,
        // since none is written to; huge ones need not be set aside for that.
        let options = options.no_reserve(true).past_end(false);
        let mapping = options.map_private(memory, ReadOnly)?;
        if facts.huge_page.is_some() {
            // A huge page that is missing is told by a signal later.
            mapping.populate()?;
        }
        // SAFETY: a file whose seals, or fs-verity, forbid it, which nobody can take away, is
        // neither written to nor truncated, and no hole is punched into it. Pages that are written
        // to, after a change of protection, are this mapping's own: it is private.
        Ok(unsafe { mapping.assume_unshared() })
    }

    /// The mapping, for locks, advice, residency.
    pub const fn mapping(&self) -> &Mapping<ReadOnly> {
        &self.mapping
    }

    /// The mapping alone; the descriptor is closed.
    ///
    /// It is a private one. So to make it writable, by [`Mapping::protect`], gives a copy of the
    /// content in which only the pages that are written to are copied; of huge pages, all are copied at
    /// once, which fails with [`Reason::HugePagePool`] where the pool has too few.
    ///
    /// ```
    /// use unix_memory::{ReadWrite, SealedMemory};
    ///
    /// let sealed = SealedMemory::from_bytes(b"a constant")?;
    /// let mut copy = SealedMemory::from_fd(&sealed)?.into_mapping().protect(ReadWrite)?;
    /// copy[0] = b'A';
    /// assert_eq!((&copy[..], &sealed[..]), (&b"A constant"[..], &b"a constant"[..]));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn into_mapping(self) -> Mapping<ReadOnly> {
        self.mapping
    }

    /// The file's seals.
    ///
    /// # Errors
    /// As [`SharedMemory::seals`], which did not fail before; `EINVAL` with [`Reason::NotSealable`]
    /// for a file with fs-verity, which has none.
    pub fn seals(&self) -> Result<Seals> {
        self.memory.seals()
    }
}

/// With Linux, Android and FreeBSD: files that nobody can change any more.
impl MapOptions {
    /// Maps a file that nobody can change any more, or a part of it, for reading, and keeps another
    /// descriptor of it.
    ///
    /// The file is a memfd whose seals say so, or, on Linux and Android, one with fs-verity
    /// (`FS_IOC_ENABLE_VERITY`) on ext4, f2fs or btrfs. The length is that of the rest of the file
    /// unless given.
    ///
    /// # Errors
    /// * [`Reason::SealsMissing`] with `EPERM`: its seals do not forbid to write to it and to make
    ///   it shorter. `F_SEAL_FUTURE_WRITE` alone is not enough: whoever mapped it before can write.
    /// * [`Reason::NotSealable`] with `EINVAL`: it is no memfd, and can have no seals; nor has it
    ///   fs-verity.
    /// * `EACCES`: it is not open for reading.
    /// * `EMFILE`: too many open files.
    /// * Those of [`map_private`](Self::map_private), as `ENXIO` for a part that goes past the end;
    ///   of huge pages, those of [`Mapping::populate`]: pages that nobody has written to come from
    ///   the pool, and there may be none.
    ///
    /// ```
    /// use unix_memory::{MapOptions, SealedMemory};
    ///
    /// let whole = SealedMemory::from_bytes(b"a constant")?;
    /// let part = MapOptions::new().offset(2).len(5).map_sealed(&whole)?;
    /// assert_eq!(*part, *b"const");
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "F_GET_SEALS")]
    #[doc(alias = "STATX_ATTR_VERITY")]
    pub fn map_sealed(&self, file: impl AsFd) -> Result<SealedMemory> {
        let memory = SharedMemory::from(clone(file.as_fd())?);
        let mapping = SealedMemory::map(&memory, self.clone())?;
        Ok(SealedMemory { mapping, memory })
    }
}

/// With Linux, Android and FreeBSD: seals.
impl SharedMemory {
    /// The file's seals.
    ///
    /// # Errors
    /// `EINVAL` with [`Reason::NotSealable`]: it is no memfd.
    #[doc(alias = "F_GET_SEALS")]
    pub fn seals(&self) -> Result<Seals> {
        self.raw_seals().map(Seals::from_bits_retain)
    }

    /// Adds seals, which nobody can take away again.
    ///
    /// # Errors
    /// * `EBUSY` with [`Reason::Mapped`], for [`Seals::WRITE`]: somebody has the file mapped shared
    ///   and could write, be it that the mapping is read-only now. Drop every [`SharedMapping`] of
    ///   it first. Also while the kernel itself is at work on its pages.
    /// * `EPERM`: no seals may be added ([`Seals::SEAL`], see [`MemfdOptions::sealing`]), or the
    ///   descriptor is not open for writing.
    /// * `EINVAL` with [`Reason::NotSealable`]: it is no memfd; or the kernel does not know one of
    ///   the seals.
    ///
    /// [`SharedMapping`]: crate::SharedMapping
    ///
    /// ```
    /// use unix_memory::{MemfdOptions, Seals};
    ///
    /// // Nobody can take pages away from those who have it mapped.
    /// let memory = MemfdOptions::new().sealing(true).create(100)?;
    /// memory.add_seals(Seals::SHRINK | Seals::SEAL)?;
    /// assert!(memory.set_len(99).is_err());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "F_ADD_SEALS")]
    pub fn add_seals(&self, seals: Seals) -> Result<()> {
        self.add_raw_seals(seals.bits())
    }

    /// Seals it for good, so that neither content nor length can change, and maps it for reading.
    ///
    /// # Errors
    /// As [`add_seals`](Self::add_seals) and [`SealedMemory::from_fd`]. The memory comes back
    /// inside the error: where the mapping failed, sealed.
    ///
    /// ```
    /// use unix_memory::{MemfdOptions, ReadWrite, Reason};
    ///
    /// let memory = MemfdOptions::new().sealing(true).create(1 << 20)?;
    /// let mapping = memory.map(ReadWrite)?;
    /// mapping.fill(.., 7)?;
    /// // Too early: this very mapping could still write.
    /// let (error, memory) = memory.seal().unwrap_err().into_parts();
    /// assert_eq!(error.reason(), Reason::Mapped);
    /// drop(mapping);
    /// assert_eq!(*memory.seal()?, [7; 1 << 20]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "F_ADD_SEALS")]
    pub fn seal(self) -> core::result::Result<SealedMemory, Failed<Self>> {
        let all = Seals::SHRINK | Seals::GROW | Seals::WRITE | Seals::SEAL;
        match self.seals() {
            // It may be so already, and no more seals be allowed.
            Ok(seals) if seals.contains(all) => {}
            Ok(_) => {
                let more = all | Seals::from_bits_retain(memfd_create::MORE_SEALS);
                let sealed = match self.add_seals(more) {
                    // A kernel that does not know all of them.
                    Err(error) if error.errno() == libc::EINVAL => self.add_seals(all),
                    result => result,
                };
                if let Err(error) = sealed {
                    return Err(Failed::new(error, self));
                }
            }
            Err(error) => return Err(Failed::new(error, self)),
        }
        SealedMemory::try_from(self)
    }

    pub(super) fn raw_seals(&self) -> Result<c_int> {
        // SAFETY: the command ignores its argument.
        unsafe { call::fcntl(self.as_fd(), sys::F_GET_SEALS, 0) }.map_err(|errno| {
            let reason = match errno {
                libc::EINVAL => Reason::NotSealable,
                _ => Reason::Kernel,
            };
            Error::new(Call::GetSeals, errno, Arguments::None, reason)
        })
    }

    pub(super) fn add_raw_seals(&self, seals: c_int) -> Result<()> {
        // SAFETY: the command takes seals.
        let added = unsafe { call::fcntl(self.as_fd(), sys::F_ADD_SEALS, seals) };
        added.map(drop).map_err(|errno| {
            let reason = match errno {
                libc::EBUSY => Reason::Mapped,
                libc::EINVAL if self.raw_seals().is_err() => Reason::NotSealable,
                _ => Reason::Kernel,
            };
            Error::new(Call::AddSeals, errno, Arguments::None, reason)
        })
    }
}

impl TryFrom<SharedMemory> for SealedMemory {
    type Error = Failed<SharedMemory>;

    /// As [`SealedMemory::from_fd`], but that the descriptor is kept. It comes back inside the error.
    fn try_from(memory: SharedMemory) -> core::result::Result<Self, Failed<SharedMemory>> {
        match Self::map(&memory, MapOptions::new()) {
            Ok(mapping) => Ok(Self { mapping, memory }),
            Err(error) => Err(Failed::new(error, memory)),
        }
    }
}

impl Deref for SealedMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.mapping
    }
}

impl AsRef<[u8]> for SealedMemory {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsFd for SealedMemory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

impl From<SealedMemory> for SharedMemory {
    fn from(sealed: SealedMemory) -> Self {
        sealed.memory
    }
}

impl From<SealedMemory> for OwnedFd {
    fn from(sealed: SealedMemory) -> Self {
        sealed.memory.into()
    }
}

impl fmt::Debug for SealedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedMemory")
            .field("mapping", &self.mapping)
            .field("memory", &self.memory)
            .finish()
    }
}
