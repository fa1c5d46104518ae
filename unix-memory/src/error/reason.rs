//! Why a call was refused.

/// Why a call was refused, beyond its `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The kernel refused; `errno` is all that it said.
    Kernel,
    /// A length, rounded up to whole pages, must be at most this many bytes: more than
    /// `isize::MAX` no Rust slice can have.
    LengthLimit(usize),
    /// The alignment of memory of this length must be at most so many bytes: with more, there are not
    /// enough addresses.
    AlignmentLimit {
        /// What was asked for, in bytes.
        asked: usize,
        /// The most, a power of two.
        most: usize,
    },
    /// A vector has at most this many elements, whose number is a `usize`.
    ElementsLimit(usize),
    /// A file offset plus the length must be at most this: more a file cannot have.
    OffsetLimit(u64),
    /// The range must lie within the mapping, which has this many bytes.
    MappingLength(usize),
    /// The range must lie within the file, which has this many bytes.
    FileLength(u64),
    /// A file of this kind has no offsets: it is read from where it is on.
    NoOffsets(FileKind),
    /// What was read in order, such as a pipe, ended before it had the bytes that were asked for.
    Ended {
        /// What it is.
        kind: FileKind,
        /// How many bytes it had, from the offset zero on.
        at: u64,
    },
    /// The file must have no more than this many bytes from the offset on, which the caller allowed.
    BytesLimit(usize),
    /// There is nothing to read yet, and the descriptor does not wait for it: it has `O_NONBLOCK`, or, as a
    /// socket, a time limit (`SO_RCVTIMEO`).
    WouldBlock,
    /// What the file is has no bytes that can be read.
    NoBytes(FileKind),
    /// The length must be given, by [`MapOptions::len`](crate::MapOptions::len): a file of this kind has
    /// none that is known.
    LengthNeeded(FileKind),
    /// What the file is cannot be mapped.
    NotMappable(FileKind),
    /// The file's system maps files privately only, as FUSE does with direct I/O and some network
    /// file systems: use [`map_private`](crate::MapOptions::map_private), which shows the same
    /// bytes.
    PrivateOnly,
    /// The file is not in persistent memory, or its file system does not map it from there (DAX).
    NotPersistent,
    /// The file's system, or the device's driver, maps no file of this kind, neither shared nor privately:
    /// read it instead, as `FileBytes` does.
    NoMappings,
    /// The descriptor is not open for reading, which every mapping of a file needs.
    NotReadable,
    /// The descriptor is not open for writing, which a shared mapping that can be written needs.
    NotWritable,
    /// The mapping can never become writable: its file was not open for writing when it was mapped, or is
    /// sealed against writing. Map the file anew, open for writing; or privately.
    NeverWritable,
    /// The file must not be executed: its file system is mounted with `noexec`, or a security policy
    /// forbids it.
    NotExecutable,
    /// The file has a seal against this change, or against writing: `Seals` has them.
    Sealed,
    /// No more seals can be added: the memfd was made without `MemfdOptions::sealing`, or has
    /// `Seals::SEAL` by now.
    SealingOff,
    /// Some of the pages are locked into memory.
    Locked,
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
    /// The addresses are kept for the stack of the main thread, which may grow into them.
    Stack,
    /// The process may have no more addresses than this many bytes (`RLIMIT_AS`).
    AddressSpaceLimit(u64),
    /// The process may have no more private memory that can be written than this many bytes
    /// (`RLIMIT_DATA`).
    DataLimit(u64),
    /// The process has about as many mappings as it may have, which is this number
    /// (`vm.max_map_count`).
    MappingsLimit(u64),
    /// There are no free addresses for it: the longest run of them has this many bytes.
    FreeAddresses(u64),
    /// It is more than memory and swap space together, which are this many bytes, and the system does not
    /// promise that: [`no_reserve`](crate::MapOptions::no_reserve) does without a promise.
    MemoryAndSwap(u64),
    /// The system promises all programs together no more memory than this many bytes
    /// (`vm.overcommit_memory` is 2).
    CommittedMemory(u64),
    /// The system's pool has too few huge pages of this many bytes.
    HugePagePool(usize),
    /// The system has no huge pages of this many bytes: `HugePageSize::available` lists those that it has.
    HugePageSize(usize),
    /// The memory is a private mapping of a file in huge pages, none of which were set aside for
    /// copies, so that it cannot become writable.
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
    /// The kernel was using some of the pages at that moment: try again.
    PagesInUse,
    /// No huge page is free, and the kernel could make none of small ones.
    NoFreeHugePage,
    /// One more huge page would be over the memory limit of a control group.
    CgroupLimit,
    /// The process may not execute private memory that it could write, or may write: it has asked for that
    /// itself (`PR_SET_MDWE`), or a security policy, such as SELinux's, forbids it.
    /// [`Way::DualMapping`](crate::code::Way::DualMapping) does without.
    ExecuteDenied,
    /// The system enforces no protections: what was to be closed would stay open.
    NotEnforced,
    /// The system does not reliably write a shared mapping back to its file. The file itself can be
    /// written, and mapped privately.
    NotWrittenBack,
    /// The process may make no file longer than this, in bytes (`RLIMIT_FSIZE`).
    FileSizeLimit(u64),
    /// The position is inside a huge page, which is only protected and unmapped as a whole.
    HugePage,
    /// The length of the range must be a multiple of this, the size of one value in bytes.
    NotWhole(usize),
    /// A page of the range is not mapped.
    NotMapped,
    /// This process may not inspect the other one, as it could if both were of the same user, or this one
    /// privileged. On Linux, ptrace(2) has the rules.
    NotTraceable,
    /// `/proc` is not mounted, or is that of another PID namespace.
    NoProc,
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
    /// It ended early, for the reason that the error number says.
    Stopped {
        /// How many bytes were done before: the first of the range.
        done: usize,
        /// The byte, from the start of the mapping, at which it ended.
        at: usize,
    },
    /// The code has one mapping, which cannot be written while it can be executed: see
    /// [`Way::DualMapping`](crate::code::Way::DualMapping).
    OneMapping,
    /// `install_fault_handler` was not called, or this thread blocks the signals.
    NoHandler,
    /// The platform, or the running kernel, has no such thing.
    Unsupported,
    /// The name is not one that every system takes: a slash, and then at least one character, none
    /// of them a slash or NUL, that are not `.` or `..`.
    ObjectName,
    /// No kernel takes this name for memory: a name has at most 79 bytes, all of them printable ASCII
    /// and none of them ``\``, `` ` ``, `$`, `[` or `]`.
    MemoryName,
    /// Only memory without a file has a name of its own; other memory goes by the name of its file.
    NamedByFile,
    /// The policy names no node.
    NoNodes,
    /// There is no node of this number, or the calling thread may not use its memory.
    NoNode(u32),
    /// The text is not a list of nodes: numbers and ranges, such as `0-3,5`.
    NodeList,
    /// Some pages are on other nodes, and could not be moved to those that were asked for.
    NotMoved,
    /// The memory is in explicit huge pages, which are brought in before they are bound to nodes, and
    /// it cannot be read and written.
    NotWritableToBind,
    /// The file cannot have seals: it is not a memfd.
    #[doc(alias = "not_supported")]
    NotSealable,
    /// The file can change in a way that it must not: it has too few seals.
    #[doc(alias = "not_safe")]
    SealsMissing {
        /// `F_SEAL_SHRINK` is missing: the file can be truncated.
        shrink: bool,
        /// `F_SEAL_WRITE` is missing: it can be written to, at least through a mapping that
        /// somebody made before `F_SEAL_FUTURE_WRITE`.
        write: bool,
    },
    /// No more than this many bytes of addresses are reserved.
    ReservedLength(usize),
    /// No more memory can be committed, and which limit that is was not found out: the process's limit on
    /// data (`RLIMIT_DATA`) or of mappings (`vm.max_map_count`), or the system's limit on committed
    /// memory (`vm.overcommit_memory`).
    CommitLimit,
    /// Some of the range is not committed: commit it first.
    NotCommitted,
    /// A ring has no more than this many bytes for this end.
    RingBytes(usize),
    /// The other end of a ring, in another process, does not keep to the rules.
    RingPeer,
    /// This end of a ring, this code or this secret belongs to the process that made it, of which this
    /// one is a child.
    OtherProcess,
    /// The memory does not hold a ring, or holds one of another version of this crate or width of pointers.
    NoRing,
    /// Another descriptor of `userfaultfd(2)` watches some of the pages.
    Watched,
    /// The process already has a tracker by [`Tracking::SoftDirty`](crate::Tracking::SoftDirty). A second
    /// one would clear the same bits.
    OneTracker,
    /// The kernel does not see which pages of such memory are written, as that of a device's registers.
    NotTrackable,
    /// The process is not dumpable, so that its own files below `/proc` are closed to it: see
    /// `PR_SET_DUMPABLE` of prctl(2). It can make trackers before it gives that up.
    NotDumpable,
    /// The content cannot be sealed while a shared mapping of the file exists that can be written, or that
    /// was made of a descriptor open for writing.
    Mapped,
}

impl Reason {
    /// That an alignment is too large: what is aligned so, with that, must have at most `room` bytes.
    #[cold]
    pub(crate) const fn alignment_limit(asked: usize, room: usize) -> Self {
        let most = match room.checked_ilog2() {
            Some(power) => 1 << power,
            None => 0,
        };
        Self::AlignmentLimit { asked, most }
    }
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
