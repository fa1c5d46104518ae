same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC MAP_SHARED MAP_PRIVATE MAP_COPY MAP_FIXED
    MAP_HASSEMAPHORE MAP_STACK MAP_NOSYNC MAP_FILE MAP_ANON MAP_ANONYMOUS MAP_NOCORE MADV_NORMAL
    MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MADV_FREE MADV_NOSYNC MADV_AUTOSYNC
    MADV_NOCORE MADV_CORE MADV_INVAL MADV_SETMAP POSIX_MADV_NORMAL POSIX_MADV_RANDOM
    POSIX_MADV_SEQUENTIAL POSIX_MADV_WILLNEED POSIX_MADV_DONTNEED MS_SYNC MS_ASYNC MS_INVALIDATE
    MCL_CURRENT MCL_FUTURE MINCORE_INCORE MINCORE_REFERENCED MINCORE_MODIFIED
    MINCORE_REFERENCED_OTHER MINCORE_MODIFIED_OTHER MINCORE_SUPER INHERIT_SHARE INHERIT_COPY
    INHERIT_NONE _SC_PAGESIZE _SC_PAGE_SIZE
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
    msync = msync
    munlock = munlock
    munlockall = munlockall
    munmap = munmap
    posix_madvise = posix_madvise
    shm_open = shm_open
    shm_unlink = shm_unlink
    sysconf = sysconf
    errno_location = __errno_location
}
