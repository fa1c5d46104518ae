same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC MAP_FILE MAP_ANON MAP_ANONYMOUS MAP_TYPE
    MAP_PRIVATE MAP_SHARED MAP_COPY MAP_FIXED MAP_NOEXTEND MAP_HASSEMAPHORE MAP_INHERIT
    MAP_32BIT MAP_EXCL MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED
    POSIX_MADV_NORMAL POSIX_MADV_RANDOM POSIX_MADV_SEQUENTIAL POSIX_MADV_WILLNEED MS_SYNC
    MS_ASYNC MS_INVALIDATE MCL_CURRENT MCL_FUTURE MREMAP_MAYMOVE MREMAP_FIXED _SC_PAGESIZE
    _SC_PAGE_SIZE
}

same_signature! {
    fcntl = fcntl
    ftruncate = ftruncate64
    madvise = madvise
    mlock = mlock
    mlockall = mlockall
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
    mmap = mmap64
    errno_location = __errno_location
}
