same_value! {
    PROT_NONE PROT_EXEC PROT_WRITE PROT_READ MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANON
    MAP_ANONYMOUS MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MS_ASYNC
    MS_INVALIDATE MS_SYNC _SC_PAGESIZE _SC_PAGE_SIZE
}

same_signature! {
    fcntl = fcntl
    ftruncate = ftruncate
    madvise = madvise
    mlock = mlock
    mlockall = mlockall
    mmap = mmap
    mprotect = mprotect
    msync = msync
    munlock = munlock
    munlockall = munlockall
    munmap = munmap
    shm_open = shm_open
    shm_unlink = shm_unlink
    sysconf = sysconf
    errno_location = __errno_location
}
