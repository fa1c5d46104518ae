same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC MAP_SHARED MAP_PRIVATE MAP_REMAPDUP MAP_FIXED
    MAP_RENAME MAP_NORESERVE MAP_HASSEMAPHORE MAP_TRYFIXED MAP_WIRED MAP_FILE MAP_ANONYMOUS
    MAP_ANON MAP_STACK MAP_ALIGNMENT_SHIFT MAP_ALIGNMENT_MASK MAP_ALIGNMENT_64KB
    MAP_ALIGNMENT_16MB MAP_ALIGNMENT_4GB MAP_ALIGNMENT_1TB MAP_ALIGNMENT_256TB
    MAP_ALIGNMENT_64PB MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED
    MADV_FREE POSIX_MADV_NORMAL POSIX_MADV_RANDOM POSIX_MADV_SEQUENTIAL POSIX_MADV_WILLNEED
    POSIX_MADV_DONTNEED MS_ASYNC MS_INVALIDATE MS_SYNC MCL_CURRENT MCL_FUTURE MAP_INHERIT_SHARE
    MAP_INHERIT_COPY MAP_INHERIT_NONE MAP_INHERIT_DONATE_COPY MAP_INHERIT_ZERO _SC_PAGESIZE
    _SC_PAGE_SIZE
}

same_signature! {
    fcntl = fcntl
    ftruncate = ftruncate
    madvise = madvise
    mincore = mincore
    minherit = minherit
    mlock = mlock
    mlockall = mlockall
    mmap = mmap
    mprotect = mprotect
    mremap = mremap
    msync = msync
    munlock = munlock
    munlockall = munlockall
    munmap = munmap
    posix_madvise = posix_madvise
    shm_open = shm_open
    shm_unlink = shm_unlink
    sysconf = sysconf
    errno_location = __errno
}

const _: () = assert!(crate::MAP_ALIGNED(16) == libc::MAP_ALIGNED(16));
