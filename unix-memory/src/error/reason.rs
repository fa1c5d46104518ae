//! Why a call was refused.

use super::cause::FaultCause;

/// Why a call was refused, beyond its `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The kernel refused; the `errno` is all that it reported.
    Kernel,
    /// A length, rounded up to whole pages, must be at most this many bytes: no Rust slice can have more
    /// than `isize::MAX`.
    LengthLimit(usize),
    /// For memory of this length, the alignment must be at most this many bytes: with a larger one, there
    /// are not enough addresses.
    AlignmentLimit {
        /// The alignment that was requested, in bytes.
        asked: usize,
        /// The maximum, a power of two.
        most: usize,
    },
    /// A vector has at most this many elements, because their number is a `usize`.
    ElementsLimit(usize),
    /// A file offset plus the length must be at most this: no file can be longer.
    OffsetLimit(u64),
    /// The range must lie within the mapping, which has this many bytes.
    MappingLength(usize),
    /// The range must lie within the file, which has this many bytes.
    FileLength(u64),
    /// A file of this kind has no offsets: it is read from its current position.
    NoOffsets(FileKind),
    /// A pipe or another stream ended before it had delivered the requested bytes.
    Ended {
        /// What it is.
        kind: FileKind,
        /// How many bytes it delivered.
        at: u64,
    },
    /// The file must have no more than this many bytes from the offset on, which the caller allowed.
    BytesLimit(usize),
    /// There is nothing to read yet, and the descriptor does not wait: it has `O_NONBLOCK` or, if it is a
    /// socket, a time limit (`SO_RCVTIMEO`).
    WouldBlock,
    /// A file of this kind has no bytes that can be read.
    NoBytes(FileKind),
    /// The length must be given with [`MapOptions::len`](crate::MapOptions::len): a file of this kind has
    /// no known length.
    LengthNeeded(FileKind),
    /// A file of this kind cannot be mapped.
    NotMappable(FileKind),
    /// The file system maps files only privately, as FUSE with direct I/O and some network file systems do:
    /// use [`map_private`](crate::MapOptions::map_private), which shows the same bytes.
    PrivateOnly,
    /// The file is not in persistent memory, or its file system does not map it from there (DAX).
    NotPersistent,
    /// The file system or the device's driver does not map this file at all, neither shared nor privately:
    /// read it instead, as `FileBytes` does.
    NoMappings,
    /// The descriptor is not open for reading, which every mapping of a file requires.
    NotReadable,
    /// The descriptor is not open for writing, which a writable shared mapping requires.
    NotWritable,
    /// The mapping can never become writable: its file was not open for writing when it was mapped, or is
    /// sealed against writing. Open the file for writing and map it again, or map it privately.
    NeverWritable,
    /// The file may not be executed: its file system is mounted with `noexec`, or a security policy forbids
    /// it.
    NotExecutable,
    /// The file has a seal against this change, or against writing: `Seals` has them.
    Sealed,
    /// No more seals can be added: the memfd was made without `MemfdOptions::sealing`, or has
    /// `Seals::SEAL` by now.
    SealingOff,
    /// Some of the pages are locked into memory.
    Locked,
    /// The mapping is empty, so it cannot grow to show more of the file. Map the file again.
    EmptyMapping,
    /// The request, together with what is locked already, exceeds what the process may lock without a
    /// privilege (`RLIMIT_MEMLOCK`). All values are in bytes.
    LockLimit {
        /// The requested bytes, in whole pages; some of them may be locked already.
        asked: u64,
        /// How much the process may lock.
        limit: u64,
        /// How much is locked already: on Linux by the whole process, if /proc can be read; elsewhere by
        /// the guards of this crate.
        locked: u64,
    },
    /// Offset and length must be multiples of this, the size of the file's huge pages in bytes.
    HugePages(usize),
    /// Anonymous memory has no offset.
    NoOffset,
    /// Only private anonymous memory can do this: here a file is mapped, others have the memory too, or it
    /// is in explicit huge pages.
    NotAnonymous,
    /// The address or position must be a multiple of this many bytes.
    Unaligned(usize),
    /// Something is mapped at the addresses that were asked for, or behind a mapping that was to grow
    /// in place.
    Occupied,
    /// The kernel lets this process map nothing at the address that was asked for: it is zero, or too low
    /// (`vm.mmap_min_addr`), or too high to be of a process.
    NoAddress,
    /// The addresses are kept free for the stack of the main thread, which may grow into them.
    Stack,
    /// The address space of the process is limited to this many bytes (`RLIMIT_AS`).
    AddressSpaceLimit(u64),
    /// The private writable memory of the process is limited to this many bytes (`RLIMIT_DATA`).
    DataLimit(u64),
    /// The process has about as many mappings as it may have: this number (`vm.max_map_count`).
    MappingsLimit(u64),
    /// There are not enough free addresses in a row: the longest run has this many bytes.
    FreeAddresses(u64),
    /// The length exceeds memory and swap space together, which have this many bytes, and the system does
    /// not promise more than that: [`no_reserve`](crate::MapOptions::no_reserve) asks for no promise.
    MemoryAndSwap(u64),
    /// The system promises at most this many bytes of memory to all programs together
    /// (`vm.overcommit_memory` is 2).
    CommittedMemory(u64),
    /// The system's pool has too few huge pages of this many bytes.
    HugePagePool(usize),
    /// The system has no huge pages of this many bytes: `HugePageSize::available` lists those that it has.
    HugePageSize(usize),
    /// The memory is a private mapping of a file in huge pages. No huge pages were set aside for copies, so
    /// it cannot become writable.
    HugePagesOfFile,
    /// No huge page lies wholly in the range: a huge page has this many bytes, and begins at a
    /// multiple of that. [`transparent_huge_pages`](crate::MapOptions::transparent_huge_pages)
    /// aligns a mapping to it.
    NoHugePageFits(usize),
    /// The kernel makes no transparent huge pages of this memory. No page of a huge one may have been
    /// touched yet (`populate_write` brings it in), its kind may have none (explicit huge pages,
    /// devices, files on many file systems, [`Tracked`](crate::Tracked) memory), a part of it may be gone, or they are
    /// switched off: for this memory ([`Advice::NoHugePage`](crate::Advice::NoHugePage)), for the
    /// process (`PR_SET_THP_DISABLE`) or for shared memory (`shmem_enabled`).
    HugePagesOff,
    /// The kernel was using some of the pages at that moment; try again.
    PagesInUse,
    /// No huge page is free, and the kernel could not make one from small pages.
    NoFreeHugePage,
    /// One more huge page would exceed the memory limit of a control group.
    CgroupLimit,
    /// The process may not execute private memory that is or was writable: it has given up that right
    /// itself (`PR_SET_MDWE`), or a security policy, such as SELinux's, forbids it.
    /// [`Way::DualMapping`](crate::code::Way::DualMapping) does not need it.
    ExecuteDenied,
    /// The system enforces no protections: memory that should become inaccessible would stay accessible.
    NotEnforced,
    /// The system does not reliably write a shared mapping back to its file. Write to the file itself, or
    /// map it privately.
    NotWrittenBack,
    /// The process may not make a file longer than this many bytes (`RLIMIT_FSIZE`).
    FileSizeLimit(u64),
    /// The position is inside a huge page, which can be protected and unmapped only as a whole.
    HugePage,
    /// The length of the range must be a multiple of this, the size of one value in bytes.
    NotWhole(usize),
    /// A page of the range is not mapped.
    NotMapped,
    /// This process may not inspect the other one. It may if both belong to the same user, or if this one
    /// is privileged; for Linux, ptrace(2) has the rules.
    NotTraceable,
    /// `/proc` is not mounted, or belongs to another PID namespace.
    NoProc,
    /// No room was found between the requested addresses.
    NoRoom,
    /// It must be a power of two.
    PowerOfTwo,
    /// The second mapping must begin where the first ends, and be of the same kind.
    NotAdjacent,
    /// The bytes are in use as atomics of another size.
    AtomicSize,
    /// Memory behind the mapping is gone: the file was truncated, a page could not be read from the disk or
    /// has no room on it, or a device failed.
    Fault {
        /// How many bytes were copied before that: the first ones, unless the method documents otherwise.
        done: usize,
        /// The position of the byte that could not be reached, from the start of the mapping.
        at: usize,
        /// Which of these it was, if that is known.
        cause: FaultCause,
    },
    /// The call ended early, for the reason that the error number gives.
    Stopped {
        /// How many bytes were done before that: the first ones of the range.
        done: usize,
        /// The position of the byte at which it ended, from the start of the mapping.
        at: usize,
    },
    /// The code has one mapping, which cannot be written while it can be executed: see
    /// [`Way::DualMapping`](crate::code::Way::DualMapping).
    OneMapping,
    /// `install_fault_handler` was not called, or this thread blocks the signals.
    NoHandler,
    /// The platform or the running kernel does not have this.
    Unsupported,
    /// Not every system accepts this name. A name that all accept is a slash followed by at least one
    /// character, without further slashes or NUL, and is neither `/.` nor `/..`.
    ObjectName,
    /// No kernel accepts this name for memory: a name has at most 79 bytes, all of them printable ASCII and
    /// none of them ``\``, `` ` ``, `$`, `[` or `]`.
    MemoryName,
    /// Only memory without a file has a name of its own; other memory is shown with the name of its file.
    NamedByFile,
    /// The policy names no node.
    NoNodes,
    /// There is no node with this number, or the calling thread may not use its memory.
    NoNode(u32),
    /// The text is not a list of nodes: numbers and ranges, such as `0-3,5`.
    NodeList,
    /// Some pages are on other nodes, and could not be moved to the requested ones.
    NotMoved,
    /// The memory is in explicit huge pages, which must be brought in before they are bound to nodes, and
    /// it is not both readable and writable.
    NotWritableToBind,
    /// The file cannot have seals: it is not a memfd.
    #[doc(alias = "not_supported")]
    NotSealable,
    /// The file lacks seals, and could change in a way that it must not.
    #[doc(alias = "not_safe")]
    SealsMissing {
        /// `F_SEAL_SHRINK` is missing: the file can be truncated.
        shrink: bool,
        /// `F_SEAL_WRITE` is missing: the file can be written to, at least through a mapping that somebody
        /// made before `F_SEAL_FUTURE_WRITE`.
        write: bool,
    },
    /// Only this many bytes of addresses are reserved.
    ReservedLength(usize),
    /// No more memory can be committed, and it could not be determined which limit was reached: that of the
    /// process on data (`RLIMIT_DATA`) or mappings (`vm.max_map_count`), or that of the system on committed
    /// memory (`vm.overcommit_memory`).
    CommitLimit,
    /// Some of the range is not committed: commit it first.
    NotCommitted,
    /// The ring has only this many bytes for this end.
    RingBytes(usize),
    /// The other end of a ring, in another process, violates the protocol.
    RingPeer,
    /// This end of a ring, this code or this secret belongs to the process that made it, and this process
    /// is a child of that one.
    OtherProcess,
    /// The memory does not hold a ring, or holds one made by another version of this crate or with another
    /// width of pointers.
    NoRing,
    /// Another descriptor of `userfaultfd(2)` watches some of the pages.
    Watched,
    /// The process already has a tracker by [`Tracking::SoftDirty`](crate::Tracking::SoftDirty). A second
    /// one would clear the same bits.
    OneTracker,
    /// The kernel does not see which pages of such memory are written; an example is the registers of a
    /// device.
    NotTrackable,
    /// The process is not dumpable, so it may not open its own files in `/proc`: see `PR_SET_DUMPABLE` of
    /// prctl(2). It can make trackers before it becomes undumpable.
    NotDumpable,
    /// The content cannot be sealed while a shared mapping of the file exists that is writable, or that was
    /// made from a descriptor open for writing.
    Mapped,
}

impl Reason {
    /// The reason for an alignment that is too large: the memory and its alignment together must have at
    /// most `room` bytes.
    #[cold]
    pub(crate) const fn alignment_limit(asked: usize, room: usize) -> Self {
        let most = match room.checked_ilog2() {
            Some(power) => 1 << power,
            None => 0,
        };
        Self::AlignmentLimit { asked, most }
    }
}

/// What kind of file an open file is, as far as it matters for mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A regular file, a memfd or a POSIX shared memory object.
    Regular,
    /// A directory.
    Directory,
    /// A character device, such as `/dev/zero`.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A pipe or FIFO.
    Pipe,
    /// A socket.
    Socket,
    /// A symbolic link, which is not followed.
    SymbolicLink,
    /// None of the others, or unknown because only a raw descriptor was given.
    Other,
    /// No file: anonymous memory.
    None,
}
