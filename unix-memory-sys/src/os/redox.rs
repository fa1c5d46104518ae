//! Redox.
//!
//! Checked against src/header/sys_mman and src/header/unistd of relibc. `PROT_READ` is 4 and
//! `PROT_EXEC` is 1; there is no posix_madvise, although its values exist.

use crate::types::{c_int, c_void, size_t};

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
/// Pages may be executed. mprotect(2).
pub const PROT_EXEC: c_int = 1;
/// Pages may be written. mprotect(2).
pub const PROT_WRITE: c_int = 2;
/// Pages may be read. mprotect(2).
pub const PROT_READ: c_int = 4;

// mmap(2).

/// Writes reach the object and every other mapping of it. mmap(2).
pub const MAP_SHARED: c_int = 0x1;
/// Writes go to a private copy. mmap(2).
pub const MAP_PRIVATE: c_int = 0x2;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x4;
/// At this address, or an error. `<sys/mman.h>`.
pub const MAP_FIXED_NOREPLACE: c_int = 0xc;
/// The mask of the sharing types. `<sys/mman.h>`.
pub const MAP_TYPE: c_int = 0xf;
/// A name without a bit of its own: relibc defines it so, and it has no use. `<sys/mman.h>`.
pub const MAP_POPULATE: c_int = 0x1f;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANON: c_int = 0x20;
/// The same as `MAP_ANON`. mmap(2).
pub const MAP_ANONYMOUS: c_int = MAP_ANON;

// mmap(2): sizes of huge pages.

/// A name without a bit of its own: relibc defines it so, and it has no use. `<sys/mman.h>`.
pub const MAP_HUGETLB: c_int = 0x2e;

// mmap(2).

/// For a stack. mmap(2).
pub const MAP_STACK: c_int = 0x0002_0000;

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
/// Leaves the pages out of core dumps. `<sys/mman.h>`.
pub const MADV_DONTDUMP: c_int = 5;
/// Undoes `MADV_DONTDUMP`. `<sys/mman.h>`.
pub const MADV_DODUMP: c_int = 6;

// posix_madvise(3).

/// No special treatment. posix_madvise(3).
pub const POSIX_MADV_NORMAL: c_int = 0;
/// Pages will be used in random order. posix_madvise(3).
pub const POSIX_MADV_RANDOM: c_int = 1;
/// Pages will be used in ascending order. posix_madvise(3).
pub const POSIX_MADV_SEQUENTIAL: c_int = 2;
/// Pages will be used soon. posix_madvise(3).
pub const POSIX_MADV_WILLNEED: c_int = 3;
/// Pages will not be used soon; the spelling is relibc's. `<sys/mman.h>`.
pub const POSIX_MADV_WONTNEED: c_int = 4;

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

// mremap(2).

/// The mapping may move. mremap(2).
pub const MREMAP_MAYMOVE: c_int = 1;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 30;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 30;

pub use crate::posix::{
    fcntl, ftruncate, madvise, mlock, mlockall, mmap, mprotect, msync, munlock, munlockall, munmap,
    shm_open, shm_unlink, sysconf,
};

unsafe extern "C" {
    /// Grows, shrinks or moves a mapping: `old_size` bytes at `old_address` become `new_size` bytes
    /// at the address returned. The library takes no fifth argument, so `MREMAP_FIXED` does not
    /// work here. Source: relibc.
    ///
    /// # Errors
    /// Returns `MAP_FAILED` and sets `errno`: `EINVAL` for unaligned addresses, a size of zero or
    /// bad flags, `EFAULT` for a range that is not mapped, `ENOMEM` if there is no room.
    ///
    /// # Safety
    /// The old range is unmapped.
    pub fn mremap(
        old_address: *mut c_void,
        old_size: size_t,
        new_size: size_t,
        flags: c_int,
        ...
    ) -> *mut c_void;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); relibc's `__errno_location`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__errno_location"))]
    #[link_name = "__errno_location"]
    pub fn errno_location() -> *mut c_int;
}
