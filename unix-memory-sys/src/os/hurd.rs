//! GNU Hurd.
//!
//! Checked against bits/mman.h and sysdeps/mach/hurd/bits/mman_ext.h of glibc. `PROT_READ` is 4 and
//! `PROT_EXEC` is 1, as in Mach; `MAP_PRIVATE`, `MAP_FILE` and `MS_SYNC` also differ from Linux.

use crate::types::{c_char, c_int, c_uchar, c_void, size_t};

/// A file offset or size in bytes; 64 bits wide on i686 too.
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
pub const PROT_READ: c_int = 4;
/// Pages may be written. mprotect(2).
pub const PROT_WRITE: c_int = 2;
/// Pages may be executed. mprotect(2).
pub const PROT_EXEC: c_int = 1;

// mmap(2).

/// Maps a file. `<bits/mman.h>`.
pub const MAP_FILE: c_int = 0x1;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANON: c_int = 0x2;
/// The same as `MAP_ANON`. mmap(2).
pub const MAP_ANONYMOUS: c_int = MAP_ANON;
/// The mask of `MAP_FILE` and `MAP_ANON`. `<bits/mman.h>`.
pub const MAP_TYPE: c_int = 0xf;
/// Writes go to a private copy. mmap(2).
pub const MAP_PRIVATE: c_int = 0x0;
/// Writes reach the object and every other mapping of it. mmap(2).
pub const MAP_SHARED: c_int = 0x10;
/// A copy of the object's current content. `<bits/mman.h>`.
pub const MAP_COPY: c_int = 0x20;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x100;
/// Was meant to keep the file from growing; has no effect. `<sys/mman.h>`.
pub const MAP_NOEXTEND: c_int = 0x200;
/// The memory may hold semaphores. mmap(2).
pub const MAP_HASSEMAPHORE: c_int = 0x400;
/// Was meant to keep the mapping across exec; has no effect. `<sys/mman.h>`.
pub const MAP_INHERIT: c_int = 0x800;
/// In the first 2 GiB of the address space. `<bits/mman_ext.h>`.
pub const MAP_32BIT: c_int = 0x1000;
/// No swap space is reserved. mmap(2).
pub const MAP_NORESERVE: c_int = 0x2000;
/// With `MAP_FIXED`: an error if something is mapped there already. `<bits/mman_ext.h>`.
pub const MAP_EXCL: c_int = 0x4000;
/// At this address, or an error; the BSDs' name. `<bits/mman_ext.h>`.
pub const MAP_TRYFIXED: c_int = MAP_FIXED | MAP_EXCL;
/// At this address, or an error; Linux's name. `<bits/mman_ext.h>`.
pub const MAP_FIXED_NOREPLACE: c_int = MAP_FIXED | MAP_EXCL;

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

// mremap(2).

/// The mapping may move. mremap(2).
pub const MREMAP_MAYMOVE: c_int = 1;
/// Move to the given address, replacing what is mapped there. mremap(2).
pub const MREMAP_FIXED: c_int = 2;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 30;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 30;

/// Passed in place of a name: an anonymous shared memory object. `<bits/mman_ext.h>`.
pub const SHM_ANON: *const c_char = core::ptr::without_provenance(1);

pub use crate::posix::{
    fcntl, madvise, mlock, mlockall, mprotect, msync, munlock, munlockall, munmap, posix_madvise,
    shm_open, shm_unlink, sysconf,
};

unsafe extern "C" {
    /// Sets the length of the file or shared memory object behind `fd` to `length` bytes: bytes
    /// beyond it are cut off, and new bytes are zeros.
    ///
    /// The symbol is `ftruncate64`, whose length has 64 bits on 32-bit targets too. Source:
    /// ftruncate(2).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: see ftruncate(2).
    ///
    /// # Safety
    /// Mappings of the object lose the pages that are cut off: touching one raises SIGBUS.
    #[doc(alias = "ftruncate64")]
    #[link_name = "ftruncate64"]
    pub fn ftruncate(fd: c_int, length: off_t) -> c_int;

    /// Maps `len` bytes of the object behind `fd`, from `offset` on, or of memory without an object
    /// (`MAP_ANONYMOUS`), into the address space, and returns the address.
    ///
    /// The symbol is `mmap64`, whose offset has 64 bits on i686 too. Source: mmap(2).
    ///
    /// # Errors
    /// Returns `MAP_FAILED` and sets `errno`: see mmap(2).
    ///
    /// # Safety
    /// With `MAP_FIXED`, whatever was mapped there is replaced. The caller must justify references
    /// into the result: others may write to the object behind it, or truncate it.
    #[doc(alias = "mmap64")]
    #[link_name = "mmap64"]
    pub fn mmap(
        addr: *mut c_void,
        len: size_t,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: off_t,
    ) -> *mut c_void;

    /// Grows, shrinks or moves a mapping: `old_size` bytes at `old_address` become `new_size`
    /// bytes at the address returned. With `MREMAP_FIXED` a fifth argument, `*mut c_void`, is the
    /// new address. Source: mremap(2), since glibc 2.32.
    ///
    /// # Errors
    /// Returns `MAP_FAILED` and sets `errno`: `EINVAL` for unaligned addresses, a size of zero or
    /// bad flags, `EFAULT` for a range that is not mapped, `ENOMEM` if there is no room.
    ///
    /// # Safety
    /// The old range is unmapped, and with `MREMAP_FIXED`, whatever was mapped at the new address
    /// is unmapped too.
    pub fn mremap(
        old_address: *mut c_void,
        old_size: size_t,
        new_size: size_t,
        flags: c_int,
        ...
    ) -> *mut c_void;

    /// Exists for old programs: in glibc it always fails with `ENOSYS` here. Source: mincore(2).
    ///
    /// # Errors
    /// Returns -1 and sets `errno` to `ENOSYS`.
    ///
    /// # Safety
    /// `vec` must be valid for writes of a byte per page, rounded up.
    pub fn mincore(addr: *mut c_void, len: size_t, vec: *mut c_uchar) -> c_int;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the
    /// thread lives. Source: errno(3); glibc's `__errno_location`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__errno_location"))]
    #[link_name = "__errno_location"]
    pub fn errno_location() -> *mut c_int;
}
