//! FreeBSD.
//!
//! Checked against sys/sys/mman.h, sys/sys/fcntl.h and sys/sys/unistd.h of FreeBSD.

use crate::types::{c_char, c_int, c_uint, c_void, size_t};

/// A file offset or size in bytes; 64 bits wide on every architecture.
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
/// A bit whose meaning the architecture defines (capabilities). `<sys/mman.h>`.
pub const PROT_CHERI0: c_int = 8;
/// A bit whose meaning the architecture defines (capabilities). `<sys/mman.h>`.
pub const PROT_CHERI1: c_int = 0x10;

// mmap(2).

/// Writes reach the object and every other mapping of it. mmap(2).
pub const MAP_SHARED: c_int = 0x1;
/// Writes go to a private copy. mmap(2).
pub const MAP_PRIVATE: c_int = 0x2;
/// An old name for `MAP_PRIVATE`. `<sys/mman.h>`.
pub const MAP_COPY: c_int = MAP_PRIVATE;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x10;
/// Was `MAP_RENAME`; must not be used. `<sys/mman.h>`.
pub const MAP_RESERVED0020: c_int = 0x20;
/// Was `MAP_NORESERVE`; must not be used. `<sys/mman.h>`.
pub const MAP_RESERVED0040: c_int = 0x40;
/// Was `MAP_INHERIT`; must not be used. `<sys/mman.h>`.
pub const MAP_RESERVED0080: c_int = 0x80;
/// Was `MAP_NOEXTEND`; must not be used. `<sys/mman.h>`.
pub const MAP_RESERVED0100: c_int = 0x100;
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
/// Reserves addresses without memory: any access faults, until another mapping replaces it.
/// mmap(2).
pub const MAP_GUARD: c_int = 0x2000;
/// With `MAP_FIXED`: an error if something is mapped there already. mmap(2).
pub const MAP_EXCL: c_int = 0x4000;
/// Left out of core dumps. mmap(2).
pub const MAP_NOCORE: c_int = 0x0002_0000;
/// Maps pages that are already in memory for reading now. mmap(2).
pub const MAP_PREFAULT_READ: c_int = 0x0004_0000;
/// In the first 2 GiB of the address space. mmap(2).
pub const MAP_32BIT: c_int = 0x0008_0000;
/// The lowest bit of the field that `MAP_ALIGNED` fills. mmap(2).
pub const MAP_ALIGNMENT_SHIFT: c_int = 24;
/// The mask of the field that `MAP_ALIGNED` fills. mmap(2).
pub const MAP_ALIGNMENT_MASK: c_int = MAP_ALIGNED(0xff);
/// Aligned for the largest suitable pages. mmap(2).
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
/// Pages will not be used soon and may be reclaimed first; content stays. madvise(2).
pub const MADV_DONTNEED: c_int = 4;
/// Content is no longer needed: a page may read as zeros from now on, until it is written to.
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
/// Spares the process when the system runs out of swap; privileged. madvise(2).
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
/// The mask of the size of the page that backs the address. mincore(2).
pub const MINCORE_SUPER: c_int = 0x60;
/// The lowest bit of the field under `MINCORE_SUPER`. mincore(2).
pub const MINCORE_PSIND_SHIFT: c_int = 5;

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
/// Back the file with large pages, of the size that the `MFD_HUGE_` field names. memfd_create(2).
pub const MFD_HUGETLB: c_uint = 0x4;
/// The lowest bit of the field that holds the binary logarithm of the page size. memfd_create(2).
pub const MFD_HUGE_SHIFT: c_uint = 26;
/// The mask of that field, in place. memfd_create(2).
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

// fcntl(2): seals.

/// The `fcntl` command that adds seals. fcntl(2).
pub const F_ADD_SEALS: c_int = 19;
/// The `fcntl` command that returns the seals. fcntl(2).
pub const F_GET_SEALS: c_int = 20;
/// No more seals. fcntl(2).
pub const F_SEAL_SEAL: c_int = 1;
/// The file cannot shrink. fcntl(2).
pub const F_SEAL_SHRINK: c_int = 2;
/// The file cannot grow. fcntl(2).
pub const F_SEAL_GROW: c_int = 4;
/// The content cannot change. fcntl(2).
pub const F_SEAL_WRITE: c_int = 8;

// shm_open(3).

/// For the kernel's own call: allow seals. `<sys/mman.h>`.
pub const SHM_ALLOW_SEALING: c_int = 1;
/// For the kernel's own call: writing past the end grows the object. `<sys/mman.h>`.
pub const SHM_GROW_ON_WRITE: c_int = 2;
/// For the kernel's own call: large pages. `<sys/mman.h>`.
pub const SHM_LARGEPAGE: c_int = 4;
/// Try to make large pages, and wait a while for them. shm_create_largepage(3).
pub const SHM_LARGEPAGE_ALLOC_DEFAULT: c_int = 0;
/// Fail at once if there are no large pages. shm_create_largepage(3).
pub const SHM_LARGEPAGE_ALLOC_NOWAIT: c_int = 1;
/// Wait until there are large pages. shm_create_largepage(3).
pub const SHM_LARGEPAGE_ALLOC_HARD: c_int = 2;
/// Fail if the new name exists. shm_rename(2).
pub const SHM_RENAME_NOREPLACE: c_int = 1;
/// Exchange the two names. shm_rename(2).
pub const SHM_RENAME_EXCHANGE: c_int = 2;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 47;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 47;

/// Passed in place of a name: an anonymous shared memory object. shm_open(2).
pub const SHM_ANON: *mut c_char = core::ptr::without_provenance_mut(1);

/// Aligned to `1 << n` bytes, for `n` from 12 on. mmap(2).
#[must_use]
#[allow(non_snake_case, reason = "a macro's name in the header")]
pub const fn MAP_ALIGNED(n: c_int) -> c_int {
    n << MAP_ALIGNMENT_SHIFT
}

/// The protection without the limit that `PROT_MAX` sets. mmap(2).
#[must_use]
#[allow(non_snake_case, reason = "a macro's name in the header")]
pub const fn PROT_EXTRACT(prot: c_int) -> c_int {
    prot & (PROT_READ | PROT_WRITE | PROT_EXEC)
}

/// The rights that a later `mprotect` may give at most. mmap(2).
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

/// The bits of a byte of `mincore` for a page of the size with index `i` in getpagesizes(3).
/// mincore(2).
#[must_use]
#[allow(non_snake_case, reason = "a macro's name in the header")]
pub const fn MINCORE_PSIND(i: c_int) -> c_int {
    (i << MINCORE_PSIND_SHIFT) & MINCORE_SUPER
}

pub use crate::posix::{
    fcntl, ftruncate, madvise, mlock, mlockall, mmap, mprotect, msync, munlock, munlockall, munmap,
    posix_fallocate, posix_madvise, shm_open, shm_unlink, sysconf,
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

    /// Creates an anonymous file in memory and returns its descriptor. Source: memfd_create(2),
    /// since FreeBSD 13.0.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EFAULT` for a bad `name`, `EINVAL` for bad flags or a name
    /// that is too long, `EMFILE`, `ENFILE`, `ENOMEM`.
    ///
    /// # Safety
    /// `name` must point to a string that ends in NUL.
    pub fn memfd_create(name: *const c_char, flags: c_uint) -> c_int;

    /// Opens or creates a shared memory object that consists of large pages: `psind` is the index
    /// of their size in the list that `getpagesizes` returns, and `alloc_policy` is one of
    /// `SHM_LARGEPAGE_ALLOC_`. Source: shm_create_largepage(3), since FreeBSD 13.0.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: as for `shm_open`, `EINVAL` for a bad size or policy, `ENOTTY`
    /// if there are no such pages.
    ///
    /// # Safety
    /// `path` must point to a string that ends in NUL, or be `SHM_ANON`.
    pub fn shm_create_largepage(
        path: *const c_char,
        flags: c_int,
        psind: c_int,
        alloc_policy: c_int,
        mode: mode_t,
    ) -> c_int;

    /// Renames a shared memory object. Source: shm_rename(2), since FreeBSD 13.0.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EACCES`, `EEXIST`, `EFAULT`, `EINVAL`, `ENAMETOOLONG`,
    /// `ENOENT`.
    ///
    /// # Safety
    /// Both paths must point to strings that end in NUL.
    pub fn shm_rename(path_from: *const c_char, path_to: *const c_char, flags: c_int) -> c_int;

    /// Writes the page sizes of the system to `pagesize`, up to `nelem` of them, and returns how
    /// many it wrote; with a null pointer and 0 it only counts them. Source: getpagesizes(3).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EINVAL` if the two arguments contradict each other.
    ///
    /// # Safety
    /// `pagesize` must be null or valid for writes of `nelem` values.
    pub fn getpagesizes(pagesize: *mut size_t, nelem: c_int) -> c_int;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); the C library's `__error`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__error"))]
    #[link_name = "__error"]
    pub fn errno_location() -> *mut c_int;
}
