//! DragonFly BSD.
//!
//! Checked against sys/sys/mman.h and sys/sys/unistd.h of DragonFly.

use crate::types::{c_char, c_int, c_void, size_t};

/// A file offset or size in bytes.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type off_t = i64;
/// The permission bits of a new file.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type mode_t = u16;

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
/// An old name for `MAP_PRIVATE`. `<sys/mman.h>`.
pub const MAP_COPY: c_int = MAP_PRIVATE;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x10;
/// Kept from SunOS, without effect. `<sys/mman.h>`.
pub const MAP_RENAME: c_int = 0x20;
/// No swap space is reserved. mmap(2).
pub const MAP_NORESERVE: c_int = 0x40;
/// Was meant to keep the mapping across exec; has no effect. `<sys/mman.h>`.
pub const MAP_INHERIT: c_int = 0x80;
/// Was meant to keep the file from growing; has no effect. `<sys/mman.h>`.
pub const MAP_NOEXTEND: c_int = 0x100;
/// The memory may hold semaphores. mmap(2).
pub const MAP_HASSEMAPHORE: c_int = 0x200;
/// A stack that grows down on demand; implies `MAP_ANON`. mmap(2).
pub const MAP_STACK: c_int = 0x400;
/// Changed pages are written to the file only when memory is short. mmap(2).
pub const MAP_NOSYNC: c_int = 0x800;
/// Maps a file: the default, without effect. mmap(2).
pub const MAP_FILE: c_int = 0x0;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANON: c_int = 0x1000;
/// The same as `MAP_ANON`. mmap(2).
pub const MAP_ANONYMOUS: c_int = MAP_ANON;
/// Governed by a virtual page table; virtual kernels used it. mmap(2).
pub const MAP_VPAGETABLE: c_int = 0x2000;
/// At this address, or an error if something is mapped there. mmap(2).
pub const MAP_TRYFIXED: c_int = 0x0001_0000;
/// Left out of core dumps. mmap(2).
pub const MAP_NOCORE: c_int = 0x0002_0000;
/// Aligned to the size of the mapping. mmap(2).
pub const MAP_SIZEALIGN: c_int = 0x0004_0000;

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
/// Content is no longer needed: until a page is written to, it keeps its content or reads as zeros.
/// madvise(2).
pub const MADV_FREE: c_int = 5;
/// Changed pages are written to the file only when memory is short. madvise(2).
pub const MADV_NOSYNC: c_int = 6;
/// Undoes `MADV_NOSYNC`. madvise(2).
pub const MADV_AUTOSYNC: c_int = 7;
/// Leaves the pages out of core dumps. madvise(2).
pub const MADV_NOCORE: c_int = 8;
/// Undoes `MADV_NOCORE`. madvise(2).
pub const MADV_CORE: c_int = 9;
/// Drop the cached entries of a virtual page table. mcontrol(2).
pub const MADV_INVAL: c_int = 10;
/// Set the root of a virtual page table. mcontrol(2).
pub const MADV_SETMAP: c_int = 11;
/// The first advice that belongs to `mcontrol`. `<sys/mman.h>`.
pub const MADV_CONTROL_START: c_int = MADV_INVAL;
/// The last advice that belongs to `mcontrol`. `<sys/mman.h>`.
pub const MADV_CONTROL_END: c_int = MADV_SETMAP;

// posix_madvise(3).

/// No special treatment. posix_madvise(3).
pub const POSIX_MADV_NORMAL: c_int = 0;
/// Pages will be used in random order. posix_madvise(3).
pub const POSIX_MADV_RANDOM: c_int = 1;
/// Pages will be used in ascending order. posix_madvise(3).
pub const POSIX_MADV_SEQUENTIAL: c_int = 2;
/// Pages will be used soon. posix_madvise(3).
pub const POSIX_MADV_WILLNEED: c_int = 3;
/// Pages will not be used soon. posix_madvise(3).
pub const POSIX_MADV_DONTNEED: c_int = 4;

// msync(2).

/// Write and wait. msync(2).
pub const MS_SYNC: c_int = 0;
/// Start writing and return. msync(2).
pub const MS_ASYNC: c_int = 1;
/// Drop cached copies, so that the next use reads the file. msync(2).
pub const MS_INVALIDATE: c_int = 2;

// mlockall(2).

/// Lock what is mapped now. mlockall(2).
pub const MCL_CURRENT: c_int = 1;
/// Lock what will be mapped in the future. mlockall(2).
pub const MCL_FUTURE: c_int = 2;

// mincore(2).

/// The page is in memory. mincore(2).
pub const MINCORE_INCORE: c_int = 1;
/// The page was used by this process. mincore(2).
pub const MINCORE_REFERENCED: c_int = 2;
/// The page was written by this process. mincore(2).
pub const MINCORE_MODIFIED: c_int = 4;
/// The page was used by any process. mincore(2).
pub const MINCORE_REFERENCED_OTHER: c_int = 8;
/// The page was written by any process. mincore(2).
pub const MINCORE_MODIFIED_OTHER: c_int = 0x10;
/// The page is part of a large one. mincore(2).
pub const MINCORE_SUPER: c_int = 0x20;

// minherit(2).

/// A child shares the pages. minherit(2).
pub const INHERIT_SHARE: c_int = 0;
/// A child gets a copy: the default. minherit(2).
pub const INHERIT_COPY: c_int = 1;
/// A child does not have the pages. minherit(2).
pub const INHERIT_NONE: c_int = 2;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 47;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 47;

pub use crate::posix::{
    fcntl, ftruncate, madvise, mlock, mlockall, mmap, mprotect, msync, munlock, munlockall, munmap,
    posix_madvise, shm_open, shm_unlink, sysconf,
};

unsafe extern "C" {
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
    pub fn mincore(addr: *const c_void, len: size_t, vec: *mut c_char) -> c_int;

    /// Sets what a child of fork finds in the pages of `addr..addr + len`: `inherit` is one of the
    /// values listed under minherit(2) above. Source: minherit(2); not POSIX.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EINVAL` for an unaligned address or an unknown value, `EACCES`
    /// or `ENOMEM` if the system documents them.
    ///
    /// # Safety
    /// The range must be the caller's own; a child must not use what it does not inherit.
    pub fn minherit(addr: *mut c_void, len: size_t, inherit: c_int) -> c_int;

    /// Like `madvise`, with a value for those kinds of advice, from `MADV_CONTROL_START` on, that
    /// need one. Source: mcontrol(2).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EINVAL`.
    ///
    /// # Safety
    /// The same as for `madvise`.
    pub fn mcontrol(addr: *mut c_void, len: size_t, behav: c_int, value: off_t) -> c_int;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); the C library's `__errno_location`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__errno_location"))]
    #[link_name = "__errno_location"]
    pub fn errno_location() -> *mut c_int;
}
