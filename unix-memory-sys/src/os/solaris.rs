//! Oracle Solaris.
//!
//! Its header is not published: the values are those that packages for other languages took from
//! it, and those of illumos where both systems kept what OpenSolaris had.

use crate::types::{c_char, c_int, c_long, c_uint, c_void, size_t};

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

/// Writes reach the object and every other mapping of it. mmap(2).
pub const MAP_SHARED: c_int = 0x1;
/// Writes go to a private copy. mmap(2).
pub const MAP_PRIVATE: c_int = 0x2;
/// The mask of the sharing types. `<sys/mman.h>`.
pub const MAP_TYPE: c_int = 0xf;
/// Maps a file: the default, without effect. mmap(2).
pub const MAP_FILE: c_int = 0x0;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x10;
/// Was never implemented. `<sys/mman.h>`.
pub const MAP_RENAME: c_int = 0x20;
/// No swap space is reserved. mmap(2).
pub const MAP_NORESERVE: c_int = 0x40;
/// In the first 4 GiB of the address space. mmap(2).
pub const MAP_32BIT: c_int = 0x80;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANON: c_int = 0x100;
/// The same as `MAP_ANON`. mmap(2).
pub const MAP_ANONYMOUS: c_int = MAP_ANON;
/// The address argument is an alignment instead. mmap(2).
pub const MAP_ALIGN: c_int = 0x200;
/// For code: the kernel picks the page size. mmap(2).
pub const MAP_TEXT: c_int = 0x400;
/// For initialized data: the kernel picks the page size. mmap(2).
pub const MAP_INITDATA: c_int = 0x800;
/// Marks the calls of libc as modern ones; libc adds it. `<sys/mman.h>`.
#[allow(clippy::cast_possible_wrap, reason = "the header's bits, in an int")]
pub const _MAP_NEW: c_int = 0x8000_0000_u32 as c_int;

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
/// Content is no longer needed: pages read as zeros once the system has reclaimed them.
/// madvise(3C).
pub const MADV_FREE: c_int = 5;
/// Undoes the advice about which threads will use the pages. madvise(3C).
pub const MADV_ACCESS_DEFAULT: c_int = 6;
/// The next thread to touch the pages will use them most. madvise(3C).
pub const MADV_ACCESS_LWP: c_int = 7;
/// Many threads or processes will use the pages. madvise(3C).
pub const MADV_ACCESS_MANY: c_int = 8;
/// Many processes of the processor set will use the pages. madvise(3C).
pub const MADV_ACCESS_MANY_PSET: c_int = 9;

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

/// What `MS_SYNC` was before UNIX 98. `<sys/mman.h>`.
pub const MS_OLDSYNC: c_int = 0;
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

// memcntl(2).

/// What `msync` does. memcntl(2).
pub const MC_SYNC: c_int = 1;
/// What `mlock` does. memcntl(2).
pub const MC_LOCK: c_int = 2;
/// What `munlock` does. memcntl(2).
pub const MC_UNLOCK: c_int = 3;
/// What `madvise` does. memcntl(2).
pub const MC_ADVISE: c_int = 4;
/// What `mlockall` does. memcntl(2).
pub const MC_LOCKAS: c_int = 5;
/// What `munlockall` does. memcntl(2).
pub const MC_UNLOCKAS: c_int = 6;
/// Advice about the page size, in a `memcntl_mha`. memcntl(2).
pub const MC_HAT_ADVISE: c_int = 7;
/// Prefer this page size for the range. memcntl(2).
pub const MHA_MAPSIZE_VA: c_int = 1;
/// Prefer this page size for the heap. memcntl(2).
pub const MHA_MAPSIZE_BSSBRK: c_int = 2;
/// Prefer this page size for the stack. memcntl(2).
pub const MHA_MAPSIZE_STACK: c_int = 4;

// mmapobj(2).

/// Leave room before and after the object. mmapobj(2).
pub const MMOBJ_PADDING: c_uint = 0x0001_0000;
/// Map the parts of the object according to its headers. mmapobj(2).
pub const MMOBJ_INTERPRET: c_uint = 0x0002_0000;
/// The mask of all flags. `<sys/mman.h>`.
pub const MMOBJ_ALL_FLAGS: c_uint = MMOBJ_PADDING | MMOBJ_INTERPRET;

// meminfo(2).

/// The lowest bit of the field of the requests. `<sys/mman.h>`.
pub const MEMINFO_SHIFT: c_int = 16;
/// The mask of the field of the requests. `<sys/mman.h>`.
pub const MEMINFO_MASK: c_int = 0xff << MEMINFO_SHIFT;
/// The physical address. meminfo(2).
pub const MEMINFO_VPHYSICAL: c_int = 1 << MEMINFO_SHIFT;
/// The locality group of the physical page. meminfo(2).
pub const MEMINFO_VLGRP: c_int = 2 << MEMINFO_SHIFT;
/// The size of the page. meminfo(2).
pub const MEMINFO_VPAGESIZE: c_int = 3 << MEMINFO_SHIFT;
/// How many replicas there are. meminfo(2).
pub const MEMINFO_VREPLCNT: c_int = 4 << MEMINFO_SHIFT;
/// The physical address of a replica. meminfo(2).
pub const MEMINFO_VREPL: c_int = 5 << MEMINFO_SHIFT;
/// The locality group of a replica. meminfo(2).
pub const MEMINFO_VREPL_LGRP: c_int = 6 << MEMINFO_SHIFT;
/// The locality group of a physical address. meminfo(2).
pub const MEMINFO_PLGRP: c_int = 7 << MEMINFO_SHIFT;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 11;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 11;

pub use crate::posix::{
    fcntl, ftruncate, madvise, mlock, mlockall, mmap, mprotect, msync, munlock, munlockall, munmap,
    posix_madvise, shm_open, shm_unlink,
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
    pub fn mincore(addr: *mut c_void, len: size_t, vec: *mut c_char) -> c_int;

    /// Applies the `MC_` command to the pages of `addr..addr + len`; `attr` selects pages by
    /// protection and sharing (0 selects all), and `mask` is 0. Source: memcntl(2).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EAGAIN`, `EBUSY`, `EINVAL`, `EIO`, `ENOMEM`, `EPERM`.
    ///
    /// # Safety
    /// `arg` must be what the command requires; `MC_ADVISE` and `MC_SYNC` may discard content.
    pub fn memcntl(
        addr: *mut c_char,
        len: size_t,
        cmd: c_int,
        arg: *mut c_char,
        attr: c_int,
        mask: c_int,
    ) -> c_int;

    /// Maps an executable or a library as its headers specify, and writes the parts to `storage`,
    /// an array of `mmapobj_result_t`, and their number to `elements`. Source: mmapobj(2).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `E2BIG` for too few elements, `EACCES`, `EADDRINUSE`, `EAGAIN`,
    /// `EINVAL`, `ENODEV`, `ENOEXEC`, `ENOMEM`, `ENOTSUP`.
    ///
    /// # Safety
    /// `storage` must be valid for writes of `*elements` results, and `elements` and `arg` for what
    /// the flags require.
    pub fn mmapobj(
        fd: c_int,
        flags: c_uint,
        storage: *mut c_void,
        elements: *mut c_uint,
        arg: *mut c_void,
    ) -> c_int;

    /// Reports physical addresses, page sizes and locality groups of `addr_count` addresses. For
    /// each address it writes one value per request in `info_req` to `outdata`, and to `validity` a
    /// bit for the address and one for each value, set if it is valid. Source: meminfo(2).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EFAULT`, `EINVAL`.
    ///
    /// # Safety
    /// The pointers must be valid for that many values.
    pub fn meminfo(
        inaddr: *const u64,
        addr_count: c_int,
        info_req: *const c_uint,
        info_count: c_int,
        outdata: *mut u64,
        validity: *mut c_uint,
    ) -> c_int;

    /// Writes the page sizes of the system to `pagesize`, up to `nelem` of them, and returns how
    /// many it wrote; with a null pointer and 0 it only counts them. Source: getpagesizes(3C).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EINVAL` if the two arguments contradict each other.
    ///
    /// # Safety
    /// `pagesize` must be null or valid for writes of `nelem` values.
    pub fn getpagesizes(pagesize: *mut size_t, nelem: c_int) -> c_int;

    /// Returns a setting of the system; for `_SC_PAGESIZE`, the page size in bytes. Source:
    /// sysconf(3), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno` to `EINVAL` for a name that the system does not know.
    ///
    /// # Safety
    /// There is none: any `name` is accepted.
    #[doc(alias = "__sysconf_xpg7")]
    #[link_name = "__sysconf_xpg7"]
    pub fn sysconf(name: c_int) -> c_long;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); the C library's `___errno`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "___errno"))]
    #[link_name = "___errno"]
    pub fn errno_location() -> *mut c_int;
}
