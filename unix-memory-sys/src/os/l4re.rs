//! L4Re, with uClibc.
//!
//! Checked against the `<bits/mman-linux.h>` and `<bits/mman.h>` of its uClibc and against the calls that its
//! libc_backends define (lib/l4re_file/mmap.cc and file.cc): mprotect, msync and madvise exist, but do
//! little. The headers also declare remap_file_pages, mremap, mincore and the pkey_ calls, which no library
//! defines.

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
/// Extend the change to the start of a mapping that grows down. mprotect(2).
pub const PROT_GROWSDOWN: c_int = 0x0100_0000;
/// Extend the change to the end of a mapping that grows up. mprotect(2).
pub const PROT_GROWSUP: c_int = 0x0200_0000;

// mmap(2).

/// Maps a file: the default, without effect. mmap(2).
pub const MAP_FILE: c_int = 0x0;
/// Writes reach the object and every other mapping of it. mmap(2).
pub const MAP_SHARED: c_int = 0x1;
/// Writes go to a private copy. mmap(2).
pub const MAP_PRIVATE: c_int = 0x2;
/// The mask of the sharing types. `<sys/mman.h>`.
pub const MAP_TYPE: c_int = 0xf;
/// In the low part of the address space, which 32-bit pointers reach. mmap(2).
pub const MAP_32BIT: c_int = 0x40;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x10;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANON: c_int = 0x20;
/// The same as `MAP_ANON`. mmap(2).
pub const MAP_ANONYMOUS: c_int = MAP_ANON;
/// A stack: grows down when memory below it is touched. `<sys/mman.h>`.
pub const MAP_GROWSDOWN: c_int = 0x100;
/// Ignored. `<sys/mman.h>`.
pub const MAP_DENYWRITE: c_int = 0x800;
/// Ignored. `<sys/mman.h>`.
pub const MAP_EXECUTABLE: c_int = 0x1000;
/// Locked as if by `mlock`. `<sys/mman.h>`.
pub const MAP_LOCKED: c_int = 0x2000;
/// No swap space is reserved. mmap(2).
pub const MAP_NORESERVE: c_int = 0x4000;
/// Pages are brought in now. `<sys/mman.h>`.
pub const MAP_POPULATE: c_int = 0x8000;
/// With `MAP_POPULATE`: does not wait. `<sys/mman.h>`.
pub const MAP_NONBLOCK: c_int = 0x0001_0000;
/// For a stack. mmap(2).
pub const MAP_STACK: c_int = 0x0002_0000;

// mmap(2): sizes of huge pages.

/// In huge pages. `<sys/mman.h>`.
pub const MAP_HUGETLB: c_int = 0x0004_0000;

// mmap(2).

/// At this address, or an error. mmap(2).
pub const MAP_FIXED_NOREPLACE: c_int = 0x0010_0000;

// mmap(2): sizes of huge pages.

/// The lowest bit of the field that holds the binary logarithm of the page size. mmap(2).
pub const MAP_HUGE_SHIFT: c_int = 26;
/// The mask of that field, before the shift. mmap(2).
pub const MAP_HUGE_MASK: c_int = 0x3f;

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
pub const MADV_FREE: c_int = 8;
/// Frees the pages and the storage behind them, on systems that do so. madvise(2).
pub const MADV_REMOVE: c_int = 9;
/// The pages are absent in a child after fork. madvise(2).
pub const MADV_DONTFORK: c_int = 10;
/// Undoes `MADV_DONTFORK`. madvise(2).
pub const MADV_DOFORK: c_int = 11;
/// Lets the system merge equal pages. madvise(2).
pub const MADV_MERGEABLE: c_int = 12;
/// Undoes `MADV_MERGEABLE`. madvise(2).
pub const MADV_UNMERGEABLE: c_int = 13;
/// Asks for huge pages. madvise(2).
pub const MADV_HUGEPAGE: c_int = 14;
/// Asks the system not to use huge pages. madvise(2).
pub const MADV_NOHUGEPAGE: c_int = 15;
/// Leaves the pages out of core dumps. madvise(2).
pub const MADV_DONTDUMP: c_int = 16;
/// Undoes `MADV_DONTDUMP`. madvise(2).
pub const MADV_DODUMP: c_int = 17;
/// A child sees zeros in the pages after fork. madvise(2).
pub const MADV_WIPEONFORK: c_int = 18;
/// Undoes `MADV_WIPEONFORK`. madvise(2).
pub const MADV_KEEPONFORK: c_int = 19;
/// Treats the pages as broken, for tests. madvise(2).
pub const MADV_HWPOISON: c_int = 100;

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
/// With either of them: lock each page when it is brought in. mlockall(2).
pub const MCL_ONFAULT: c_int = 4;

// mlock2(2).

/// Lock pages when they are brought in, but bring none in now. mlock2(2).
pub const MLOCK_ONFAULT: c_uint = 1;

// mremap(2).

/// The mapping may move. mremap(2).
pub const MREMAP_MAYMOVE: c_int = 1;
/// Move to the given address, replacing what is mapped there. mremap(2).
pub const MREMAP_FIXED: c_int = 2;

// memfd_create(2).

/// Close on exec. memfd_create(2).
pub const MFD_CLOEXEC: c_uint = 0x1;
/// Allow seals. memfd_create(2).
pub const MFD_ALLOW_SEALING: c_uint = 0x2;
/// Back the file with huge pages. memfd_create(2).
pub const MFD_HUGETLB: c_uint = 0x4;

// pkey_alloc(2).

/// A key that forbids access. `<bits/mman-shared.h>`.
pub const PKEY_DISABLE_ACCESS: c_int = 1;
/// A key that forbids writing. `<bits/mman-shared.h>`.
pub const PKEY_DISABLE_WRITE: c_int = 2;

// fcntl(2): seals.

/// The `fcntl` command that adds seals. fcntl(2).
pub const F_ADD_SEALS: c_int = 1033;
/// The `fcntl` command that returns the seals. fcntl(2).
pub const F_GET_SEALS: c_int = 1034;
/// No more seals. fcntl(2).
pub const F_SEAL_SEAL: c_int = 1;
/// The file cannot shrink. fcntl(2).
pub const F_SEAL_SHRINK: c_int = 2;
/// The file cannot grow. fcntl(2).
pub const F_SEAL_GROW: c_int = 4;
/// The content cannot change. fcntl(2).
pub const F_SEAL_WRITE: c_int = 8;
/// New mappings cannot be written through. `<bits/fcntl-linux.h>`.
pub const F_SEAL_FUTURE_WRITE: c_int = 16;
/// The permission to execute cannot change. `<bits/fcntl-linux.h>`.
pub const F_SEAL_EXEC: c_int = 32;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 30;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 30;

pub use crate::posix::{
    fcntl, ftruncate, madvise, mlock, mlockall, mmap, mprotect, msync, munlock, munlockall, munmap,
    sysconf,
};

unsafe extern "C" {
    /// Does nothing and returns 0, as `mlock` does here: L4Re locks no pages yet. Source:
    /// libc_backends/lib/l4re_file/mmap.cc.
    ///
    /// # Errors
    /// None.
    ///
    /// # Safety
    /// There is none: nothing changes.
    pub fn mlock2(addr: *const c_void, len: size_t, flags: c_uint) -> c_int;

    /// Should create an anonymous file in memory and return its descriptor; on L4Re, it always fails so
    /// far. Source: libc_backends/lib/l4re_file/file.cc.
    ///
    /// # Errors
    /// Returns -1 and sets `errno` to `EPERM`.
    ///
    /// # Safety
    /// `name` must point to a string that ends in NUL.
    pub fn memfd_create(name: *const c_char, flags: c_uint) -> c_int;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the thread
    /// lives. Source: errno(3); uClibc's `__errno_location`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__errno_location"))]
    #[link_name = "__errno_location"]
    pub fn errno_location() -> *mut c_int;
}
