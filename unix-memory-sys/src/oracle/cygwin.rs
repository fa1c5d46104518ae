same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC MAP_FILE MAP_SHARED MAP_PRIVATE MAP_TYPE MAP_FIXED
    MAP_ANONYMOUS MAP_ANON MAP_NORESERVE MADV_NORMAL MADV_SEQUENTIAL MADV_RANDOM MADV_WILLNEED
    MADV_DONTNEED POSIX_MADV_NORMAL POSIX_MADV_SEQUENTIAL POSIX_MADV_RANDOM POSIX_MADV_WILLNEED
    POSIX_MADV_DONTNEED MS_ASYNC MS_SYNC MS_INVALIDATE _SC_PAGESIZE _SC_PAGE_SIZE
}

same_signature! {
    fcntl = fcntl
    ftruncate = ftruncate
    madvise = madvise
    mlock = mlock
    mmap = mmap
    mprotect = mprotect
    msync = msync
    munlock = munlock
    munmap = munmap
    posix_madvise = posix_madvise
    shm_open = shm_open
    shm_unlink = shm_unlink
    sysconf = sysconf
    errno_location = __errno
}
