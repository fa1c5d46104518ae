//! What a refused call tells: which call, with which arguments, and why.

use core::ffi::c_int;
use core::fmt;
use core::ops::Range;

use crate::errno;

/// The result of every fallible call of this crate that takes no ownership.
pub type Result<T> = core::result::Result<T, Error>;

/// The call that an [`Error`] is about: a system call by its name, or a method of this crate that
/// makes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// `mmap(2)`: making a mapping.
    Mmap,
    /// `munmap(2)`: removing one.
    Munmap,
    /// `mprotect(2)`: changing its protection.
    Mprotect,
    /// `madvise(2)`: advice, populating.
    Madvise,
    /// `msync(2)`: flushing.
    Msync,
    /// `fsync(2)`, or what does its work: having a file kept by its device.
    Fsync,
    /// `mlock(2)`: locking into memory.
    Mlock,
    /// `mlockall(2)`: locking the whole process into memory.
    Mlockall,
    /// `mseal(2)`: keeping a mapping for good.
    Mseal,
    /// `pkey_alloc(2)`: taking a protection key.
    PkeyAlloc,
    /// `pkey_mprotect(2)`: giving memory a protection key.
    PkeyMprotect,
    /// Making code fit to be executed.
    SyncInstructionCache,
    /// `mincore(2)`: asking which pages are in memory.
    Mincore,
    /// `fstat(2)`: asking how long a file is and what it is.
    Fstat,
    /// `mremap(2)`, or what does its work: changing a length.
    Mremap,
    /// Making two mappings of one.
    Split,
    /// Making one mapping of two.
    Join,
    /// Making a slice of plain data.
    View,
    /// Copying out of a shared mapping.
    Read,
    /// Copying into a shared mapping.
    Write,
    /// Setting bytes of a shared mapping.
    Fill,
    /// `memfd_create(2)`: making a file in memory.
    MemfdCreate,
    /// `shm_open(3)`: making or opening a shared memory object.
    ShmOpen,
    /// `shm_unlink(3)`: removing the name of one.
    ShmUnlink,
    /// `open(2)`: making a file.
    Open,
    /// `write(2)`: filling a file.
    WriteFile,
    /// `ftruncate(2)`: setting the length of a file.
    Ftruncate,
    /// `fcntl(2)` with `F_ADD_SEALS`.
    AddSeals,
    /// `fcntl(2)` with `F_GET_SEALS`.
    GetSeals,
    /// `fcntl(2)` otherwise: copying a descriptor, and closing it on exec.
    Fcntl,
    /// Opening a ring, or using one.
    Ring,
    /// Giving bytes to the consumer of a ring.
    Commit,
    /// Giving bytes back to the producer of a ring.
    Consume,
    /// Copying within a shared mapping.
    CopyWithin,
    /// Comparing bytes of a shared mapping.
    Compare,
    /// Finding atomics in a shared mapping.
    Atomics,
    /// `sigaction(2)`: installing the handler of faults.
    Sigaction,
}

impl Call {
    /// The name of the system call or method.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mmap => "mmap",
            Self::Munmap => "munmap",
            Self::Mprotect => "mprotect",
            Self::Madvise => "madvise",
            Self::Msync => "msync",
            Self::Fsync => "fsync",
            Self::Mlock => "mlock",
            Self::Mlockall => "mlockall",
            Self::Mseal => "mseal",
            Self::PkeyAlloc => "pkey_alloc",
            Self::PkeyMprotect => "pkey_mprotect",
            Self::SyncInstructionCache => "sync_instruction_cache",
            Self::Mincore => "mincore",
            Self::Fstat => "fstat",
            Self::Mremap => "mremap",
            Self::Split => "split_at",
            Self::Join => "join",
            Self::View => "view",
            Self::Read => "read_at",
            Self::Write => "write_at",
            Self::Fill => "fill",
            Self::MemfdCreate => "memfd_create",
            Self::ShmOpen => "shm_open",
            Self::ShmUnlink => "shm_unlink",
            Self::Open => "open",
            Self::WriteFile => "write",
            Self::Ftruncate => "ftruncate",
            Self::AddSeals => "fcntl(F_ADD_SEALS)",
            Self::GetSeals => "fcntl(F_GET_SEALS)",
            Self::Fcntl => "fcntl",
            Self::Ring => "ring",
            Self::Commit => "commit",
            Self::Consume => "consume",
            Self::CopyWithin => "copy_within",
            Self::Compare => "compare_at",
            Self::Atomics => "atomics",
            Self::Sigaction => "sigaction",
        }
    }
}

/// Why a call was refused, beyond its `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The kernel refused; `errno` is all that it said.
    Kernel,
    /// A length, rounded up to whole pages, must be at most this many bytes: more than
    /// `isize::MAX` no Rust slice can have.
    LengthLimit(usize),
    /// A file offset plus the length must be at most this: more a file cannot have.
    OffsetLimit(u64),
    /// The range must lie within the mapping, which has this many bytes.
    MappingLength(usize),
    /// The range must lie within the file, which has this many bytes.
    FileLength(u64),
    /// The length must be given: it cannot be read off what the file is.
    LengthNeeded(FileKind),
    /// What the file is cannot be mapped.
    NotMappable(FileKind),
    /// What was asked for, with what is locked already, is more than the process may lock without a
    /// privilege (`RLIMIT_MEMLOCK`). All in bytes.
    LockLimit {
        /// What was asked for, in whole pages; some of it may be locked already.
        asked: u64,
        /// The most that the process may lock.
        limit: u64,
        /// What is locked already: by the whole process on Linux, as far as /proc can be read;
        /// elsewhere by the guards of this crate.
        locked: u64,
    },
    /// Offset and length must be multiples of this, the size of the file's huge pages in bytes.
    HugePages(usize),
    /// Anonymous memory has no offset.
    NoOffset,
    /// Only private anonymous memory can do this: a file, or who else has the memory, would stand
    /// in the way.
    NotAnonymous,
    /// The address or position must be a multiple of this many bytes.
    Unaligned(usize),
    /// Something is mapped at the address that was asked for, or the kernel lets nothing be mapped
    /// there.
    Occupied,
    /// The position is inside a huge page, which is only protected and unmapped as a whole.
    HugePage,
    /// The length of the range must be a multiple of this, the size of one value in bytes.
    NotWhole(usize),
    /// No room was found between the addresses that were asked for.
    NoRoom,
    /// It must be a power of two.
    PowerOfTwo,
    /// The second mapping must begin where the first ends, and be of its kind.
    NotAdjacent,
    /// The bytes are in use as atomics of another size.
    AtomicSize,
    /// Memory behind the mapping is gone: the file was truncated, a page could not be read from the
    /// disk or has no room on it, or it is a device's and that failed.
    Fault {
        /// How many bytes were copied before: the first, unless the method says otherwise.
        done: usize,
        /// The byte, from the start of the mapping, that could not be reached.
        at: usize,
    },
    /// `install_fault_handler` was not called, or this thread blocks the signals.
    NoHandler,
    /// The platform, or the running kernel, has no such thing.
    Unsupported,
    /// Such a name is portable nowhere, or the kernel takes none: it begins with a slash, has no
    /// other and no NUL, and has a character after it.
    ObjectName,
    /// The file can have no seals: it is no memfd.
    NotSealable,
    /// The file can change in a way that it must not: it has too few seals.
    SealsMissing {
        /// `F_SEAL_SHRINK` is missing: the file can be truncated.
        shrink: bool,
        /// `F_SEAL_WRITE` is missing: it can be written to, at least through a mapping that
        /// somebody made before `F_SEAL_FUTURE_WRITE`.
        write: bool,
    },
    /// A ring has no more than this many bytes for this end.
    RingBytes(usize),
    /// The other end of a ring, in another process, does not keep to the rules.
    RingPeer,
    /// The memory is no ring, or one of another version of this crate or width of pointers.
    NoRing,
    /// The content cannot be sealed while somebody has the file mapped shared, of a descriptor open
    /// for writing.
    Mapped,
}

/// What an open file is, as far as it matters for mapping it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A regular file; also a memfd or a POSIX shared memory object.
    Regular,
    /// A directory.
    Directory,
    /// A character device, as `/dev/zero` is.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A pipe or FIFO.
    Pipe,
    /// A socket.
    Socket,
    /// None of the others, or not known because only a raw descriptor was given.
    Other,
    /// No file: anonymous memory.
    None,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Regular => "a regular file",
            Self::Directory => "a directory",
            Self::CharacterDevice => "a character device",
            Self::BlockDevice => "a block device",
            Self::Pipe => "a pipe",
            Self::Socket => "a socket",
            Self::Other => "a file of unknown kind",
            Self::None => "anonymous memory",
        })
    }
}

/// The arguments of a call that matter to a reader of its error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Arguments {
    None,
    /// So many bytes of no file.
    Length(usize),
    /// So many bytes, if known, of a file from an offset on.
    File {
        offset: u64,
        len: Option<usize>,
    },
    /// A position in a mapping.
    At(usize),
    /// The change of a length.
    Resize {
        from: usize,
        to: usize,
    },
    /// A range of a mapping.
    Range {
        start: usize,
        len: usize,
    },
    /// A range of a mapping, the one at `index` of many that were given.
    Span {
        index: usize,
        start: usize,
        len: usize,
    },
    /// A range of a mapping, and where in it that goes.
    Move {
        start: usize,
        len: usize,
        to: usize,
    },
    /// What should be a range of a mapping, but ends before it begins.
    Bounds {
        start: usize,
        end: usize,
    },
    /// An object by its name.
    #[cfg(feature = "std")]
    Name(Name),
    /// The length that a file was to have.
    #[cfg(feature = "std")]
    Size(u64),
}

/// The name of an object, as much of it as the message of an error needs.
#[cfg(feature = "std")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    /// The first bytes, and zeros.
    bytes: [u8; 30],
    len: u8,
    is_whole: bool,
}

#[cfg(feature = "std")]
impl Name {
    pub(crate) fn new(name: &[u8]) -> Self {
        let mut bytes = [0; 30];
        let part = &name[..name.len().min(bytes.len())];
        bytes[..part.len()].copy_from_slice(part);
        Self {
            bytes,
            #[allow(clippy::cast_possible_truncation, reason = "at most 30")]
            len: part.len() as u8,
            is_whole: part.len() == name.len(),
        }
    }
}

#[cfg(feature = "std")]
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = &self.bytes[..usize::from(self.len)];
        let more = if self.is_whole { "" } else { "..." };
        write!(f, "\"{}{more}\"", part.escape_ascii())
    }
}

impl Arguments {
    pub(crate) const fn range(range: &Range<usize>) -> Self {
        Self::Range {
            start: range.start,
            len: range.end - range.start,
        }
    }
}

/// A refused call: which one, its arguments, its `errno`, and the reason where this crate knows
/// more than the `errno` says.
///
/// With the feature `std` it converts into [`std::io::Error`], whose kind is that of the `errno`
/// and whose inner error is this one.
///
/// ```
/// use unix_memory::{Advice, Call, Mapping};
///
/// let mapping = Mapping::anonymous(100)?;
/// let error = mapping.advise_range(50..200, Advice::WillNeed).unwrap_err();
/// assert_eq!(error.call(), Call::Madvise);
/// assert_eq!(
///     error.to_string(),
///     "madvise of 150 bytes at 50: Invalid argument (the mapping has 100 bytes)",
/// );
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Error {
    call: Call,
    errno: c_int,
    arguments: Arguments,
    reason: Reason,
}

impl Error {
    pub(crate) const fn new(
        call: Call,
        errno: c_int,
        arguments: Arguments,
        reason: Reason,
    ) -> Self {
        Self {
            call,
            errno,
            arguments,
            reason,
        }
    }

    pub(crate) const fn kernel(call: Call, errno: c_int, arguments: Arguments) -> Self {
        Self::new(call, errno, arguments, Reason::Kernel)
    }

    /// The call that was refused.
    #[must_use]
    pub const fn call(&self) -> Call {
        self.call
    }

    /// The error number: the kernel's, or the one that the kernel gives for such a mistake where
    /// this crate refused before it asked.
    #[must_use]
    pub const fn errno(&self) -> c_int {
        self.errno
    }

    /// Why, beyond the error number.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }
}

impl Error {
    /// Which of many was refused, counted from zero: of the spans of
    /// [`Advice::apply`](crate::Advice::apply). `None` for a call that takes but one.
    #[must_use]
    pub const fn span(&self) -> Option<usize> {
        match self.arguments {
            Arguments::Span { index, .. } => Some(index),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.call.name())?;
        match self.arguments {
            Arguments::None => {}
            Arguments::Length(len) => write!(f, " of {len} bytes")?,
            Arguments::File {
                offset,
                len: Some(len),
            } => {
                write!(f, " of {len} bytes at file offset {offset}")?;
            }
            Arguments::File { offset, len: None } => write!(f, " at file offset {offset}")?,
            Arguments::At(position) => write!(f, " {position}")?,
            Arguments::Resize { from, to } => write!(f, " from {from} to {to} bytes")?,
            Arguments::Range { start, len } => write!(f, " of {len} bytes at {start}")?,
            Arguments::Span { index, start, len } => {
                write!(f, " of {len} bytes at {start} (span {index})")?;
            }
            Arguments::Move { start, len, to } => {
                write!(f, " of {len} bytes at {start} to {to}")?;
            }
            Arguments::Bounds { start, end } => write!(f, " of bytes {start}..{end}")?,
            #[cfg(feature = "std")]
            Arguments::Name(name) => write!(f, " of {name:?}")?,
            #[cfg(feature = "std")]
            Arguments::Size(len) => write!(f, " to {len} bytes")?,
        }
        match errno::text(self.errno) {
            Some(text) => write!(f, ": {text}")?,
            None => write!(f, ": error number {}", self.errno)?,
        }
        match self.reason {
            Reason::Kernel => Ok(()),
            Reason::LengthLimit(limit) => {
                write!(f, " (the length in whole pages must be at most {limit})")
            }
            Reason::OffsetLimit(limit) => {
                write!(f, " (offset and length together must be at most {limit})")
            }
            Reason::MappingLength(len) => write!(f, " (the mapping has {len} bytes)"),
            Reason::FileLength(len) => write!(f, " (the file has {len} bytes)"),
            Reason::LengthNeeded(kind) => {
                write!(f, " (give the length: {kind} does not tell it)")
            }
            Reason::NotMappable(kind) => write!(f, " ({kind} cannot be mapped)"),
            Reason::LockLimit {
                asked,
                limit,
                locked,
            } => write!(
                f,
                " (asked for {asked} bytes, {locked} are locked, and without privilege this process \
                 may lock {limit})"
            ),
            Reason::HugePages(size) => {
                write!(f, " (the file is in huge pages: give multiples of {size})")
            }
            Reason::NoOffset => f.write_str(" (anonymous memory has no offset)"),
            Reason::NotAnonymous => f.write_str(" (only private anonymous memory can do this)"),
            Reason::Unaligned(unit) => write!(f, " (it must be a multiple of {unit})"),
            Reason::Occupied => f.write_str(" (something is there already)"),
            Reason::HugePage => f.write_str(" (that is inside a huge page)"),
            Reason::NotWhole(size) => write!(f, " (the length must be a multiple of {size})"),
            Reason::NoRoom => f.write_str(" (no room was found between these addresses)"),
            Reason::PowerOfTwo => f.write_str(" (the alignment must be a power of two)"),
            Reason::NotAdjacent => {
                f.write_str(" (the second must begin where the first ends, and be of its kind)")
            }
            Reason::AtomicSize => f.write_str(" (atomics of another size are in use there)"),
            Reason::Fault { done, at } => write!(
                f,
                " (after {done} bytes; those from {at} on are gone: the file was truncated, or \
                 could not be read or written)"
            ),
            Reason::NoHandler => {
                f.write_str(" (the handler of faults is not installed, or its signals are blocked)")
            }
            Reason::Unsupported => f.write_str(" (not on this system)"),
            Reason::ObjectName => f.write_str(
                " (a name is a slash, and then characters that are no slash and no NUL)",
            ),
            Reason::NotSealable => f.write_str(" (only a memfd has seals)"),
            Reason::SealsMissing { shrink, write } => f.write_str(match (shrink, write) {
                (true, true) => " (F_SEAL_SHRINK and F_SEAL_WRITE are missing)",
                (true, false) => " (F_SEAL_SHRINK is missing)",
                (false, _) => " (F_SEAL_WRITE is missing)",
            }),
            Reason::RingBytes(len) => write!(f, " (there are {len} bytes for this end)"),
            Reason::RingPeer => f.write_str(" (the other end does not keep to the rules)"),
            Reason::NoRing => f.write_str(" (it is no ring, or not one for this program)"),
            Reason::Mapped => f.write_str(" (somebody has it mapped, and may write)"),
        }
    }
}

impl core::error::Error for Error {}

#[cfg(feature = "std")]
impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        Self::new(Self::from_raw_os_error(error.errno).kind(), error)
    }
}

/// A call that failed and changed nothing, with the mapping (or whatever else has memory) that it
/// was given.
///
/// `?` turns it into an [`Error`] (or `std::io::Error`) where the mapping is of no more use; it is
/// unmapped then.
///
/// ```
/// use unix_memory::{Mapping, ReadOnly};
///
/// let mapping = Mapping::anonymous(1)?;
/// let mapping = match mapping.protect(ReadOnly) {
///     Ok(read_only) => read_only,
///     Err(failed) => {
///         let (error, still_writable) = failed.into_parts();
///         println!("{error}; {still_writable:?} is as it was");
///         return Ok(());
///     }
/// };
/// assert_eq!(mapping[0], 0);
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[must_use = "it holds the mapping, which is unmapped when this is dropped"]
pub struct Failed<M> {
    error: Error,
    mapping: M,
}

impl<M> Failed<M> {
    pub(crate) const fn new(error: Error, mapping: M) -> Self {
        Self { error, mapping }
    }

    /// What went wrong.
    #[must_use]
    pub const fn error(&self) -> Error {
        self.error
    }

    /// The mapping, as it was before the call.
    pub fn into_mapping(self) -> M {
        self.mapping
    }

    /// Both.
    pub fn into_parts(self) -> (Error, M) {
        (self.error, self.mapping)
    }
}

impl<M> fmt::Debug for Failed<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failed")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<M> fmt::Display for Failed<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<M> core::error::Error for Failed<M> {}

impl<M> From<Failed<M>> for Error {
    fn from(failed: Failed<M>) -> Self {
        failed.error
    }
}

#[cfg(feature = "std")]
impl<M> From<Failed<M>> for std::io::Error {
    fn from(failed: Failed<M>) -> Self {
        failed.error.into()
    }
}
