// Not compared: MINCORE_SUPER, which is 0x20 in libc and 0x60 in the header.
same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC MAP_SHARED MAP_PRIVATE MAP_COPY MAP_FIXED
    MAP_HASSEMAPHORE MAP_STACK MAP_NOSYNC MAP_FILE MAP_ANON MAP_ANONYMOUS MAP_GUARD MAP_EXCL
    MAP_NOCORE MAP_PREFAULT_READ MAP_ALIGNMENT_SHIFT MAP_ALIGNMENT_MASK MAP_ALIGNED_SUPER
    MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MADV_FREE MADV_NOSYNC
    MADV_AUTOSYNC MADV_NOCORE MADV_CORE MADV_PROTECT POSIX_MADV_NORMAL POSIX_MADV_RANDOM
    POSIX_MADV_SEQUENTIAL POSIX_MADV_WILLNEED POSIX_MADV_DONTNEED MS_SYNC MS_ASYNC MS_INVALIDATE
    MCL_CURRENT MCL_FUTURE MINCORE_INCORE MINCORE_REFERENCED MINCORE_MODIFIED
    MINCORE_REFERENCED_OTHER MINCORE_MODIFIED_OTHER INHERIT_SHARE INHERIT_COPY INHERIT_NONE
    INHERIT_ZERO MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB MFD_HUGE_MASK MFD_HUGE_64KB
    MFD_HUGE_512KB MFD_HUGE_1MB MFD_HUGE_2MB MFD_HUGE_8MB MFD_HUGE_16MB MFD_HUGE_32MB
    MFD_HUGE_256MB MFD_HUGE_512MB MFD_HUGE_1GB MFD_HUGE_2GB MFD_HUGE_16GB F_ADD_SEALS
    F_GET_SEALS F_SEAL_SEAL F_SEAL_SHRINK F_SEAL_GROW F_SEAL_WRITE SHM_LARGEPAGE_ALLOC_DEFAULT
    SHM_LARGEPAGE_ALLOC_NOWAIT SHM_LARGEPAGE_ALLOC_HARD SHM_RENAME_NOREPLACE SHM_RENAME_EXCHANGE
    _SC_PAGESIZE _SC_PAGE_SIZE
}

same_signature! {
    fcntl = fcntl
    ftruncate = ftruncate
    getpagesizes = getpagesizes
    madvise = madvise
    memfd_create = memfd_create
    mincore = mincore
    minherit = minherit
    mlock = mlock
    mlockall = mlockall
    mmap = mmap
    mprotect = mprotect
    msync = msync
    munlock = munlock
    munlockall = munlockall
    munmap = munmap
    posix_fallocate = posix_fallocate
    posix_madvise = posix_madvise
    shm_create_largepage = shm_create_largepage
    shm_open = shm_open
    shm_rename = shm_rename
    shm_unlink = shm_unlink
    sysconf = sysconf
    errno_location = __error
}

#[cfg(target_pointer_width = "64")]
same_value! { MAP_32BIT }

const _: () = assert!(crate::MAP_ALIGNED(16) == libc::MAP_ALIGNED(16));
