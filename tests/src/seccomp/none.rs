//! Kernels without such filters.

use std::ffi::{c_int, c_long};
use std::io;

/// Whether there are filters that could be tried.
pub const HAS_FILTERS: bool = false;

/// Numbers that are no call's.
macro_rules! no_calls {
    ($($name:ident)*) => {
        $(
            /// This system has no number for it that a test could name.
            pub const $name: c_long = -1;
        )*
    };
}

no_calls! {
    SYS_FCNTL SYS_FTRUNCATE SYS_IOCTL SYS_MADVISE SYS_MEMFD_CREATE SYS_MINCORE SYS_MLOCK SYS_MLOCK2
    SYS_MMAP SYS_MPROTECT SYS_MREMAP SYS_MSYNC SYS_MUNMAP SYS_PIPE2 SYS_PRCTL SYS_PROCESS_MADVISE
    SYS_PROCESS_VM_READV SYS_PROCESS_VM_WRITEV SYS_RT_SIGACTION SYS_USERFAULTFD
}

/// Values that no argument has.
macro_rules! no_arguments {
    ($($name:ident)*) => {
        $(
            /// This system has no value for it that a test could name.
            pub const $name: c_int = c_int::MAX;
        )*
    };
}

no_arguments! {
    MADV_COLD MADV_DONTDUMP MADV_POPULATE_READ MADV_POPULATE_WRITE MADV_WIPEONFORK MREMAP_FIXED
    MREMAP_MAYMOVE PR_SET_VMA
}

/// This system has no such request.
pub const PROCMAP_QUERY: u64 = u64::MAX;

/// Refuses nothing.
///
/// # Errors
/// Always, since this kernel has no filters.
pub fn refuse(_: c_long, _: Option<(u8, u64)>, _: i32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
