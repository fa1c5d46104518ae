//! NetBSD.
//!
//! Checked against sys/sys/mman.h, sys/sys/fcntl.h and sys/sys/unistd.h of NetBSD.

use crate::types::{c_char, c_int, c_uint, c_void, size_t};

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
/// For `mremap`: the old mapping stays, and the new one shares its pages. mremap(2).
pub const MAP_REMAPDUP: c_int = 0x4;
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
/// Locked as if by `mlock`. mmap(2).
pub const MAP_WIRED: c_int = 0x800;
/// Maps a file: the default, without effect. mmap(2).
pub const MAP_FILE: c_int = 0x0;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANONYMOUS: c_int = 0x1000;
/// The same as `MAP_ANONYMOUS`. mmap(2).
pub const MAP_ANON: c_int = MAP_ANONYMOUS;
/// For a stack. mmap(2).
pub const MAP_STACK: c_int = 0x2000;
/// The lowest bit of the field that `MAP_ALIGNED` fills. mmap(2).
pub const MAP_ALIGNMENT_SHIFT: c_int = 24;
/// The mask of the field that `MAP_ALIGNED` fills. mmap(2).
pub const MAP_ALIGNMENT_MASK: c_int = MAP_ALIGNED(0xff);
/// Aligned to 64 KiB. mmap(2).
pub const MAP_ALIGNMENT_64KB: c_int = MAP_ALIGNED(16);
/// Aligned to 16 MiB. mmap(2).
pub const MAP_ALIGNMENT_16MB: c_int = MAP_ALIGNED(24);
/// Aligned to 4 GiB. mmap(2).
pub const MAP_ALIGNMENT_4GB: c_int = MAP_ALIGNED(32);
/// Aligned to 1 TiB. mmap(2).
pub const MAP_ALIGNMENT_1TB: c_int = MAP_ALIGNED(40);
/// Aligned to 256 TiB. mmap(2).
pub const MAP_ALIGNMENT_256TB: c_int = MAP_ALIGNED(48);
/// Aligned to 64 PiB. mmap(2).
pub const MAP_ALIGNMENT_64PB: c_int = MAP_ALIGNED(56);

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
/// Asks the system to reserve room for the pages; not implemented. madvise(2).
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
/// Drop cached copies, so that the next use reads the file. msync(2).
pub const MS_INVALIDATE: c_int = 2;
/// Write and wait. msync(2).
pub const MS_SYNC: c_int = 4;

// mlockall(2).

/// Lock what is mapped now. mlockall(2).
pub const MCL_CURRENT: c_int = 1;
/// Lock what will be mapped in the future. mlockall(2).
pub const MCL_FUTURE: c_int = 2;

// minherit(2).

/// A child shares the pages. minherit(2).
pub const MAP_INHERIT_SHARE: c_int = 0;
/// A child gets a copy. minherit(2).
pub const MAP_INHERIT_COPY: c_int = 1;
/// A child does not have the pages. minherit(2).
pub const MAP_INHERIT_NONE: c_int = 2;
/// Was meant to move the pages to the child; never implemented. minherit(2).
pub const MAP_INHERIT_DONATE_COPY: c_int = 3;
/// A child sees zeros. minherit(2).
pub const MAP_INHERIT_ZERO: c_int = 4;
/// The behaviour without `minherit`. minherit(2).
pub const MAP_INHERIT_DEFAULT: c_int = MAP_INHERIT_COPY;

// memfd_create(2).

/// Close on exec. memfd_create(2).
pub const MFD_CLOEXEC: c_uint = 0x1;
/// Allow seals. memfd_create(2).
pub const MFD_ALLOW_SEALING: c_uint = 0x2;
/// Close on fork. memfd_create(2).
pub const MFD_CLOFORK: c_uint = 0x4;

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

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 28;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 28;

/// Aligned to `1 << n` bytes, for `n` from 12 on. mmap(2).
#[must_use]
#[allow(non_snake_case, reason = "a macro's name in the header")]
pub const fn MAP_ALIGNED(n: c_int) -> c_int {
    n << MAP_ALIGNMENT_SHIFT
}

/// The rights that a later `mprotect` may give at most, under PaX. mmap(2).
#[must_use]
#[allow(non_snake_case, reason = "a macro's name in the header")]
pub const fn PROT_MPROTECT(x: c_int) -> c_int {
    x << 3
}

/// The protection that `PROT_MPROTECT` put in. `<sys/mman.h>`.
#[must_use]
#[allow(non_snake_case, reason = "a macro's name in the header")]
pub const fn PROT_MPROTECT_EXTRACT(x: c_int) -> c_int {
    (x >> 3) & 0x7
}

pub use crate::posix::{
    fcntl, ftruncate, madvise, mlock, mlockall, mmap, mprotect, munlock, munlockall, munmap,
    posix_fallocate, posix_madvise, shm_open, shm_unlink, sysconf,
};

unsafe extern "C" {
    /// Writes changed pages of a file mapping back to the file, or drops cached copies of it.
    ///
    /// The symbol is `__msync13`: plain `msync` is the call of NetBSD before 1.3, which takes no
    /// flags, and it would link without a warning. Source: msync(2).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EBUSY` for `MS_INVALIDATE` on locked pages, `EINVAL` for an
    /// unaligned address or bad flags, `EIO` when writing failed, `EFAULT` or `ENOMEM` for pages
    /// that are not mapped.
    ///
    /// # Safety
    /// The range must be the caller's own; with `MS_INVALIDATE` its content may change.
    #[doc(alias = "__msync13")]
    #[link_name = "__msync13"]
    pub fn msync(addr: *mut c_void, len: size_t, flags: c_int) -> c_int;

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

    /// Grows, shrinks, moves or, with `MAP_REMAPDUP`, duplicates a mapping: `old_size` bytes at
    /// `old_address` become `new_size` bytes at the address returned; `flags` are of `MAP_FIXED`,
    /// `MAP_REMAPDUP` and `MAP_ALIGNED`. Source: mremap(2).
    ///
    /// # Errors
    /// Returns `MAP_FAILED` and sets `errno`: `EINVAL` for unaligned addresses, a size of zero or
    /// bad flags, `ENOMEM` if there is no room.
    ///
    /// # Safety
    /// Without `MAP_REMAPDUP`, the old range is unmapped; with `MAP_FIXED`, whatever was mapped at
    /// the new address is unmapped too.
    pub fn mremap(
        old_address: *mut c_void,
        old_size: size_t,
        new_address: *mut c_void,
        new_size: size_t,
        flags: c_int,
    ) -> *mut c_void;

    /// Creates an anonymous file in memory and returns its descriptor. Source: memfd_create(2),
    /// since NetBSD 11.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EFAULT` for a bad `name`, `EINVAL` for bad flags or a name
    /// that is too long, `EMFILE`, `ENFILE`, `ENOMEM`.
    ///
    /// # Safety
    /// `name` must point to a string that ends in NUL.
    pub fn memfd_create(name: *const c_char, flags: c_uint) -> c_int;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); the C library's `__errno`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__errno"))]
    #[link_name = "__errno"]
    pub fn errno_location() -> *mut c_int;
}
