//! Haiku.
//!
//! Checked against headers/posix/sys/mman.h and headers/posix/unistd.h of Haiku. `MADV_` starts at
//! 1, and there is no mlockall and no mincore.

use crate::types::{c_int, c_void};

/// A file offset or size in bytes.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type off_t = i64;
/// The permission bits of a new file.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type mode_t = u32;

/// What `mmap` returns when it fails. mmap(2).
pub const MAP_FAILED: *mut c_void = !0usize as *mut c_void;

// mprotect(2).

/// No access. mprotect(2).
pub const PROT_NONE: c_int = 0;
/// Pages may be read. mprotect(2).
pub const PROT_READ: c_int = 1;
/// Pages may be written. mprotect(2).
pub const PROT_WRITE: c_int = 2;
/// Pages may be executed. mprotect(2).
pub const PROT_EXEC: c_int = 4;

// mmap(2).

/// Maps a file: the default, without effect. mmap(2).
pub const MAP_FILE: c_int = 0x0;
/// Writes reach the object and every other mapping of it. mmap(2).
pub const MAP_SHARED: c_int = 0x1;
/// Writes go to a private copy. mmap(2).
pub const MAP_PRIVATE: c_int = 0x2;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x4;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANONYMOUS: c_int = 0x8;
/// The same as `MAP_ANONYMOUS`. mmap(2).
pub const MAP_ANON: c_int = MAP_ANONYMOUS;
/// No swap space is reserved. mmap(2).
pub const MAP_NORESERVE: c_int = 0x10;

// madvise(2).

/// No special treatment: the default. madvise(2).
pub const MADV_NORMAL: c_int = 1;
/// Pages will be used in ascending order: read well ahead, free soon after. madvise(2).
pub const MADV_SEQUENTIAL: c_int = 2;
/// Pages will be used in random order: reading ahead helps little. madvise(2).
pub const MADV_RANDOM: c_int = 3;
/// Pages will be used soon. madvise(2).
pub const MADV_WILLNEED: c_int = 4;
/// Pages will not be used soon; content stays. madvise(2).
pub const MADV_DONTNEED: c_int = 5;
/// Throws content away at once. `<sys/mman.h>`.
pub const MADV_FREE: c_int = 6;

// posix_madvise(3).

/// No special treatment. posix_madvise(3).
pub const POSIX_MADV_NORMAL: c_int = MADV_NORMAL;
/// Pages will be used in ascending order. posix_madvise(3).
pub const POSIX_MADV_SEQUENTIAL: c_int = MADV_SEQUENTIAL;
/// Pages will be used in random order. posix_madvise(3).
pub const POSIX_MADV_RANDOM: c_int = MADV_RANDOM;
/// Pages will be used soon. posix_madvise(3).
pub const POSIX_MADV_WILLNEED: c_int = MADV_WILLNEED;
/// Pages will not be used soon. posix_madvise(3).
pub const POSIX_MADV_DONTNEED: c_int = MADV_DONTNEED;

// msync(2).

/// Start writing and return. msync(2).
pub const MS_ASYNC: c_int = 1;
/// Write and wait. msync(2).
pub const MS_SYNC: c_int = 2;
/// Drop cached copies, so that the next use reads the file. msync(2).
pub const MS_INVALIDATE: c_int = 4;

// sysconf(3).

/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 27;
/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 27;

pub use crate::posix::{
    fcntl, ftruncate, madvise, mlock, mmap, mprotect, msync, munlock, munmap, posix_madvise,
    shm_open, shm_unlink, sysconf,
};

unsafe extern "C" {
    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); the C library's `_errnop`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "_errnop"))]
    #[link_name = "_errnop"]
    pub fn errno_location() -> *mut c_int;
}
