//! RTEMS.
//!
//! Checked against newlib/libc/sys/rtems/include/sys/mman.h and newlib's sys/unistd.h; the header
//! came from FreeBSD, with names that RTEMS does not implement. All memory is one address space
//! without protection: mmap maps devices and shared memory objects, or allocates.

use crate::types::{c_char, c_int, c_uint, c_void};

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
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_RESERVED0020: c_int = 0x20;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_RESERVED0040: c_int = 0x40;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_RESERVED0080: c_int = 0x80;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_RESERVED0100: c_int = 0x100;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_HASSEMAPHORE: c_int = 0x200;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_STACK: c_int = 0x400;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_NOSYNC: c_int = 0x800;
/// Maps a file: the default, without effect. mmap(2).
pub const MAP_FILE: c_int = 0x0;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANON: c_int = 0x1000;
/// The same as `MAP_ANON`. mmap(2).
pub const MAP_ANONYMOUS: c_int = MAP_ANON;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_GUARD: c_int = 0x2000;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_EXCL: c_int = 0x4000;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_NOCORE: c_int = 0x0002_0000;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_PREFAULT_READ: c_int = 0x0004_0000;
/// The lowest bit of the field that `MAP_ALIGNED` fills. `<sys/mman.h>`.
pub const MAP_ALIGNMENT_SHIFT: c_int = 24;
/// The mask of the field that `MAP_ALIGNED` fills. `<sys/mman.h>`.
pub const MAP_ALIGNMENT_MASK: c_int = MAP_ALIGNED(0xff);
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MAP_ALIGNED_SUPER: c_int = MAP_ALIGNED(1);

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
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MADV_FREE: c_int = 5;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MADV_NOSYNC: c_int = 6;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MADV_AUTOSYNC: c_int = 7;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MADV_NOCORE: c_int = 8;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MADV_CORE: c_int = 9;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MADV_PROTECT: c_int = 10;

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
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const MINCORE_SUPER: c_int = 0x60;

// minherit(2).

/// A child shares the pages. minherit(2).
pub const INHERIT_SHARE: c_int = 0;
/// A child gets a copy: the default. minherit(2).
pub const INHERIT_COPY: c_int = 1;
/// A child does not have the pages. minherit(2).
pub const INHERIT_NONE: c_int = 2;
/// A child sees zeros. minherit(2).
pub const INHERIT_ZERO: c_int = 3;

// memfd_create(2).

/// Close on exec. memfd_create(2).
pub const MFD_CLOEXEC: c_uint = 0x1;
/// Allow seals. memfd_create(2).
pub const MFD_ALLOW_SEALING: c_uint = 0x2;
/// Back the file with huge pages. memfd_create(2).
pub const MFD_HUGETLB: c_uint = 0x4;
/// The lowest bit of the field that holds the binary logarithm of the page size. memfd_create(2).
pub const MFD_HUGE_SHIFT: c_uint = 26;
/// The mask of that field, in place. `<sys/mman.h>`.
pub const MFD_HUGE_MASK: c_uint = 0xfc00_0000;
/// Pages of 64 KiB. memfd_create(2).
pub const MFD_HUGE_64KB: c_uint = 16 << MFD_HUGE_SHIFT;
/// Pages of 512 KiB. memfd_create(2).
pub const MFD_HUGE_512KB: c_uint = 19 << MFD_HUGE_SHIFT;
/// Pages of 1 MiB. memfd_create(2).
pub const MFD_HUGE_1MB: c_uint = 20 << MFD_HUGE_SHIFT;
/// Pages of 2 MiB. memfd_create(2).
pub const MFD_HUGE_2MB: c_uint = 21 << MFD_HUGE_SHIFT;
/// Pages of 8 MiB. memfd_create(2).
pub const MFD_HUGE_8MB: c_uint = 23 << MFD_HUGE_SHIFT;
/// Pages of 16 MiB. memfd_create(2).
pub const MFD_HUGE_16MB: c_uint = 24 << MFD_HUGE_SHIFT;
/// Pages of 32 MiB. memfd_create(2).
pub const MFD_HUGE_32MB: c_uint = 25 << MFD_HUGE_SHIFT;
/// Pages of 256 MiB. memfd_create(2).
pub const MFD_HUGE_256MB: c_uint = 28 << MFD_HUGE_SHIFT;
/// Pages of 512 MiB. memfd_create(2).
pub const MFD_HUGE_512MB: c_uint = 29 << MFD_HUGE_SHIFT;
/// Pages of 1 GiB. memfd_create(2).
pub const MFD_HUGE_1GB: c_uint = 30 << MFD_HUGE_SHIFT;
/// Pages of 2 GiB. memfd_create(2).
pub const MFD_HUGE_2GB: c_uint = 31 << MFD_HUGE_SHIFT;
/// Pages of 16 GiB. memfd_create(2).
pub const MFD_HUGE_16GB: c_uint = 34 << MFD_HUGE_SHIFT;

// shm_open(3).

/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const SHM_ALLOW_SEALING: c_int = 1;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const SHM_GROW_ON_WRITE: c_int = 2;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const SHM_LARGEPAGE: c_int = 4;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const SHM_LARGEPAGE_ALLOC_DEFAULT: c_int = 0;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const SHM_LARGEPAGE_ALLOC_NOWAIT: c_int = 1;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const SHM_LARGEPAGE_ALLOC_HARD: c_int = 2;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const SHM_RENAME_NOREPLACE: c_int = 1;
/// From FreeBSD; has no effect. `<sys/mman.h>`.
pub const SHM_RENAME_EXCHANGE: c_int = 2;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 8;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 8;

/// Passed in place of a name: an anonymous shared memory object, on FreeBSD. `<sys/mman.h>`.
pub const SHM_ANON: *mut c_char = core::ptr::without_provenance_mut(1);

/// Aligned to `1 << n` bytes; from FreeBSD; has no effect. `<sys/mman.h>`.
#[must_use]
#[allow(non_snake_case, reason = "a macro's name in the header")]
pub const fn MAP_ALIGNED(n: c_int) -> c_int {
    n << MAP_ALIGNMENT_SHIFT
}

/// The protection without the limit that `PROT_MAX` sets. `<sys/mman.h>`.
#[must_use]
#[allow(non_snake_case, reason = "a macro's name in the header")]
pub const fn PROT_EXTRACT(prot: c_int) -> c_int {
    prot & (PROT_READ | PROT_WRITE | PROT_EXEC)
}

/// The rights that a later `mprotect` may give at most; from FreeBSD; has no effect.
/// `<sys/mman.h>`.
#[must_use]
#[allow(non_snake_case, reason = "a macro's name in the header")]
pub const fn PROT_MAX(prot: c_int) -> c_int {
    prot << 16
}

/// The protection that `PROT_MAX` put in. `<sys/mman.h>`.
#[must_use]
#[allow(non_snake_case, reason = "a macro's name in the header")]
pub const fn PROT_MAX_EXTRACT(prot: c_int) -> c_int {
    (prot >> 16) & (PROT_READ | PROT_WRITE | PROT_EXEC)
}

/// From FreeBSD; has no use. `<sys/mman.h>`.
#[must_use]
#[allow(non_snake_case, reason = "a macro's name in the header")]
pub const fn MINCORE_PSIND(i: c_int) -> c_int {
    (i << 5) & MINCORE_SUPER
}

pub use crate::posix::{
    fcntl, ftruncate, mlock, mlockall, mmap, mprotect, msync, munlock, munlockall, munmap,
    posix_madvise, shm_open, shm_unlink, sysconf,
};

unsafe extern "C" {
    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); newlib's `__errno`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__errno"))]
    #[link_name = "__errno"]
    pub fn errno_location() -> *mut c_int;
}
