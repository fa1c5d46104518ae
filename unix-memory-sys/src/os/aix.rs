//! AIX.
//!
//! Its header is not published; the values here are those that packages for other languages took
//! from it. The `POSIX_MADV_` values differ from those of `MADV_`.

use crate::types::{c_char, c_int, c_long, c_void, size_t};

/// A file offset or size in bytes.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type off_t = c_long;
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
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANON: c_int = 0x10;
/// The same as `MAP_ANON`. mmap(2).
pub const MAP_ANONYMOUS: c_int = MAP_ANON;
/// The mask of `MAP_FILE` and `MAP_ANONYMOUS`. `<sys/mman.h>`.
pub const MAP_TYPE: c_int = 0xf0;
/// At an address that the kernel chooses: the default. mmap(2).
pub const MAP_VARIABLE: c_int = 0x0;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x100;

// madvise(2).

/// No special treatment: the default. madvise(2).
pub const MADV_NORMAL: c_int = 0;
/// Pages will be used in random order: reading ahead helps little. madvise(2).
pub const MADV_RANDOM: c_int = 1;
/// Pages will be used in ascending order: read well ahead, free soon after. madvise(2).
pub const MADV_SEQUENTIAL: c_int = 2;
/// Pages will be used soon. madvise(2).
pub const MADV_WILLNEED: c_int = 3;
/// Pages will not be used soon; content stays. madvise(2).
pub const MADV_DONTNEED: c_int = 4;
/// Asks the system to reserve room for the pages. madvise(2).
pub const MADV_SPACEAVAIL: c_int = 5;

// posix_madvise(3).

/// No special treatment. posix_madvise(3).
pub const POSIX_MADV_NORMAL: c_int = 1;
/// Pages will be used in ascending order. posix_madvise(3).
pub const POSIX_MADV_SEQUENTIAL: c_int = 2;
/// Pages will be used in random order. posix_madvise(3).
pub const POSIX_MADV_RANDOM: c_int = 3;
/// Pages will be used soon. posix_madvise(3).
pub const POSIX_MADV_WILLNEED: c_int = 4;
/// Pages will not be used soon. posix_madvise(3).
pub const POSIX_MADV_DONTNEED: c_int = 5;

// msync(2).

/// Start writing and return. msync(2).
pub const MS_ASYNC: c_int = 0x10;
/// Write and wait. msync(2).
pub const MS_SYNC: c_int = 0x20;
/// Drop cached copies, so that the next use reads the file. msync(2).
pub const MS_INVALIDATE: c_int = 0x40;
/// A signal may interrupt the call. msync(2).
pub const MS_EINTR: c_int = 0x80;

// mlockall(2).

/// Lock what is mapped now. mlockall(2).
pub const MCL_CURRENT: c_int = 0x100;
/// Lock what will be mapped in the future. mlockall(2).
pub const MCL_FUTURE: c_int = 0x200;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 48;
/// Another name for `_SC_PAGE_SIZE`. sysconf(3).
pub const _SC_PAGESIZE: c_int = 48;

pub use crate::posix::{
    fcntl, ftruncate, mlock, mlockall, mmap, mprotect, msync, munlock, munlockall, munmap,
    posix_madvise, shm_open, shm_unlink, sysconf,
};

unsafe extern "C" {
    /// Advises the system how the pages of `addr..addr + len` will be used. Source: madvise(2).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EINVAL`, `ENOMEM`, `ENOSPC`.
    ///
    /// # Safety
    /// The range must be the caller's own.
    pub fn madvise(addr: *mut c_char, len: size_t, advice: c_int) -> c_int;

    /// Writes a byte for each page of `addr..addr + len` to `vec`; its bits say whether the page is
    /// in memory and, where this file lists `MINCORE_` values, more than that. Source: mincore(2);
    /// not POSIX.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EFAULT` for a bad `vec`, `EINVAL` for an unaligned address,
    /// `ENOMEM` for pages that are not mapped.
    ///
    /// # Safety
    /// `vec` must be valid for writes of a byte per page, rounded up.
    pub fn mincore(addr: *mut c_char, len: size_t, vec: *mut c_char) -> c_int;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); the C library's `_Errno`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "_Errno"))]
    #[link_name = "_Errno"]
    pub fn errno_location() -> *mut c_int;
}
