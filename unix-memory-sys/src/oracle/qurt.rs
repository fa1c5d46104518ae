same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_RENAME
    MAP_NORESERVE MAP_INHERIT MAP_HASSEMAPHORE MAP_TRYFIXED MAP_WIRED MAP_FILE MAP_ANON
    MAP_ANONYMOUS MS_ASYNC MS_INVALIDATE MS_SYNC MCL_CURRENT MCL_FUTURE _SC_PAGESIZE
    _SC_PAGE_SIZE
}

same_signature! {
    fcntl = fcntl
    ftruncate = ftruncate
    mlock = mlock
    mlockall = mlockall
    mmap = mmap
    mprotect = mprotect
    msync = msync
    munlock = munlock
    munlockall = munlockall
    munmap = munmap
    sysconf = sysconf
    errno_location = __errno_location
}
