same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC MAP_FILE MAP_SHARED MAP_PRIVATE MAP_FIXED
    MAP_STACK MAP_ANONYMOUS MAP_ANON POSIX_MADV_NORMAL POSIX_MADV_SEQUENTIAL POSIX_MADV_RANDOM
    POSIX_MADV_WILLNEED POSIX_MADV_DONTNEED MS_ASYNC MS_SYNC MS_INVALIDATE MCL_CURRENT
    MCL_FUTURE _SC_PAGESIZE _SC_PAGE_SIZE
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
    posix_madvise = posix_madvise
    shm_open = shm_open
    shm_unlink = shm_unlink
    sysconf = sysconf
    errno_location = __get_errno_ptr
}

// The sources disagree about 7.0: see os/nto.rs.
#[cfg(not(target_env = "nto70"))]
same_value! { MAP_TYPE }
