//! QuRT, on Hexagon.
//!
//! Its header is not published: the values are those of the crate libc.

use crate::types::{c_int, c_long, c_void};

/// A file offset or size in bytes; 32 bits wide, and nothing wider exists.
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

/// Writes reach the object and every other mapping of it. mmap(2).
pub const MAP_SHARED: c_int = 0x1;
/// Writes go to a private copy. mmap(2).
pub const MAP_PRIVATE: c_int = 0x2;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x10;
/// Kept from SunOS, without effect. `<sys/mman.h>`.
pub const MAP_RENAME: c_int = 0x20;
/// No swap space is reserved. mmap(2).
pub const MAP_NORESERVE: c_int = 0x40;
/// Was meant to keep the mapping across exec; has no effect. `<sys/mman.h>`.
pub const MAP_INHERIT: c_int = 0x80;
/// The memory may hold semaphores. mmap(2).
pub const MAP_HASSEMAPHORE: c_int = 0x200;
/// At this address or, if something is mapped there, elsewhere. mmap(2).
pub const MAP_TRYFIXED: c_int = 0x400;
/// Locked as if by `mlock`. `<sys/mman.h>`.
pub const MAP_WIRED: c_int = 0x800;
/// Maps a file: the default, without effect. mmap(2).
pub const MAP_FILE: c_int = 0x0;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANON: c_int = 0x1000;
/// The same as `MAP_ANON`. mmap(2).
pub const MAP_ANONYMOUS: c_int = MAP_ANON;

// msync(2).

/// Start writing and return. msync(2).
pub const MS_ASYNC: c_int = 1;
/// Drop cached copies, so that the next use reads the file. msync(2).
pub const MS_INVALIDATE: c_int = 2;
/// Write and wait. msync(2).
pub const MS_SYNC: c_int = 4;

// mlockall(2).

/// Lock what is mapped now. mlockall(2).
pub const MCL_CURRENT: c_int = 1;
/// Lock what will be mapped in the future. mlockall(2).
pub const MCL_FUTURE: c_int = 2;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 30;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 30;

pub use crate::posix::{
    fcntl, ftruncate, mlock, mlockall, mmap, mprotect, msync, munlock, munlockall, munmap, sysconf,
};

unsafe extern "C" {
    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); the C library's `__errno_location`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__errno_location"))]
    #[link_name = "__errno_location"]
    pub fn errno_location() -> *mut c_int;
}
