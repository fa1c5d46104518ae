//! The second oracle: every name that libc has too must have the same value and signature there.
//!
//! Compiled in tests, and under `--cfg unix_memory_oracle` where `cargo xtask check` visits other
//! targets; never in a user's build, so that a correction in libc cannot break one. The first
//! oracle is the platform's headers.

use static_assertions::const_assert_eq;

/// Each constant has the value, and the type, that libc gives it.
macro_rules! same_value {
    ($($name:ident)*) => { $( const_assert_eq!(crate::$name, libc::$name); )* };
}

/// Each call has the signature that libc gives it: only equal signatures meet in one array.
macro_rules! same_signature {
    ($($ours:ident = $theirs:ident)*) => {
        $( const _: () = { let _ = [crate::$ours, libc::$theirs]; }; )*
    };
}

const_assert_eq!(size_of::<crate::size_t>(), size_of::<libc::size_t>());
const_assert_eq!(size_of::<crate::mode_t>(), size_of::<libc::mode_t>());

same_value! {
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC PROT_GROWSDOWN PROT_GROWSUP
    MAP_SHARED MAP_PRIVATE MAP_SHARED_VALIDATE MAP_TYPE MAP_FIXED MAP_FIXED_NOREPLACE
    MAP_ANONYMOUS MAP_ANON MAP_FILE MAP_GROWSDOWN MAP_DENYWRITE MAP_EXECUTABLE MAP_LOCKED
    MAP_NORESERVE MAP_POPULATE MAP_NONBLOCK MAP_STACK MAP_HUGETLB
    MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MADV_FREE MADV_REMOVE
    MADV_DONTFORK MADV_DOFORK MADV_MERGEABLE MADV_UNMERGEABLE MADV_HUGEPAGE MADV_NOHUGEPAGE
    MADV_DONTDUMP MADV_DODUMP MADV_WIPEONFORK MADV_KEEPONFORK MADV_COLD MADV_PAGEOUT
    MADV_POPULATE_READ MADV_POPULATE_WRITE MADV_HWPOISON
    POSIX_MADV_NORMAL POSIX_MADV_RANDOM POSIX_MADV_SEQUENTIAL POSIX_MADV_WILLNEED
    POSIX_MADV_DONTNEED
    MS_ASYNC MS_INVALIDATE MS_SYNC
    MCL_CURRENT MCL_FUTURE MCL_ONFAULT
    MLOCK_ONFAULT
    MREMAP_MAYMOVE MREMAP_FIXED MREMAP_DONTUNMAP
    MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB MFD_NOEXEC_SEAL MFD_EXEC
    _SC_PAGESIZE
}

/// Pointers cannot be compared in a constant.
#[test]
fn map_failed() {
    assert_eq!(crate::MAP_FAILED, libc::MAP_FAILED);
}

same_signature! {
    munmap = munmap
    mprotect = mprotect
    msync = msync
    mlock = mlock
    munlock = munlock
    mlockall = mlockall
    munlockall = munlockall
    madvise = madvise
    posix_madvise = posix_madvise
    mincore = mincore
    mremap = mremap
    shm_open = shm_open
    shm_unlink = shm_unlink
    sysconf = sysconf
    errno_location = __errno_location
    memfd_create = memfd_create
    mlock2 = mlock2
}

#[cfg(any(target_env = "musl", target_env = "ohos"))]
same_signature! { mmap = mmap }
#[cfg(not(any(target_env = "musl", target_env = "ohos")))]
same_signature! { mmap = mmap64 }
