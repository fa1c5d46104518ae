//! NuttX.
//!
//! Checked against include/sys/mman.h, include/fcntl.h, include/unistd.h and include/sys/types.h of NuttX.
//! Values are its own, not those of Linux: `MAP_FILE` is a bit, `MAP_FIXED` is 4. How much of it works
//! depends on the board's configuration: shm_open needs CONFIG_FS_SHMFS, and protection needs an MMU or MPU.

use crate::types::{c_char, c_int, c_uint, c_void, size_t};

/// A file offset or size in bytes: 64 bits wide, as under CONFIG_FS_LARGEFILE, which std needs too.
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
/// The mask of the sharing types. `<sys/mman.h>`.
pub const MAP_TYPE: c_int = 0x3;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x4;
/// Maps a file. `<sys/mman.h>`.
pub const MAP_FILE: c_int = 0x8;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANONYMOUS: c_int = 0x10;
/// The same as `MAP_ANONYMOUS`. mmap(2).
pub const MAP_ANON: c_int = MAP_ANONYMOUS;
/// A stack: grows down when memory below it is touched. `<sys/mman.h>`.
pub const MAP_GROWSDOWN: c_int = 0x20;
/// Ignored. `<sys/mman.h>`.
pub const MAP_DENYWRITE: c_int = 0x40;
/// Ignored. `<sys/mman.h>`.
pub const MAP_EXECUTABLE: c_int = 0x80;
/// Locked as if by `mlock`. `<sys/mman.h>`.
pub const MAP_LOCKED: c_int = 0x100;
/// No swap space is reserved. mmap(2).
pub const MAP_NORESERVE: c_int = 0x200;
/// Pages are brought in now. `<sys/mman.h>`.
pub const MAP_POPULATE: c_int = 0x400;
/// With `MAP_POPULATE`: does not wait. `<sys/mman.h>`.
pub const MAP_NONBLOCK: c_int = 0x800;
/// Not cleared. `<sys/mman.h>`.
pub const MAP_UNINITIALIZED: c_int = 0x0400_0000;
/// Maps the file's own memory, for execution in place, or fails. `<sys/mman.h>`.
pub const MAP_XIP_STRICT: c_int = 0x0800_0000;

// posix_madvise(3).

/// No special treatment. posix_madvise(3).
pub const POSIX_MADV_NORMAL: c_int = 0;
/// Pages will be used in ascending order. posix_madvise(3).
pub const POSIX_MADV_SEQUENTIAL: c_int = 1;
/// Pages will be used in random order. posix_madvise(3).
pub const POSIX_MADV_RANDOM: c_int = 2;
/// Pages will be used soon. posix_madvise(3).
pub const POSIX_MADV_WILLNEED: c_int = 3;
/// Pages will not be used soon. posix_madvise(3).
pub const POSIX_MADV_DONTNEED: c_int = 4;

// madvise(2).

/// No special treatment: the default. madvise(2).
pub const MADV_NORMAL: c_int = POSIX_MADV_NORMAL;
/// Pages will be used in ascending order: read well ahead, free soon after. madvise(2).
pub const MADV_SEQUENTIAL: c_int = POSIX_MADV_SEQUENTIAL;
/// Pages will be used in random order: reading ahead helps little. madvise(2).
pub const MADV_RANDOM: c_int = POSIX_MADV_RANDOM;
/// Pages will be used soon. madvise(2).
pub const MADV_WILLNEED: c_int = POSIX_MADV_WILLNEED;
/// Pages will not be used soon; content stays. madvise(2).
pub const MADV_DONTNEED: c_int = POSIX_MADV_DONTNEED;
/// Not implemented. `<sys/mman.h>`.
pub const MADV_HUGEPAGE: c_int = 14;
/// Not implemented. `<sys/mman.h>`.
pub const MADV_NOHUGEPAGE: c_int = 15;

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

// memfd_create(2).

/// Close on exec. memfd_create(2).
pub const MFD_CLOEXEC: c_uint = 0x0008_0000;
/// Allow seals. memfd_create(2).
pub const MFD_ALLOW_SEALING: c_uint = 0x0001_0000;
/// Back the file with huge pages. memfd_create(2).
pub const MFD_HUGETLB: c_uint = 0x0002_0000;
/// The lowest bit of the field that holds the binary logarithm of the page size. memfd_create(2).
pub const MFD_HUGE_SHIFT: c_uint = 26;
/// The mask of that field, before the shift. memfd_create(2).
pub const MFD_HUGE_MASK: c_uint = 0x3f;
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

// posix_typed_mem_open(3): `<sys/mman.h>` declares it, posix_typed_mem_get_info and posix_mem_offset, but the
// C library defines none of them, so they are not here.

/// `mmap` allocates memory of the type. `<sys/mman.h>`.
pub const POSIX_TYPED_MEM_ALLOCATE: c_int = 0;
/// The same, contiguous. `<sys/mman.h>`.
pub const POSIX_TYPED_MEM_ALLOCATE_CONTIG: c_int = 1;
/// `mmap` maps memory of the type, which may still be allocated. `<sys/mman.h>`.
pub const POSIX_TYPED_MEM_MAP_ALLOCATABLE: c_int = 2;

// fcntl(2): seals.

/// The `fcntl` command that adds seals. fcntl(2).
pub const F_ADD_SEALS: c_int = 16;
/// The `fcntl` command that returns the seals. fcntl(2).
pub const F_GET_SEALS: c_int = 17;
/// No more seals. fcntl(2).
pub const F_SEAL_SEAL: c_int = 1;
/// The file cannot shrink. fcntl(2).
pub const F_SEAL_SHRINK: c_int = 2;
/// The file cannot grow. fcntl(2).
pub const F_SEAL_GROW: c_int = 4;
/// The content cannot change. fcntl(2).
pub const F_SEAL_WRITE: c_int = 8;
/// The content changes only through existing mappings. fcntl(2).
pub const F_SEAL_FUTURE_WRITE: c_int = 16;

// sysconf(3).

/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 54;
/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = _SC_PAGE_SIZE;

pub use crate::posix::{
    fcntl, ftruncate, mlock, mlockall, mmap, mprotect, msync, munlock, munlockall, munmap,
    posix_madvise, shm_open, shm_unlink, sysconf,
};

unsafe extern "C" {
    /// Advises the system how the pages of `addr..addr + len` will be used: the header makes it another name
    /// for `posix_madvise`, whose symbol this is. Source: `<sys/mman.h>`.
    ///
    /// # Errors
    /// Returns the error number itself, not -1, as `posix_madvise` does.
    ///
    /// # Safety
    /// The range must be the caller's own.
    #[doc(alias = "posix_madvise")]
    #[link_name = "posix_madvise"]
    pub fn madvise(addr: *mut c_void, len: size_t, advice: c_int) -> c_int;

    /// Creates an anonymous file in memory and returns its descriptor. Source: memfd_create(2),
    /// libs/libc/misc/lib_memfd.c.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EFAULT` for a bad `name`, `EINVAL` for bad flags or a name
    /// that is too long, `EMFILE`, `ENFILE`, `ENOMEM`.
    ///
    /// # Safety
    /// `name` must point to a string that ends in NUL.
    pub fn memfd_create(name: *const c_char, flags: c_uint) -> c_int;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the thread
    /// lives. Source: errno(3); the C library's `__errno`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__errno"))]
    #[link_name = "__errno"]
    pub fn errno_location() -> *mut c_int;
}
