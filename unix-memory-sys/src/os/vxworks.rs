//! VxWorks, in real-time processes.
//!
//! Its header is not published: the values are those of the crate libc. `errno` has no address that
//! other languages could refer to: `errnoGet` and `errnoSet` stand in for `errno_location`.

use crate::types::{c_int, c_void};

/// A file offset or size in bytes.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type off_t = i64;
/// The permission bits of a new file.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type mode_t = c_int;

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

/// Writes reach the object and every other mapping of it. mmap(2).
pub const MAP_SHARED: c_int = 0x1;
/// Writes go to a private copy. mmap(2).
pub const MAP_PRIVATE: c_int = 0x2;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANON: c_int = 0x4;
/// The same as `MAP_ANON`. mmap(2).
pub const MAP_ANONYMOUS: c_int = MAP_ANON;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x10;
/// Maps contiguous physical memory. `<sys/mman.h>`.
pub const MAP_CONTIG: c_int = 0x20;

// msync(2).

/// Write and wait. msync(2).
pub const MS_SYNC: c_int = 1;
/// Start writing and return. msync(2).
pub const MS_ASYNC: c_int = 2;
/// Drop cached copies, so that the next use reads the file. msync(2).
pub const MS_INVALIDATE: c_int = 4;

// sysconf(3).

/// Another name for `_SC_PAGESIZE`, with a value of its own. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 38;
/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 39;

pub use crate::posix::{
    fcntl, ftruncate, mlock, mlockall, mmap, mprotect, msync, munlock, munlockall, munmap,
    shm_open, shm_unlink, sysconf,
};

unsafe extern "C" {
    /// The calling thread's `errno`. Source: errnoLib.
    ///
    /// # Safety
    /// None beyond the call itself.
    pub fn errnoGet() -> c_int;

    /// Sets the calling thread's `errno`, and returns 0. Source: errnoLib.
    ///
    /// # Safety
    /// None beyond the call itself.
    pub fn errnoSet(err: c_int) -> c_int;
}
