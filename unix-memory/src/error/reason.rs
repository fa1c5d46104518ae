//! Why a call was refused.

use core::fmt;

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
    /// The file's system maps files privately only, as FUSE does with direct I/O and some network file
    /// systems: use [`map_private`](crate::MapOptions::map_private), which shows the same bytes.
    PrivateOnly,
    /// The file's system, or the device's driver, maps no file of this kind: read it instead.
    NoMappings,
    /// The descriptor is not open for reading, which every mapping of a file needs.
    NotReadable,
    /// The descriptor is not open for writing, which a shared mapping that can be written needs.
    NotWritable,
    /// The mapping is empty: it has nothing to show more of. Map the file again.
    EmptyMapping,
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
    /// The addresses are kept for the stack of the main thread, which may grow into them.
    Stack,
    /// The system's pool has too few huge pages of this many bytes.
    HugePagePool(usize),
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
    /// The name is not one that every system takes: a slash, and then at least one character, none of
    /// them a slash or NUL, that are not `.` or `..`.
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
    /// This end of a ring belongs to the process that made it, of which this one is a child.
    OtherProcess,
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
    /// A symbolic link, which is not followed.
    SymbolicLink,
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
            Self::SymbolicLink => "a symbolic link",
            Self::Other => "a file of unknown kind",
            Self::None => "anonymous memory",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Kernel => f.write_str("the kernel refused"),
            Self::LengthLimit(limit) => {
                write!(f, "the length in whole pages must be at most {limit}")
            }
            Self::OffsetLimit(limit) => {
                write!(f, "offset and length together must be at most {limit}")
            }
            Self::MappingLength(len) => write!(f, "the mapping has {len} bytes"),
            Self::FileLength(len) => write!(f, "the file has {len} bytes"),
            Self::LengthNeeded(kind) => {
                write!(f, "give the length: {kind} does not tell it")
            }
            Self::NotMappable(kind) => write!(f, "{kind} cannot be mapped"),
            Self::PrivateOnly => {
                f.write_str("this file system maps files privately only: use map_private")
            }
            Self::NoMappings => {
                f.write_str("this file system or driver cannot map the file: read it instead")
            }
            Self::NotReadable => f.write_str("the file is not open for reading"),
            Self::NotWritable => f.write_str("the file is not open for writing"),
            Self::EmptyMapping => f.write_str("the mapping is empty: map the file again"),
            Self::LockLimit {
                asked,
                limit,
                locked,
            } => write!(
                f,
                "asked for {asked} bytes, {locked} are locked, and without privilege this process \
                 may lock {limit}"
            ),
            Self::HugePages(size) => {
                write!(f, "the file is in huge pages: give multiples of {size}")
            }
            Self::NoOffset => f.write_str("anonymous memory has no offset"),
            Self::NotAnonymous => f.write_str("only private anonymous memory can do this"),
            Self::Unaligned(unit) => write!(f, "it must be a multiple of {unit}"),
            Self::Occupied => f.write_str("something is there already"),
            Self::Stack => f.write_str(
                "these addresses are kept for the stack of the main thread to grow into",
            ),
            Self::HugePagePool(size) => write!(
                f,
                "the system's pool has too few huge pages of {size} bytes: see \
                 /proc/sys/vm/nr_hugepages"
            ),
            Self::HugePage => f.write_str("that is inside a huge page"),
            Self::NotWhole(size) => write!(f, "the length must be a multiple of {size}"),
            Self::NoRoom => f.write_str("no room was found between these addresses"),
            Self::PowerOfTwo => f.write_str("the alignment must be a power of two"),
            Self::NotAdjacent => {
                f.write_str("the second must begin where the first ends, and be of its kind")
            }
            Self::AtomicSize => f.write_str("atomics of another size are in use there"),
            Self::Fault { done, at } => write!(
                f,
                "after {done} bytes; those from {at} on are gone: the file was truncated, or \
                 could not be read or written"
            ),
            Self::NoHandler => {
                f.write_str("the handler of faults is not installed, or its signals are blocked")
            }
            Self::Unsupported => f.write_str("not on this system"),
            Self::ObjectName => f.write_str(
                "a name is a slash and then characters other than slash and NUL, not . or ..",
            ),
            Self::NotSealable => f.write_str("only a memfd has seals"),
            Self::SealsMissing { shrink, write } => f.write_str(match (shrink, write) {
                (true, true) => "F_SEAL_SHRINK and F_SEAL_WRITE are missing",
                (true, false) => "F_SEAL_SHRINK is missing",
                (false, _) => "F_SEAL_WRITE is missing",
            }),
            Self::RingBytes(len) => write!(f, "there are {len} bytes for this end"),
            Self::RingPeer => f.write_str("the other end does not keep to the rules"),
            Self::OtherProcess => f.write_str(
                "the ring belongs to the process that made it, of which this one is a child",
            ),
            Self::NoRing => f.write_str("it is no ring, or not one for this program"),
            Self::Mapped => f.write_str("somebody has it mapped, and may write"),
        }
    }
}
