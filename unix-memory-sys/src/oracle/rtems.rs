same_value! {
    _SC_PAGESIZE _SC_PAGE_SIZE
}

same_signature! {
    fcntl = fcntl
    ftruncate = ftruncate
    mlock = mlock
    mlockall = mlockall
    mmap = mmap
    munlock = munlock
    munlockall = munlockall
    munmap = munmap
    sysconf = sysconf
    errno_location = __errno
}
