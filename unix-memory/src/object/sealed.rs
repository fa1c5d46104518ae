//! Memory that nobody can change any more: memfds with seals.

use core::fmt;
use core::ops::Deref;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::memfd::MemfdOptions;
use super::seals::{Seals, seals_of};
use super::shared_memory::{SharedMemory, clone};
use crate::error::{Arguments, Call, Error, Failed, Reason, Result};
use crate::map::facts::{Facts, errno_of, with_file};
use crate::map::options::MapOptions;
use crate::mapping::Mapping;
use crate::os;
use crate::protection::ReadOnly;
use crate::region::map::beyond_limit;

/// Memory that nobody can change any more, in this process or another, whatever their rights. It derefs
/// to `[u8]` in safe code, even though others have it too.
///
/// It is a memfd whose seals forbid writing to it and making it shorter, mapped for reading; or, on
/// Linux and Android, a file with fs-verity, which forbids the same. Pass the descriptor (`AsFd`) to
/// others: they get the same memory with [`from_fd`](Self::from_fd), and need not trust this process.
///
/// It comes
/// * from bytes: [`from_bytes`](Self::from_bytes);
/// * without a copy, from a [`SharedMemory`] that was filled through a mapping:
///   [`SharedMemory::seal`];
/// * from a descriptor that somebody sent, or of a file: [`from_fd`](Self::from_fd), or for a part of it
///   [`MapOptions::map_sealed`].
///
/// * **fork**: a child shares it. **exec**: the descriptor is closed.
/// * **Running out**: pages of a memfd that were never written to take memory when they are first
///   read, as pages of new memory do when they are first written to.
/// * **Broken disks**: if a page of a file cannot be read, or fails verification, touching it raises
///   SIGBUS. (This is not undefined behaviour.)
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
/// Writing to it does not compile.
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
    /// Those of [`MemfdOptions::create`] and of writing: `ENOSPC`, `ENOMEM`; `EFBIG` for a file longer
    /// than the process may make ([`Reason::FileSizeLimit`]).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let arguments = Arguments::Length(bytes.len());
        if let Some(limit) = beyond_limit(bytes.len() as u64) {
            let reason = Reason::FileSizeLimit(limit);
            return Err(Error::new(Call::WriteFile, libc::EFBIG, arguments, reason));
        }
        let memory = MemfdOptions::new().sealing(true).create(0)?;
        with_file(memory.as_fd(), |mut file| file.write_all(bytes))
            .map_err(|error| Error::kernel(Call::WriteFile, errno_of(&error), arguments))?;
        Ok(memory.seal()?)
    }

    /// Maps sealed memory, from a descriptor that somebody sent, or a file with fs-verity, and keeps a
    /// duplicate of the descriptor.
    ///
    /// # Errors
    /// Those of [`MapOptions::map_sealed`].
    #[doc(alias = "F_GET_SEALS")]
    pub fn from_fd(fd: impl AsFd) -> Result<Self> {
        MapOptions::new().map_sealed(fd)
    }

    fn map(memory: &SharedMemory, options: MapOptions) -> Result<Mapping<ReadOnly>> {
        map_unchanging(memory, options).map(|(mapping, _)| mapping)
    }

    /// The mapping, for locks, advice, residency.
    pub const fn mapping(&self) -> &Mapping<ReadOnly> {
        &self.mapping
    }

    /// The mapping alone. The descriptor is closed.
    ///
    /// It is private, so making it writable with [`Mapping::protect`] gives a copy-on-write view of the
    /// content. A mapping in huge pages stays read-only ([`Reason::HugePagesOfFile`]), because none are
    /// set aside for copies.
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
    /// Those of [`SharedMemory::seals`], which has succeeded before; `EINVAL` with
    /// [`Reason::NotSealable`] for a file with fs-verity, which has no seals.
    pub fn seals(&self) -> Result<Seals> {
        self.memory.seals()
    }
}

/// Returns the seals of a file that nobody can change any more, or `None` for a file that has
/// fs-verity.
///
/// # Errors
/// As [`MapOptions::map_sealed`].
pub fn unchanging(fd: BorrowedFd<'_>) -> Result<Option<Seals>> {
    match seals_of(fd) {
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
            Ok(Some(seals))
        }
        Err(error) if error.reason() == Reason::NotSealable && os::is_verified(fd) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Maps a file that nobody can change any more, for reading, and returns its [seals](unchanging).
///
/// The descriptor is this crate's own. One that was borrowed may be standard input, say, whose number
/// becomes another file's by a safe call in another thread: between the check and the mapping.
///
/// # Errors
/// As [`MapOptions::map_sealed`].
pub fn map_unchanging(
    file: &SharedMemory,
    options: MapOptions,
) -> Result<(Mapping<ReadOnly>, Option<Seals>)> {
    let fd = file.as_fd();
    let seals = unchanging(fd)?;
    // From here on the file is at least this long.
    let facts = Facts::of(fd)?;
    // Privately: before Linux 6.7 such a file cannot be mapped shared. No page is ever copied,
    // since none is written to; huge ones need not be set aside for that.
    let options = options.past_end(false);
    let mapping = options.map_no_copies(fd, &facts, ReadOnly)?;
    if facts.huge_page.is_some() {
        // A missing huge page would raise a signal later.
        mapping.populate()?;
    }
    // SAFETY: the file's seals, or fs-verity, which nobody can take away, forbid writing to it,
    // truncating it, and punching a hole into it. Pages that are written to, after a change of
    // protection, are this mapping's own: it is private. [unchanging]
    let mapping = unsafe { mapping.assume_unshared() };
    if facts.huge_page.is_some() {
        mapping.region().keep_read_only()?;
    }
    Ok((mapping, seals))
}

/// On Linux, Android and FreeBSD: files that nobody can change any more.
impl MapOptions {
    /// Maps a file that nobody can change any more, or a part of it, for reading, and keeps a duplicate
    /// of the descriptor.
    ///
    /// The file is a memfd with the right seals or, on Linux and Android, a file with fs-verity
    /// (`FS_IOC_ENABLE_VERITY`) on ext4, f2fs or btrfs. Without a length, this maps the rest of the
    /// file.
    ///
    /// # Errors
    /// * [`Reason::SealsMissing`] with `EPERM`: its seals do not forbid writing to it and making it
    ///   shorter. `F_SEAL_FUTURE_WRITE` alone is not enough: whoever mapped it before can write.
    /// * [`Reason::NotSealable`] with `EINVAL`: it is not a memfd, so it cannot have seals, and it does
    ///   not have fs-verity.
    /// * `EACCES`: the file is not open for reading.
    /// * `EMFILE`: too many open files.
    /// * Those of [`map_private`](Self::map_private), such as `ENXIO` for a part that goes past the end.
    ///   With huge pages, also those of [`Mapping::populate`]: pages that nobody has written to come
    ///   from the pool, which may be empty.
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
    #[doc(alias = "MapIfSafeError")]
    #[doc(alias = "map_if_safe")]
    #[doc(alias = "map_failed")]
    pub fn map_sealed(&self, file: impl AsFd) -> Result<SealedMemory> {
        let memory = SharedMemory::from(clone(file.as_fd())?);
        let mapping = SealedMemory::map(&memory, *self)?;
        Ok(SealedMemory { mapping, memory })
    }
}

/// On Linux, Android and FreeBSD: memory that is sealed permanently.
impl SharedMemory {
    /// Seals the memory permanently, so that neither its content nor its length can change, and maps it
    /// for reading.
    ///
    /// # Errors
    /// Those of [`add_seals`](Self::add_seals) and [`SealedMemory::from_fd`]. The memory comes back
    /// inside the error; if mapping it failed, it is sealed.
    ///
    /// ```
    /// use unix_memory::{MemfdOptions, ReadWrite, Reason};
    ///
    /// let memory = MemfdOptions::new().sealing(true).create(1 << 20)?;
    /// let mapping = memory.map(ReadWrite)?;
    /// mapping.fill(.., 7)?;
    /// // Too early: this mapping could still write.
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
            // It may be sealed already, with no more seals allowed.
            Ok(seals) if seals.contains(all) => {}
            Ok(_) => {
                let more = all | Seals::from_bits_retain(os::MORE_SEALS);
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
}

impl TryFrom<SharedMemory> for SealedMemory {
    type Error = Failed<SharedMemory>;

    /// Like [`SealedMemory::from_fd`], but keeps this descriptor itself, which comes back inside the
    /// error.
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

#[cfg(feature = "stable_deref_trait")]
// SAFETY: as the mapping in it, which stays where it is. [owned, borrowed]
unsafe impl stable_deref_trait::StableDeref for SealedMemory {}

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
