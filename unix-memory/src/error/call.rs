//! The calls that can be refused.

/// The call that an [`Error`](crate::Error) is about: a system call by its name, or a method of this
/// crate that failed without a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// `mmap(2)`: making a mapping.
    Mmap,
    /// `munmap(2)`: removing a mapping.
    Munmap,
    /// `mprotect(2)`: changing the protection of pages.
    Mprotect,
    /// `madvise(2)`: giving advice, or bringing pages in.
    Madvise,
    /// Turning memory into zeros, refused before the kernel was asked.
    Discard,
    /// `msync(2)`: flushing.
    Msync,
    /// `fsync(2)` or its equivalent: making the device store a file.
    Fsync,
    /// `mlock(2)`: locking into memory.
    Mlock,
    /// `munlock(2)`: unlocking memory.
    Munlock,
    /// `mlockall(2)`: locking the whole process into memory.
    Mlockall,
    /// `mseal(2)`: making a mapping permanent.
    Mseal,
    /// `prctl(2)` with `PR_SET_VMA`: naming memory.
    SetName,
    /// `mbind(2)`: choosing the NUMA nodes of memory.
    Mbind,
    /// `get_mempolicy(2)`: reading that choice, or which nodes can be chosen.
    GetMempolicy,
    /// `move_pages(2)`: asking for the node of a page.
    MovePages,
    /// Making a set of NUMA nodes.
    Nodes,
    /// `pkey_alloc(2)`: taking a protection key.
    PkeyAlloc,
    /// `pkey_mprotect(2)`: giving memory a protection key.
    PkeyMprotect,
    /// Making code fit to be executed.
    SyncInstructionCache,
    /// Finding a byte of [`code`](crate::code) to call.
    Entry,
    /// Changing [`code`](crate::code) while it can be executed.
    Patch,
    /// Making [`code`](crate::code) executable, refused before the kernel was asked.
    IntoExecutable,
    /// `mincore(2)`: asking which pages are in memory.
    Mincore,
    /// Asking how much memory is in huge pages.
    HugeBytes,
    /// `fstat(2)`: asking for the length and the kind of a file.
    Fstat,
    /// `mremap(2)` or its equivalent: changing the length of a mapping.
    Mremap,
    /// Changing the length of a mapping, refused before the kernel was asked.
    Resize,
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
    /// `memfd_secret(2)`: making memory that the kernel itself cannot reach.
    MemfdSecret,
    /// `minherit(2)` or its equivalent: keeping memory from child processes.
    Minherit,
    /// `shm_open(3)`: making or opening a shared memory object.
    ShmOpen,
    /// `shm_unlink(3)`: removing the name of a shared memory object.
    ShmUnlink,
    /// `open(2)`: making a file.
    Open,
    /// `write(2)`: filling a file.
    WriteFile,
    /// `pread(2)` or `read(2)`: reading a file.
    ReadFile,
    /// `ftruncate(2)`: setting the length of a file.
    Ftruncate,
    /// `fcntl(2)` with `F_ADD_SEALS`.
    AddSeals,
    /// `fcntl(2)` with `F_GET_SEALS`.
    GetSeals,
    /// `fcntl(2)` for anything else: copying a descriptor, or setting close-on-exec.
    Fcntl,
    /// Opening a ring, or using one.
    Ring,
    /// Giving bytes to the consumer of a ring.
    Commit,
    /// Giving bytes back to the producer of a ring.
    Consume,
    /// Borrowing a secret.
    Borrow,
    /// Copying within a shared mapping.
    CopyWithin,
    /// Comparing bytes of a shared mapping.
    Compare,
    /// Finding atomics in a shared mapping.
    Atomics,
    /// `sigaction(2)`: installing the fault handler.
    Sigaction,
    /// Asking what a process has mapped.
    ProcessMap,
    /// Designating pages that this crate need not own.
    ForeignPages,
    /// Tracking writes, refused before the kernel was asked.
    Track,
    /// Asking which pages were written, refused before the kernel was asked.
    Written,
    /// The same, and resetting them.
    Take,
    /// Making no page count as written, refused before the kernel was asked.
    Mark,
    /// `userfaultfd(2)`: making a descriptor that tracks writes.
    Userfaultfd,
    /// `ioctl(2)` with `UFFDIO_REGISTER`: beginning to track pages.
    UffdioRegister,
    /// `ioctl(2)` with `UFFDIO_WRITEPROTECT`: marking pages as not written.
    UffdioWriteprotect,
    /// `ioctl(2)` with `PAGEMAP_SCAN`: asking which pages were written.
    PagemapScan,
    /// `open(2)` and `read(2)` of `/proc/self/pagemap`.
    Pagemap,
    /// `open(2)` and `write(2)` of `/proc/self/clear_refs`.
    ClearRefs,
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
            Self::Discard => "discard",
            Self::Msync => "msync",
            Self::Fsync => "fsync",
            Self::Mlock => "mlock",
            Self::Munlock => "munlock",
            Self::Mlockall => "mlockall",
            Self::Mseal => "mseal",
            Self::SetName => "prctl(PR_SET_VMA)",
            Self::Mbind => "mbind",
            Self::GetMempolicy => "get_mempolicy",
            Self::MovePages => "move_pages",
            Self::Nodes => "nodes",
            Self::PkeyAlloc => "pkey_alloc",
            Self::PkeyMprotect => "pkey_mprotect",
            Self::SyncInstructionCache => "sync_instruction_cache",
            Self::Entry => "entry",
            Self::Patch => "patch",
            Self::IntoExecutable => "into_executable",
            Self::Mincore => "mincore",
            Self::HugeBytes => "huge_bytes",
            Self::Fstat => "fstat",
            Self::Mremap => "mremap",
            Self::Resize => "resize",
            Self::Split => "split_at",
            Self::Join => "join",
            Self::View => "view",
            Self::Read => "read_at",
            Self::Write => "write_at",
            Self::Fill => "fill",
            Self::MemfdCreate => "memfd_create",
            Self::MemfdSecret => "memfd_secret",
            Self::Minherit => "minherit",
            Self::ShmOpen => "shm_open",
            Self::ShmUnlink => "shm_unlink",
            Self::Open => "open",
            Self::WriteFile => "write",
            Self::ReadFile => "read",
            Self::Ftruncate => "ftruncate",
            Self::AddSeals => "fcntl(F_ADD_SEALS)",
            Self::GetSeals => "fcntl(F_GET_SEALS)",
            Self::Fcntl => "fcntl",
            Self::Ring => "ring",
            Self::Commit => "commit",
            Self::Consume => "consume",
            Self::Borrow => "borrow",
            Self::CopyWithin => "copy_within",
            Self::Compare => "compare_at",
            Self::Atomics => "atomics",
            Self::Sigaction => "sigaction",
            Self::ProcessMap => "process_map",
            Self::ForeignPages => "ForeignPages",
            Self::Track => "into_tracked",
            Self::Written => "written",
            Self::Take => "take",
            Self::Mark => "mark",
            Self::Userfaultfd => "userfaultfd",
            Self::UffdioRegister => "ioctl(UFFDIO_REGISTER)",
            Self::UffdioWriteprotect => "ioctl(UFFDIO_WRITEPROTECT)",
            Self::PagemapScan => "ioctl(PAGEMAP_SCAN)",
            Self::Pagemap => "/proc/self/pagemap",
            Self::ClearRefs => "/proc/self/clear_refs",
        }
    }
}
