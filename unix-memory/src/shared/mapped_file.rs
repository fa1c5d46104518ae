//! A shared mapping that keeps its file, to grow with it.

use core::fmt;
use core::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd};

use crate::bytes::read::Source;
use crate::copy::populate::{Memory, populate};
use crate::error::{Arguments, Call, Error, Failed, FileKind, Reason, Result};
use crate::map::facts::Facts;
use crate::map::length;
use crate::map::options::MapOptions;
use crate::os;
use crate::protection::{Access, Protection, Writable};
use crate::region::ledger::Kind;
use crate::region::map::MAX_OFFSET;
use crate::region::resize::Move;
use crate::shared::SharedMapping;

/// A [`SharedMapping`] of a file, together with the file, so that both can grow: for an append-only log,
/// for example, or a growing table. An empty file, whose mapping is empty, grows like any other.
///
/// It derefs to the mapping. Methods that change the length take `&mut self`, because the bytes may get
/// another address; their offsets stay. [`MapOptions::map_file`] makes it.
///
/// # When others change the length
/// [`follow`](Self::follow) adopts the length that others have given the file. Two processes that
/// lengthen or shorten the file at the same moment must exclude each other, for example with flock(2):
/// otherwise, the file may grow between reading the length and changing it, and be cut off again. Reads
/// and writes need no lock for that: see [`SharedMapping`].
///
/// ```
/// use unix_memory::{MapOptions, ReadWrite};
///
/// # if !cfg!(target_os = "emscripten") {
/// let mut log = MapOptions::new().map_file(tempfile::tempfile()?, ReadWrite)?;
/// assert_eq!(log.append(b"first")?, 0);
/// assert_eq!(log.append(b"second")?, 5);
/// assert_eq!(log.to_vec()?, b"firstsecond");
/// assert_eq!(log.file().metadata()?.len(), 11);
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "it is unmapped, and its file closed, when it is dropped"]
pub struct MappedFile<F, A: Access> {
    mapping: SharedMapping<A>,
    pub(super) file: F,
    /// Used to map it once more, longer.
    pub(super) options: MapOptions,
    /// Whether reading the file returns the bytes of the mapping, and does nothing else.
    is_read: bool,
}

impl MapOptions {
    /// Maps a file, shared, as [`map_shared`](Self::map_shared) does, and keeps the file.
    ///
    /// A length and an address apply to the first mapping: when it grows, it may get another address.
    ///
    /// # Errors
    /// The file comes back inside the error: those of [`map_shared`](Self::map_shared).
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadOnly};
    ///
    /// let program = std::fs::File::open(std::env::current_exe()?)?;
    /// let program = MapOptions::new().map_file(program, ReadOnly)?;
    /// let mut magic = [0; 2];
    /// program.read_at(0, &mut magic)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "mmap")]
    #[doc(alias = "MAP_SHARED")]
    pub fn map_file<F: AsFd, A: Access>(
        &self,
        file: F,
        access: A,
    ) -> Result<MappedFile<F, A>, Failed<F>> {
        match self.map_shared(&file, access) {
            Ok(mapping) => Ok(MappedFile {
                mapping,
                is_read: is_read(file.as_fd()),
                file,
                options: self.for_a_second(),
            }),
            Err(error) => Err(Failed::new(error, file)),
        }
    }
}

/// Returns whether reading the file returns the bytes of a shared mapping of it, and does nothing else: a
/// read of a device may wait, or consume something.
fn is_read(fd: BorrowedFd<'_>) -> bool {
    os::READS_MAPPINGS && Facts::of(fd).is_ok_and(|facts| facts.kind == FileKind::Regular)
}

impl<F: AsFd, A: Access> MappedFile<F, A> {
    /// Returns the file, from the first mapped byte on, where reading it returns the bytes of the
    /// mapping.
    pub(super) fn source(&self) -> Option<Source<'_>> {
        self.is_read
            .then(|| Source::at(self.file.as_fd(), self.options.start()))
    }

    /// Makes the mapping `len` bytes long, and lengthens the file to match. Does nothing if the
    /// mapping is already that long; the file stays as it is if it is already longer.
    ///
    /// New bytes of the file are zeros. They take no space on the disk before they are written: if
    /// the disk is full then, copies fail with [`Reason::Fault`]. posix_fallocate(3) reserves the
    /// space in advance. Source: ftruncate(2), POSIX.1-2024; mremap(2).
    ///
    /// # Errors
    /// The mapping and the file are as they were:
    /// * `EINVAL` or `EBADF`: the file is not open for writing.
    /// * `EFBIG`: more than a file can have ([`Reason::OffsetLimit`]), than the file system allows, or
    ///   than the process may give one (`RLIMIT_FSIZE`, [`Reason::FileSizeLimit`]).
    /// * `ENOMEM`: more than the address space, its limit (`RLIMIT_AS`) or the kernel's limit of mappings
    ///   allows; `EAGAIN` over the limit on locked memory.
    /// * `EPERM`: a seal forbids it.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// # if !cfg!(target_os = "emscripten") {
    /// let mut table = MapOptions::new().map_file(tempfile::tempfile()?, ReadWrite)?;
    /// table.grow(1 << 20)?;
    /// table.write_value((1 << 20) - 8, &7_u64)?;
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "mremap")]
    #[doc(alias = "ftruncate")]
    pub fn grow(&mut self, len: usize) -> Result<()> {
        self.lengthen(len).map(drop)
    }

    /// Cuts the file off after the first `len` bytes of the mapping, and shortens the mapping
    /// accordingly. Does nothing if the mapping is no longer than that; a file that is already shorter
    /// stays as it is.
    ///
    /// # Errors
    /// * The mapping and the file are as they were: `EINVAL` or `EBADF` if the file is not open for
    ///   writing, `EPERM` if a seal forbids it; `EFBIG` if the remaining length is more than the
    ///   process may give a file (`RLIMIT_FSIZE`, [`Reason::FileSizeLimit`]): if others cut the file
    ///   off first, the call would lengthen it, and a signal would end the process.
    /// * `ENOMEM` at the kernel's limit of mappings: the file is cut off, but the mapping is as long as
    ///   it was.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// # if !cfg!(target_os = "emscripten") {
    /// let mut log = MapOptions::new().map_file(tempfile::tempfile()?, ReadWrite)?;
    /// log.append(b"kept, dropped")?;
    /// log.truncate(4)?;
    /// assert_eq!(log.to_vec()?, b"kept");
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "ftruncate")]
    pub fn truncate(&mut self, len: usize) -> Result<()> {
        if len >= self.mapping.len() {
            return Ok(());
        }
        let end = self.end(len)?;
        let file = self.file.as_fd();
        let facts = Facts::of(file)?;
        let ends_before = facts.kind == FileKind::Regular && facts.len <= end;
        if !ends_before {
            length::set_len(file, end)?;
        }
        self.set_mapped(len)
    }

    /// Makes the mapping as long as the rest of the file is now, if others have lengthened or
    /// shortened the file. Returns whether the length has changed.
    ///
    /// Only a regular file has a length to follow: a mapping of any other file stays as it is.
    ///
    /// # Errors
    /// The mapping is as it was: `ENOMEM` and `EAGAIN` as for [`grow`](Self::grow).
    ///
    /// ```
    /// use std::io::Write;
    /// use unix_memory::{MapOptions, ReadOnly};
    ///
    /// let mut writer = tempfile::NamedTempFile::new()?;
    /// let mut reader = MapOptions::new().map_file(writer.reopen()?, ReadOnly)?;
    /// writer.write_all(b"an entry")?;
    /// assert!(reader.follow()?);
    /// assert_eq!(reader.to_vec()?, b"an entry");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "mremap")]
    pub fn follow(&mut self) -> Result<bool> {
        let facts = Facts::of(self.file.as_fd())?;
        if !matches!(facts.kind, FileKind::Regular) {
            return Ok(false);
        }
        let rest = facts.len.saturating_sub(self.options.start());
        // A length beyond all addresses is refused as a length.
        let len = usize::try_from(rest).unwrap_or(usize::MAX);
        if len == self.mapping.len() {
            return Ok(false);
        }
        self.set_mapped(len)?;
        Ok(true)
    }

    /// Returns the file.
    pub const fn file(&self) -> &F {
        &self.file
    }

    /// Returns the file, and the mapping without it.
    pub fn into_parts(self) -> (F, SharedMapping<A>) {
        (self.file, self.mapping)
    }

    /// Returns the offset in the file at which its first `len` bytes end.
    fn end(&self, len: usize) -> Result<u64> {
        let offset = self.options.start();
        offset.checked_add(len as u64).ok_or_else(|| {
            let len = Some(len);
            let arguments = Arguments::File { offset, len };
            let reason = Reason::OffsetLimit(MAX_OFFSET);
            Error::new(Call::Ftruncate, libc::EFBIG, arguments, reason)
        })
    }

    /// Makes the mapping and the file longer, as [`grow`](Self::grow) does, and returns the old length of
    /// the file, if it has become longer.
    fn lengthen(&mut self, len: usize) -> Result<Option<u64>> {
        let before = self.mapping.len();
        if len <= before {
            return Ok(None);
        }
        let end = self.end(len)?;
        // The mapping first: it can be undone, while cutting off a file could not.
        let other = self.resize(len)?;
        let file = self.file.as_fd();
        let longer = Facts::of(file).and_then(|facts| {
            if facts.len >= end {
                return Ok(None);
            }
            length::set_len(file, end).map(|()| Some(facts.len))
        });
        match (longer, other) {
            (Ok(was), None) => {
                self.bring_in(before);
                Ok(was)
            }
            // Pages past the end of a file cannot be locked, so this comes last.
            (Ok(was), Some(other)) => {
                self.change_to(other)
                    .inspect_err(|_| self.cut_off(end, was))?;
                Ok(was)
            }
            (Err(error), other) => {
                if other.is_none() {
                    // If this fails, the bytes past the end of the file cannot be accessed; nothing
                    // worse happens.
                    let _as_it_was = self.set_mapped(before);
                }
                Err(error)
            }
        }
    }

    /// Restores the old length of the file, if it has become longer and still ends at `end`.
    #[cold]
    fn cut_off(&self, end: u64, was: Option<u64>) {
        let file = self.file.as_fd();
        let ends_there = Facts::of(file).is_ok_and(|facts| facts.len == end);
        if let Some(was) = was.filter(|_| ends_there) {
            let _as_it_was = length::set_len(file, was);
        }
    }

    /// Brings in the pages after the first `before` bytes, if the mapping is locked: they did not exist
    /// yet when it became longer.
    fn bring_in(&self, before: usize) {
        let region = self.mapping.region();
        let can_be_read = self.mapping.protection().contains(Protection::READ);
        if can_be_read && region.known().kind == Some(Kind::Full) {
            let pages = region.pages_of(&(before..region.len()));
            // SAFETY: the pages are the region's own, and can be read; those of a shared mapping are
            // written only by copies and atomics. [owned, access, atomic]
            let _as_far_as_it_goes = unsafe { populate(pages, Memory::Shared) };
        }
    }

    /// Makes the mapping `len` bytes long, past the end of the file if necessary.
    fn set_mapped(&mut self, len: usize) -> Result<()> {
        match self.resize(len)? {
            Some(other) => self.change_to(other),
            None => Ok(()),
        }
    }

    /// Makes the mapping `len` bytes long, past the end of the file if necessary; or returns another
    /// one of that length, to [change to](Self::change_to), if the system cannot.
    fn resize(&mut self, len: usize) -> Result<Option<SharedMapping<A>>> {
        // Without such a call, or with several mappings in the kernel, the file is mapped again; so is an
        // empty mapping.
        const ANEW: [i32; 3] = [libc::ENOSYS, libc::EFAULT, libc::EINVAL];
        let region = self.mapping.region_mut();
        match region.resize_shared(len, Move::Allowed) {
            // The same applies next to the stack of the main thread, which the system does not check.
            Err(error) if ANEW.contains(&error.errno()) || error.reason() == Reason::Stack => {
                let (options, _) = self.options.without_steps();
                let options = options.len(len).past_end(true);
                let (file, access) = (&self.file, self.mapping.access());
                match options.map_shared(file, access) {
                    // The range of addresses that it had to lie in applied only to the first mapping.
                    Err(error) if error.reason() == Reason::NoRoom => {
                        options.hint(0).map_shared(file, access)
                    }
                    result => result,
                }
                .map(Some)
            }
            result => result.map(|()| None),
        }
    }

    /// Replaces this mapping by another one, with the advice that was first requested, and locked and
    /// hidden from core dumps like this one.
    fn change_to(&mut self, other: SharedMapping<A>) -> Result<()> {
        let known = self.mapping.region().known();
        let (_, steps) = self.options.without_steps();
        if let Some(advice) = steps.advice {
            other.advise(advice)?;
        }
        let region = other.into_region().keep_as(known)?;
        self.mapping = SharedMapping::from_region(region, self.mapping.access());
        Ok(())
    }
}

impl<F: AsFd, A: Writable> MappedFile<F, A> {
    /// Copies `bytes` into the mapping, from `offset` on, as [`SharedMapping::write_at`] does.
    ///
    /// # Errors
    /// Those of [`SharedMapping::write_at`], [explained](Self::explain).
    #[inline]
    pub fn write_at(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        let written = self.mapping.write_at(offset, bytes);
        written.map_err(|error| self.explain(error))
    }

    /// Grows by the length of `bytes`, writes them there, and returns the offset at which they begin. If
    /// the mapping covers only the start of a longer file, this overwrites what the file has there.
    ///
    /// If several processes append, each must exclude the others and call [`follow`](Self::follow) first.
    ///
    /// # Errors
    /// Those of [`grow`](Self::grow), and of [`write_at`](SharedMapping::write_at), for example
    /// `EFAULT` if the disk is full ([`FaultCause::NoSpace`](crate::FaultCause)). The mapping is as long as it was, and so is
    /// the file, if it can be cut off again.
    #[doc(alias = "ftruncate")]
    pub fn append(&mut self, bytes: &[u8]) -> Result<usize> {
        let start = self.mapping.len();
        let was = self.lengthen(start.saturating_add(bytes.len()))?;
        match self.mapping.write_at(start, bytes) {
            Ok(()) => Ok(start),
            Err(error) => {
                // Before the file is cut off, which then ends before these bytes.
                let error = self.explain(error);
                // Only the bytes that were added: behind them, the file may have had more.
                if let Ok(end) = self.end(self.mapping.len()) {
                    self.cut_off(end, was);
                }
                let _as_it_was = self.set_mapped(start);
                Err(error)
            }
        }
    }
}

impl<F, A: Access> Deref for MappedFile<F, A> {
    type Target = SharedMapping<A>;

    fn deref(&self) -> &SharedMapping<A> {
        &self.mapping
    }
}

impl<F: fmt::Debug, A: Access> fmt::Debug for MappedFile<F, A> {
    /// Shows the mapping and the file; never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MappedFile")
            .field("mapping", &self.mapping)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
