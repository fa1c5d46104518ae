//! Reasons in words: the text in parentheses at the end of a message. It says what to do.

use core::fmt;

use super::arguments::Bytes;
use super::reason::{FileKind, Reason};

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

impl Reason {
    /// The text, if there are no values in it.
    #[allow(clippy::too_many_lines, reason = "it is a table")]
    const fn text(self) -> Option<&'static str> {
        Some(match self {
            Self::Kernel => "the kernel refused",
            Self::WouldBlock => "nothing to read yet: clear O_NONBLOCK, or use poll",
            Self::PrivateOnly => {
                "this file system maps files only privately: use map_private, which shows the same bytes"
            }
            Self::NoMappings => {
                "this file system or driver cannot map the file, shared or privately: read it \
                 instead, as FileBytes does"
            }
            Self::NotPersistent => "the file is not in persistent memory (DAX): use map_shared",
            Self::NotReadable => "the file is not open for reading",
            Self::NotWritable => "the file is not open for writing",
            Self::NeverWritable => {
                "its file was not open for writing when it was mapped, or is sealed against writing"
            }
            Self::NotExecutable => {
                "the file may not be executed: its file system is mounted noexec, or a security \
                 policy forbids it"
            }
            Self::Sealed => "the file has a seal against that: see its Seals",
            Self::SealingOff => {
                "no seals can be added: it was made without MemfdOptions::sealing, or already has Seals::SEAL"
            }
            Self::EmptyMapping => "the mapping is empty: map the file again",
            Self::NoOffset => "anonymous memory has no offset",
            Self::NotAnonymous => {
                "only private anonymous memory can do this: neither a file, nor shared memory, nor, \
                 except for discard, explicit huge pages"
            }
            Self::Occupied => "something is already mapped at these addresses",
            Self::NoAddress => "the kernel lets this process map nothing at that address",
            Self::Stack => {
                "these addresses are kept free for the stack of the main thread to grow into"
            }
            Self::HugePagesOfFile => {
                "private memory of a file in huge pages stays read-only: copy it into other memory"
            }
            Self::HugePagesOff => {
                "the kernel makes no huge pages of this memory: a part of it was never touched (populate \
                 it), or it is of a kind that has none, or NoHugePage, PR_SET_THP_DISABLE or \
                 shmem_enabled forbids them"
            }
            Self::Locked => "some of the pages are locked: unlock them first",
            Self::PagesInUse => "the kernel was using some of the pages: try again",
            Self::NoFreeHugePage => "no huge page is free: memory is short or fragmented",
            Self::CgroupLimit => "over the memory limit of a control group",
            Self::ExecuteDenied => {
                "this process may not execute memory that is or was writable: PR_SET_MDWE or a security \
                 policy forbids it; for code, use Way::DualMapping"
            }
            Self::NotEnforced => "this system enforces no protections",
            Self::NotWrittenBack => {
                "this system does not reliably write a shared mapping back to its file; map it \
                 privately, and write the file itself"
            }
            Self::HugePage => "that position is inside a huge page",
            Self::NotMapped => "a page of the range is not mapped",
            Self::NotTraceable => {
                "this process may not inspect that one: it needs the same user, or a privilege"
            }
            Self::NoProc => "/proc is not mounted, or does not show this process",
            Self::NoRoom => "no room was found between the given addresses",
            Self::PowerOfTwo => "the alignment must be a power of two",
            Self::NotAdjacent => {
                "the second mapping must begin where the first ends, and both must be of the same \
                 kind of memory and have the same protection"
            }
            Self::AtomicSize => "atomics of another size are in use at these bytes",
            Self::OneMapping => {
                "the code has one mapping, which is not writable: use Way::DualMapping"
            }
            Self::NoHandler => {
                "the fault handler is not installed, or its signals are blocked in this thread: \
                 call install_fault_handler"
            }
            Self::Unsupported => "this system does not support it",
            Self::ObjectName => {
                "a name is a slash followed by 1 to 254 bytes, without another slash or NUL, and not /. or /.."
            }
            Self::MemoryName => {
                "a name has at most 79 bytes, all of them printable ASCII and none of \\ ` $ [ ]"
            }
            Self::NamedByFile => "only memory without a file has a name of its own",
            Self::NoNodes => "name at least one node",
            Self::NodeList => "a list of nodes is numbers below 1024 and ranges, such as 0-3,5",
            Self::NotMoved => "some pages are on other nodes, and could not be moved",
            Self::NotWritableToBind => {
                "huge pages are brought in before they are bound to nodes: make them readable and \
                 writable first"
            }
            Self::NotSealable => "only a memfd has seals: make one with MemfdOptions",
            Self::RingPeer => "the other end of the ring violated the protocol",
            Self::OtherProcess => {
                "it belongs to the process that made it, and this is a child of that process"
            }
            Self::NoRing => {
                "this memory does not hold a ring, or holds one that this program cannot use"
            }
            Self::CommitLimit => {
                "at a limit: on data (RLIMIT_DATA), of mappings (vm.max_map_count) or on committed \
                 memory (vm.overcommit_memory)"
            }
            Self::NotCommitted => "some of the range is not committed: commit it first",
            Self::Watched => "another userfaultfd watches these pages",
            Self::OneTracker => {
                "the process already has a tracker by soft-dirty bits, and can have only one"
            }
            Self::NotTrackable => "the kernel does not track writes to such memory",
            Self::NotDumpable => {
                "the process is not dumpable: track before PR_SET_DUMPABLE closes /proc/self"
            }
            Self::Mapped => {
                "the file still has a shared mapping that is or can become writable: unmap that first"
            }
            Self::LengthLimit(_)
            | Self::AlignmentLimit { .. }
            | Self::ElementsLimit(_)
            | Self::NoOffsets(_)
            | Self::Ended { .. }
            | Self::OffsetLimit(_)
            | Self::MappingLength(_)
            | Self::FileLength(_)
            | Self::BytesLimit(_)
            | Self::NoBytes(_)
            | Self::LengthNeeded(_)
            | Self::NotMappable(_)
            | Self::LockLimit { .. }
            | Self::HugePages(_)
            | Self::Unaligned(_)
            | Self::AddressSpaceLimit(_)
            | Self::DataLimit(_)
            | Self::MappingsLimit(_)
            | Self::FreeAddresses(_)
            | Self::MemoryAndSwap(_)
            | Self::CommittedMemory(_)
            | Self::HugePagePool(_)
            | Self::HugePageSize(_)
            | Self::Stopped { .. }
            | Self::NoHugePageFits(_)
            | Self::NoNode(_)
            | Self::FileSizeLimit(_)
            | Self::NotWhole(_)
            | Self::Fault { .. }
            | Self::SealsMissing { .. }
            | Self::ReservedLength(_)
            | Self::RingBytes(_) => return None,
        })
    }
}

impl fmt::Display for Reason {
    #[allow(clippy::too_many_lines, reason = "it is a table")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.text() {
            return f.write_str(text);
        }
        match *self {
            Self::LengthLimit(limit) => {
                write!(f, "the length in whole pages must be at most {limit}")
            }
            Self::AlignmentLimit { asked, most } => write!(
                f,
                "the alignment {asked} exceeds the maximum for this length, {most}"
            ),
            Self::ElementsLimit(limit) => write!(f, "there can be at most {limit} elements"),
            Self::NoOffsets(kind) => write!(
                f,
                "{kind} has no offsets: read it from its current position, and skip the first bytes"
            ),
            Self::Ended { kind, at } => write!(f, "{kind} that ended after {}", Bytes(at)),
            Self::OffsetLimit(limit) => {
                write!(f, "offset and length together must be at most {limit}")
            }
            Self::MappingLength(len) => write!(f, "the mapping has {}", Bytes(len as u64)),
            Self::FileLength(len) => write!(f, "the file has {}", Bytes(len)),
            Self::BytesLimit(limit) => {
                write!(f, "there are more than the allowed {}", Bytes(limit as u64))
            }
            Self::NoBytes(kind) => write!(f, "{kind} has no bytes to read"),
            Self::LengthNeeded(FileKind::None) => f.write_str("give the length with len"),
            Self::LengthNeeded(kind) => {
                write!(f, "give the length with len, since {kind} has none")
            }
            Self::NotMappable(kind) => write!(f, "{kind} cannot be mapped"),
            Self::LockLimit {
                asked,
                limit,
                locked,
            } => write!(
                f,
                "this process may lock {} (RLIMIT_MEMLOCK): {locked} are locked, and {asked} were requested",
                Bytes(limit)
            ),
            Self::HugePages(size) => {
                write!(
                    f,
                    "the file is in huge pages: offset and length must be multiples of {size}"
                )
            }
            Self::Unaligned(unit) => write!(f, "not at a multiple of {unit}"),
            Self::AddressSpaceLimit(limit) => write!(
                f,
                "this process may have at most {} of addresses in all (RLIMIT_AS)",
                Bytes(limit)
            ),
            Self::DataLimit(limit) => write!(
                f,
                "this process may have at most {} of private writable memory in all (RLIMIT_DATA)",
                Bytes(limit)
            ),
            Self::MappingsLimit(limit) => write!(
                f,
                "the process is at its limit of {limit} mappings (vm.max_map_count)"
            ),
            Self::FreeAddresses(gap) => {
                write!(f, "the longest run of free addresses has {gap} bytes")
            }
            Self::MemoryAndSwap(all) => write!(
                f,
                "memory and swap space have {all} bytes together; only a mapping with no_reserve, or \
                 a Reservation, may be longer"
            ),
            Self::CommittedMemory(limit) => write!(
                f,
                "the system promises at most {limit} bytes of memory to all programs together \
                 (vm.overcommit_memory is 2)"
            ),
            Self::HugePagePool(size) => write!(
                f,
                "the system's pool has too few huge pages of {size} bytes: see \
                 /sys/kernel/mm/hugepages"
            ),
            Self::HugePageSize(size) => write!(
                f,
                "this system has no huge pages of {size} bytes: see HugePageSize::available"
            ),
            Self::NoHugePageFits(size) => {
                write!(
                    f,
                    "no huge page lies wholly in the range: one has {size} bytes, and begins at \
                     a multiple of that"
                )
            }
            Self::NoNode(node) => write!(
                f,
                "there is no node {node}, or this thread may not use its memory"
            ),
            Self::FileSizeLimit(limit) => write!(
                f,
                "over the limit on the size of files: {} (RLIMIT_FSIZE)",
                Bytes(limit)
            ),
            Self::NotWhole(size) => write!(f, "the length must be a multiple of {size}"),
            Self::Fault { done, at, cause } => {
                if done > 0 {
                    write!(f, "after {}: ", Bytes(done as u64))?;
                }
                cause.fmt(at, f)
            }
            Self::Stopped { done, at } => {
                write!(f, "after {}, at byte {at}", Bytes(done as u64))
            }
            Self::SealsMissing { shrink, write } => f.write_str(match (shrink, write) {
                (true, true) => "F_SEAL_SHRINK and F_SEAL_WRITE are missing",
                (true, false) => "F_SEAL_SHRINK is missing",
                (false, _) => "F_SEAL_WRITE is missing",
            }),
            Self::ReservedLength(len) => write!(f, "the reservation has {}", Bytes(len as u64)),
            Self::RingBytes(len) => write!(f, "this end has {}", Bytes(len as u64)),
            // It has a text.
            _ => Ok(()),
        }
    }
}
