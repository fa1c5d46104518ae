//! macOS, Mac Catalyst, iOS, tvOS, watchOS and visionOS: one kernel, one header.
//!
//! Checked against `<sys/mman.h>` and `<unistd.h>` of the macOS SDK. There is no mremap and no
//! memfd_create, and there are no seals.

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
/// Reserved, without effect. `<sys/mman.h>`.
pub const MAP_RENAME: c_int = 0x20;
/// Reserved, without effect. `<sys/mman.h>`.
pub const MAP_NORESERVE: c_int = 0x40;
/// Was `MAP_INHERIT`; without effect. `<sys/mman.h>`.
pub const MAP_RESERVED0080: c_int = 0x80;
/// Maps a file that must not grow. `<sys/mman.h>`.
pub const MAP_NOEXTEND: c_int = 0x100;
/// The memory may hold semaphores. mmap(2).
pub const MAP_HASSEMAPHORE: c_int = 0x200;
/// The pages are the first to be reclaimed when memory is short. mmap(2).
pub const MAP_NOCACHE: c_int = 0x400;
/// For code generated at run time; the hardened runtime requires it. mmap(2).
pub const MAP_JIT: c_int = 0x800;
/// Maps a file: the default, without effect. mmap(2).
pub const MAP_FILE: c_int = 0x0;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANON: c_int = 0x1000;
/// The same as `MAP_ANON`. mmap(2).
pub const MAP_ANONYMOUS: c_int = MAP_ANON;
/// Pages whose code signature is invalid can be read without a fault. `<sys/mman.h>`.
pub const MAP_RESILIENT_CODESIGN: c_int = 0x2000;
/// Pages that the medium cannot supply read as zeros, without a fault. `<sys/mman.h>`.
pub const MAP_RESILIENT_MEDIA: c_int = 0x4000;
/// In the first 4 GiB of the address space; the header defines it for macOS 10.15 and later.
/// `<sys/mman.h>`.
pub const MAP_32BIT: c_int = 0x8000;
/// Executable under Rosetta. `<sys/mman.h>`.
pub const MAP_TRANSLATED_ALLOW_EXECUTE: c_int = 0x0002_0000;
/// Behave as UNIX 03 requires. `<sys/mman.h>`.
pub const MAP_UNIX03: c_int = 0x0004_0000;
/// Memory that TPRO protects. `<sys/mman.h>`.
pub const MAP_TPRO: c_int = 0x0008_0000;

// madvise(2).

/// No special treatment: the default. madvise(2).
pub const MADV_NORMAL: c_int = 0;
/// Pages will be used in random order: reading ahead helps little. madvise(2).
pub const MADV_RANDOM: c_int = 1;
/// Pages will be used in ascending order: read well ahead, free soon after. madvise(2).
pub const MADV_SEQUENTIAL: c_int = 2;
/// Pages will be used soon. madvise(2).
pub const MADV_WILLNEED: c_int = 3;
/// Pages will not be used soon and may be reclaimed first; content stays. madvise(2).
pub const MADV_DONTNEED: c_int = 4;
/// Content is no longer needed: a page may read as zeros from now on, until it is written to.
/// madvise(2).
pub const MADV_FREE: c_int = 5;
/// Locked pages are cleared when they are unmapped. madvise(2).
pub const MADV_ZERO_WIRED_PAGES: c_int = 6;
/// Content is no longer needed, and the pages are not charged to the process until
/// `MADV_FREE_REUSE`. madvise(2).
pub const MADV_FREE_REUSABLE: c_int = 7;
/// Takes pages into use again after `MADV_FREE_REUSABLE`. madvise(2).
pub const MADV_FREE_REUSE: c_int = 8;
/// Undocumented; the counterpart of `MADV_FREE_REUSE`. `<sys/mman.h>`.
pub const MADV_CAN_REUSE: c_int = 9;
/// Pages the range out now, for tests. `<sys/mman.h>`.
pub const MADV_PAGEOUT: c_int = 10;
/// Pages read as zeros afterwards, without being brought in. `<sys/mman.h>`.
pub const MADV_ZERO: c_int = 11;

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

/// Start writing and return. msync(2).
pub const MS_ASYNC: c_int = 1;
/// Drop cached copies, so that the next use reads the file. msync(2).
pub const MS_INVALIDATE: c_int = 2;
/// Drop the pages, but keep them mapped. msync(2).
pub const MS_KILLPAGES: c_int = 4;
/// Make the pages the first to be reclaimed, but keep them mapped. msync(2).
pub const MS_DEACTIVATE: c_int = 8;
/// Write and wait. msync(2).
pub const MS_SYNC: c_int = 0x10;

// mlockall(2).

/// Lock what is mapped now. `<sys/mman.h>`.
pub const MCL_CURRENT: c_int = 1;
/// Lock what will be mapped in the future. `<sys/mman.h>`.
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
/// The page is in swap. mincore(2).
pub const MINCORE_PAGED_OUT: c_int = 0x20;
/// The page is a private copy. mincore(2).
pub const MINCORE_COPIED: c_int = 0x40;
/// The page does not belong to a file. mincore(2).
pub const MINCORE_ANONYMOUS: c_int = 0x80;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 29;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 29;

// minherit(2): <mach/vm_inherit.h>.

/// A child of fork shares the pages. minherit(2).
pub const VM_INHERIT_SHARE: c_int = 0;
/// A child of fork has a copy of the pages: the default. minherit(2).
pub const VM_INHERIT_COPY: c_int = 1;
/// A child of fork does not have the pages. minherit(2).
pub const VM_INHERIT_NONE: c_int = 2;
/// Was meant to give the pages to the child; refused. `<mach/vm_inherit.h>`.
pub const VM_INHERIT_DONATE_COPY: c_int = 3;
/// The same as `VM_INHERIT_COPY`. `<mach/vm_inherit.h>`.
pub const VM_INHERIT_DEFAULT: c_int = VM_INHERIT_COPY;

pub use crate::posix::{
    fcntl, ftruncate, madvise, mlock, mlockall, munlock, munlockall, posix_madvise, shm_unlink,
    sysconf,
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
    /// `VM_INHERIT_` values above. Source: minherit(2); not POSIX.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EINVAL` for an unaligned address or an unknown value, `EACCES`
    /// or `ENOMEM` if the system documents them.
    ///
    /// # Safety
    /// The range must be the caller's own; a child must not use what it does not inherit.
    pub fn minherit(addr: *mut c_void, len: size_t, inherit: c_int) -> c_int;

    /// Opens the shared memory object `name`, or creates it with `O_CREAT`, and returns a file
    /// descriptor. With `O_CREAT` a third argument, the `mode_t` as a `c_int`, is its mode: the
    /// call is variadic here, and arm64 passes a variadic argument differently from a fixed one.
    /// Source: shm_open(2).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EACCES`, `EEXIST`, `EINVAL` for a bad name, `EMFILE`,
    /// `ENAMETOOLONG` beyond 31 bytes, `ENFILE`, `ENOENT`.
    ///
    /// # Safety
    /// `name` must point to a string that ends in NUL; with `O_CREAT` the mode must be passed.
    pub fn shm_open(name: *const c_char, oflag: c_int, ...) -> c_int;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); the system library's `__error`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__error"))]
    #[link_name = "__error"]
    pub fn errno_location() -> *mut c_int;
}
