same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC MAP_SHARED MAP_PRIVATE MAP_COPY MAP_FIXED MAP_ANON
    MAP_ANONYMOUS MAP_STACK MAP_CONCEAL MAP_FILE MAP_HASSEMAPHORE MAP_NOEXTEND MAP_NORESERVE
    MAP_RENAME MAP_TRYFIXED MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED
    MADV_FREE POSIX_MADV_NORMAL POSIX_MADV_RANDOM POSIX_MADV_SEQUENTIAL POSIX_MADV_WILLNEED
    POSIX_MADV_DONTNEED MS_ASYNC MS_SYNC MS_INVALIDATE MCL_CURRENT MCL_FUTURE MAP_INHERIT_SHARE
    MAP_INHERIT_COPY MAP_INHERIT_NONE MAP_INHERIT_ZERO _SC_PAGESIZE _SC_PAGE_SIZE
}

same_signature! {
    fcntl = fcntl
    ftruncate = ftruncate
    madvise = madvise
    mimmutable = mimmutable
    minherit = minherit
    mlock = mlock
    mlockall = mlockall
    mmap = mmap
    mprotect = mprotect
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
