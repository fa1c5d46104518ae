//! OpenBSD.
//!
//! Checked against sys/sys/mman.h and sys/sys/unistd.h of OpenBSD. It no longer has mincore.

use crate::types::{c_char, c_int, c_void, size_t};

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

/// Writes reach the object and every other mapping of it. mmap(2).
pub const MAP_SHARED: c_int = 0x1;
/// Writes go to a private copy. mmap(2).
pub const MAP_PRIVATE: c_int = 0x2;
/// An old name for `MAP_PRIVATE`. `<sys/mman.h>`.
pub const MAP_COPY: c_int = MAP_PRIVATE;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x10;
/// The mask of all flags. `<sys/mman.h>`.
pub const MAP_FLAGMASK: c_int = 0xfff7;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANON: c_int = 0x1000;
/// The same as `MAP_ANON`. mmap(2).
pub const MAP_ANONYMOUS: c_int = MAP_ANON;
/// A stack: the kernel requires the stack pointer to be in such memory. mmap(2), since OpenBSD 6.4.
pub const MAP_STACK: c_int = 0x4000;
/// Left out of core dumps. mmap(2), since OpenBSD 6.5.
pub const MAP_CONCEAL: c_int = 0x8000;
/// Maps a file: the default, without effect. mmap(2).
pub const MAP_FILE: c_int = 0x0;
/// Kept for old sources, without effect. mmap(2).
pub const MAP_HASSEMAPHORE: c_int = 0x0;
/// Kept for old sources, without effect. mmap(2).
pub const MAP_INHERIT: c_int = 0x0;
/// Kept for old sources, without effect. mmap(2).
pub const MAP_NOEXTEND: c_int = 0x0;
/// Kept for old sources, without effect. mmap(2).
pub const MAP_NORESERVE: c_int = 0x0;
/// Kept for old sources, without effect. mmap(2).
pub const MAP_RENAME: c_int = 0x0;
/// Kept for old sources, without effect. mmap(2).
pub const MAP_TRYFIXED: c_int = 0x0;

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
/// Content is no longer needed: until a page is written to, it keeps its content or reads as zeros.
/// madvise(2).
pub const MADV_FREE: c_int = 6;

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
/// Write and wait. msync(2).
pub const MS_SYNC: c_int = 2;
/// Drop cached copies, so that the next use reads the file. msync(2).
pub const MS_INVALIDATE: c_int = 4;

// mlockall(2).

/// Lock what is mapped now. mlockall(2).
pub const MCL_CURRENT: c_int = 1;
/// Lock what will be mapped in the future. mlockall(2).
pub const MCL_FUTURE: c_int = 2;

// minherit(2).

/// A child shares the pages. minherit(2).
pub const MAP_INHERIT_SHARE: c_int = 0;
/// A child gets a copy: the default. minherit(2).
pub const MAP_INHERIT_COPY: c_int = 1;
/// A child does not have the pages. minherit(2).
pub const MAP_INHERIT_NONE: c_int = 2;
/// A child sees zeros. minherit(2).
pub const MAP_INHERIT_ZERO: c_int = 3;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 28;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 28;

// The header marks the next two as its own.

/// With `MAP_FIXED`: an error if something is mapped there already. `<sys/mman.h>`.
pub const __MAP_NOREPLACE: c_int = 0x800;
/// Pages that cannot be obtained read as zeros, without a fault. `<sys/mman.h>`.
pub const __MAP_NOFAULT: c_int = 0x2000;

pub use crate::posix::{
    fcntl, ftruncate, madvise, mlock, mlockall, mmap, mprotect, msync, munlock, munlockall, munmap,
    posix_madvise, shm_open, shm_unlink, sysconf,
};

unsafe extern "C" {
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

    /// Permanently forbids changing the protection of the pages of `addr..addr + len`, unmapping
    /// them, or replacing them by a new mapping. Source: mimmutable(2), since OpenBSD 7.3.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EINVAL` for an unaligned address or a range that wraps,
    /// `EPERM` for a writable mapping of a file.
    ///
    /// # Safety
    /// The range must be the caller's own: it can never be unmapped.
    pub fn mimmutable(addr: *mut c_void, len: size_t) -> c_int;

    /// Returns an address at which `mmap` with the same arguments would put a mapping, and maps
    /// nothing; with `MAP_FIXED` it considers only `addr`. Source: mquery(2).
    ///
    /// # Errors
    /// Returns `MAP_FAILED` and sets `errno`: `EINVAL`, `ENOMEM` without room, `EBADF`.
    ///
    /// # Safety
    /// There is none: nothing is mapped.
    pub fn mquery(
        addr: *mut c_void,
        len: size_t,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: off_t,
    ) -> *mut c_void;

    /// Creates a shared memory object with a new name: the Xs at the end of `template` are replaced
    /// by those of the name. Source: shm_mkstemp(3).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: as for `shm_open`, `EINVAL` for a template without enough Xs.
    ///
    /// # Safety
    /// `template` must point to a string that ends in NUL and may be written.
    pub fn shm_mkstemp(template: *mut c_char) -> c_int;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); the C library's `__errno`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__errno"))]
    #[link_name = "__errno"]
    pub fn errno_location() -> *mut c_int;
}
