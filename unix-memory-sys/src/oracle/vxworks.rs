same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC MAP_SHARED MAP_PRIVATE MAP_ANON MAP_ANONYMOUS
    MAP_FIXED MAP_CONTIG MS_SYNC MS_ASYNC MS_INVALIDATE _SC_PAGE_SIZE _SC_PAGESIZE
}

same_signature! {
    fcntl = fcntl
    ftruncate = ftruncate
    errnoGet = errnoGet
    errnoSet = errnoSet
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
}
