// Not compared: mmapobj, because libc has a type for its results, and this crate declares nothing
// but integers and pointers here.
same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_RENAME
    MAP_NORESERVE MAP_ANON MAP_ANONYMOUS MAP_ALIGN MAP_TEXT MAP_INITDATA MADV_NORMAL MADV_RANDOM
    MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MADV_FREE MADV_ACCESS_DEFAULT MADV_ACCESS_LWP
    MADV_ACCESS_MANY POSIX_MADV_NORMAL POSIX_MADV_RANDOM POSIX_MADV_SEQUENTIAL
    POSIX_MADV_WILLNEED POSIX_MADV_DONTNEED MS_ASYNC MS_INVALIDATE MS_SYNC MCL_CURRENT
    MCL_FUTURE MMOBJ_PADDING MMOBJ_INTERPRET _SC_PAGESIZE _SC_PAGE_SIZE
}

same_signature! {
    fcntl = fcntl
    ftruncate = ftruncate
    getpagesizes = getpagesizes
    madvise = madvise
    meminfo = meminfo
    mincore = mincore
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
    errno_location = ___errno
}
