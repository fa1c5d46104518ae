// Not compared: MAP_UNINITIALIZED, which libc defines only on hexagon, as 0; MAP_32BIT on powerpc with musl,
// which no header there defines; and the arguments of prctl (PR_SET_VMA_ANON_NAME, PR_MDWE_), which are ints
// in libc, because prctl reads unsigned longs.
same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC PROT_GROWSDOWN PROT_GROWSUP MAP_SHARED MAP_PRIVATE
    MAP_SHARED_VALIDATE MAP_DROPPABLE MAP_TYPE MAP_FIXED MAP_FIXED_NOREPLACE MAP_ANONYMOUS
    MAP_ANON MAP_FILE MAP_GROWSDOWN MAP_DENYWRITE MAP_EXECUTABLE MAP_LOCKED MAP_NORESERVE
    MAP_POPULATE MAP_NONBLOCK MAP_STACK MAP_HUGETLB MCL_CURRENT MCL_FUTURE MCL_ONFAULT
    MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MADV_FREE MADV_REMOVE
    MADV_DONTFORK MADV_DOFORK MADV_MERGEABLE MADV_UNMERGEABLE MADV_HUGEPAGE MADV_NOHUGEPAGE
    MADV_DONTDUMP MADV_DODUMP MADV_WIPEONFORK MADV_KEEPONFORK MADV_COLD MADV_PAGEOUT
    MADV_POPULATE_READ MADV_POPULATE_WRITE MADV_DONTNEED_LOCKED MADV_HWPOISON POSIX_MADV_NORMAL
    POSIX_MADV_RANDOM POSIX_MADV_SEQUENTIAL POSIX_MADV_WILLNEED POSIX_MADV_DONTNEED MS_ASYNC
    MS_INVALIDATE MS_SYNC MLOCK_ONFAULT MREMAP_MAYMOVE MREMAP_FIXED MREMAP_DONTUNMAP MFD_CLOEXEC
    MFD_ALLOW_SEALING MFD_HUGETLB MFD_NOEXEC_SEAL MFD_EXEC MFD_HUGE_SHIFT MFD_HUGE_MASK
    MFD_HUGE_64KB MFD_HUGE_512KB MFD_HUGE_1MB MFD_HUGE_2MB MFD_HUGE_8MB MFD_HUGE_16MB
    MFD_HUGE_32MB MFD_HUGE_256MB MFD_HUGE_512MB MFD_HUGE_1GB MFD_HUGE_2GB MFD_HUGE_16GB
    F_ADD_SEALS F_GET_SEALS F_SEAL_SEAL F_SEAL_SHRINK F_SEAL_GROW F_SEAL_WRITE
    F_SEAL_FUTURE_WRITE F_SEAL_EXEC MAP_HUGE_SHIFT MAP_HUGE_MASK MAP_HUGE_64KB MAP_HUGE_512KB
    MAP_HUGE_1MB MAP_HUGE_2MB MAP_HUGE_8MB MAP_HUGE_16MB MAP_HUGE_32MB MAP_HUGE_256MB
    MAP_HUGE_512MB MAP_HUGE_1GB MAP_HUGE_2GB MAP_HUGE_16GB _SC_PAGESIZE _SC_PAGE_SIZE
    MPOL_DEFAULT MPOL_PREFERRED MPOL_BIND MPOL_INTERLEAVE MPOL_LOCAL MPOL_F_STATIC_NODES
    MPOL_F_RELATIVE_NODES MPOL_F_NUMA_BALANCING PR_SET_VMA PR_SET_MDWE PR_GET_MDWE
    PR_SET_MEMORY_MERGE PR_GET_MEMORY_MERGE PR_SET_THP_DISABLE PR_GET_THP_DISABLE
    FALLOC_FL_KEEP_SIZE FALLOC_FL_PUNCH_HOLE FALLOC_FL_COLLAPSE_RANGE FALLOC_FL_ZERO_RANGE
    FALLOC_FL_INSERT_RANGE FALLOC_FL_UNSHARE_RANGE
}

same_signature! {
    fcntl = fcntl
    ioctl = ioctl
    madvise = madvise
    mincore = mincore
    mlock = mlock
    mlockall = mlockall
    mprotect = mprotect
    mremap = mremap
    msync = msync
    munlock = munlock
    munlockall = munlockall
    munmap = munmap
    posix_madvise = posix_madvise
    prctl = prctl
    remap_file_pages = remap_file_pages
    shm_open = shm_open
    shm_unlink = shm_unlink
    sysconf = sysconf
    errno_location = __errno_location
}

#[cfg(any(target_env = "musl", target_env = "ohos"))]
same_signature! {
    fallocate = fallocate
    ftruncate = ftruncate
    mmap = mmap
    posix_fallocate = posix_fallocate
}
#[cfg(not(any(target_env = "musl", target_env = "ohos")))]
same_signature! {
    fallocate = fallocate64
    ftruncate = ftruncate64
    mmap = mmap64
    posix_fallocate = posix_fallocate64
}

// What libc does not have everywhere.

#[cfg(target_env = "gnu")]
same_value! { MADV_COLLAPSE }
#[cfg(not(target_env = "uclibc"))]
same_signature! { memfd_create = memfd_create mlock2 = mlock2 }
#[cfg(all(target_arch = "aarch64", target_env = "gnu"))]
same_value! { PROT_BTI PROT_MTE }
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
same_value! { MAP_32BIT }
#[cfg(not(any(
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6",
)))]
same_value! { MADV_SOFT_OFFLINE }
#[cfg(not(any(
    target_env = "uclibc",
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6",
)))]
same_value! { MAP_SYNC }
