//! QNX Neutrino.
//!
//! `PROT_READ` is 0x100. Values that the crate libc lacks (`MAP_PHYS`, `MAP_LAZY` and the like) are those of
//! the header of Neutrino 6, which is public; newer releases document them under the same names. There is no
//! madvise and no mincore.
//!
//! # What later releases removed
//!
//! rustc's targets are 7.0, 7.1 and 8.0. Names of Neutrino 6 that one of them may lack are left out:
//!
//! | name | why |
//! |---|---|
//! | `MAP_NOX64K`, `MAP_BELOW16M` | "no longer supported" since 7.0: QNX SDP 7.0 Migration Guide, "Kernel and process manager"; a header of 2021 gives the bits, 0x20000 and 0x40000, other meanings |
//! | `MAP_PRIVATEANON` | both sharing types at once: since 7.0 `mmap` demands one of the two (the same page) |
//! | `MAP_NOSYNCFILE` | 0x40 in Neutrino 6, and 0, without effect, in that header of 2021 |
//! | `MAP_TYPE`, on 7.0 alone | 0xf in Neutrino 6, 3 in the crate libc and in that header |
//!
//! `MAP_NOINIT` is also "no longer supported" since 7.0 (the same page), but it is still defined.

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
pub const PROT_READ: c_int = 0x100;
/// Pages may be written. mprotect(2).
pub const PROT_WRITE: c_int = 0x200;
/// Pages may be executed. mprotect(2).
pub const PROT_EXEC: c_int = 0x400;
/// Pages are not cached. mmap(), QNX C library reference.
pub const PROT_NOCACHE: c_int = 0x800;
/// The mask of the protection bits. `<sys/mman.h>`.
pub const PROT_MASK: c_int = 0xf00;

// mmap(2).

/// Maps a file: the default, without effect. mmap(2).
pub const MAP_FILE: c_int = 0x0;
/// Writes reach the object and every other mapping of it. mmap(2).
pub const MAP_SHARED: c_int = 0x1;
/// Writes go to a private copy. mmap(2).
pub const MAP_PRIVATE: c_int = 0x2;
/// The mask of the sharing types. `<sys/mman.h>`, since QNX 7.1 with this value.
#[cfg(not(target_env = "nto70"))]
pub const MAP_TYPE: c_int = 0x3;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x10;
/// For the loader: relocations in an ELF file. `<sys/mman.h>`.
pub const MAP_ELF: c_int = 0x20;
/// Pages may be brought in when they are used. mmap(), QNX C library reference.
pub const MAP_LAZY: c_int = 0x80;
/// For a stack. mmap(2).
pub const MAP_STACK: c_int = 0x1000;
/// Below the given address. mmap(), QNX C library reference.
pub const MAP_BELOW: c_int = 0x2000;
/// Not cleared; without effect since QNX 7.0. `<sys/mman.h>`.
pub const MAP_NOINIT: c_int = 0x4000;
/// Maps physical memory: at the address that the offset gives, or, with `MAP_ANON`, a contiguous piece.
/// mmap(), QNX C library reference.
pub const MAP_PHYS: c_int = 0x0001_0000;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANONYMOUS: c_int = 0x0008_0000;
/// The same as `MAP_ANONYMOUS`. mmap(2).
pub const MAP_ANON: c_int = MAP_ANONYMOUS;
/// The memory is system RAM. `<sys/mman.h>`.
pub const MAP_SYSRAM: c_int = 0x0100_0000;

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

// msync(2).

/// Start writing and return. msync(2).
pub const MS_ASYNC: c_int = 1;
/// Write and wait. msync(2).
pub const MS_SYNC: c_int = 2;
/// Drop cached copies, so that the next use reads the file. msync(2).
pub const MS_INVALIDATE: c_int = 4;
/// Make the instruction cache see what was written. msync(), QNX C library reference.
pub const MS_INVALIDATE_ICACHE: c_int = 0x0100_0000;
/// Only the processor's caches. msync(), QNX C library reference.
pub const MS_CACHE_ONLY: c_int = 0x0200_0000;

// mlockall(2).

/// Lock what is mapped now. mlockall(2).
pub const MCL_CURRENT: c_int = 1;
/// Lock what will be mapped in the future. mlockall(2).
pub const MCL_FUTURE: c_int = 2;

// posix_typed_mem_open(3).

/// `mmap` of the descriptor allocates memory of this type. posix_typed_mem_open(3).
pub const POSIX_TYPED_MEM_ALLOCATE: c_int = 1;
/// The same, contiguous in physical memory. posix_typed_mem_open(3).
pub const POSIX_TYPED_MEM_ALLOCATE_CONTIG: c_int = 2;
/// `mmap` of the descriptor maps memory of this type, which may still be allocated.
/// posix_typed_mem_open(3).
pub const POSIX_TYPED_MEM_MAP_ALLOCATABLE: c_int = 4;

// sysconf(3).

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 11;
/// Another name for `_SC_PAGESIZE`. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 11;

/// Passed in place of a name: an anonymous shared memory object. shm_open(), QNX C library reference.
pub const SHM_ANON: *mut c_char = !0usize as *mut c_char;

pub use crate::posix::{
    fcntl, mlock, mlockall, mprotect, msync, munlock, munlockall, munmap, posix_madvise, shm_open,
    shm_unlink, sysconf,
};

unsafe extern "C" {
    /// Sets the length of the file or shared memory object behind `fd` to `length` bytes: bytes beyond it are
    /// cut off, and new bytes are zeros.
    ///
    /// On 32-bit x86 the symbol is `ftruncate64`, whose length has 64 bits. Source: ftruncate(2).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: see ftruncate(2).
    ///
    /// # Safety
    /// Mappings of the object lose the pages that are cut off: touching one raises SIGBUS.
    #[doc(alias = "ftruncate64")]
    #[cfg_attr(target_pointer_width = "32", link_name = "ftruncate64")]
    pub fn ftruncate(fd: c_int, length: off_t) -> c_int;

    /// Maps `len` bytes of the object behind `fd`, from `offset` on, or of memory without an object
    /// (`MAP_ANONYMOUS`), into the address space, and returns the address.
    ///
    /// On 32-bit x86 the symbol is `mmap64`, whose offset has 64 bits. Source: mmap(2).
    ///
    /// # Errors
    /// Returns `MAP_FAILED` and sets `errno`: see mmap(2).
    ///
    /// # Safety
    /// With `MAP_FIXED`, whatever was mapped there is replaced. The caller must justify references into the
    /// result: others may write to the object behind it, or truncate it.
    #[doc(alias = "mmap64")]
    #[cfg_attr(target_pointer_width = "32", link_name = "mmap64")]
    pub fn mmap(
        addr: *mut c_void,
        len: size_t,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: off_t,
    ) -> *mut c_void;

    /// Opens the typed memory object `name` and returns a file descriptor; `tflag` is at most one of
    /// `POSIX_TYPED_MEM_`. Source: posix_typed_mem_open(3), POSIX.1-2017.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EACCES`, `EINVAL` for bad flags, `EMFILE`, `ENAMETOOLONG`,
    /// `ENFILE`, `ENOENT`, `EPERM`.
    ///
    /// # Safety
    /// `name` must point to a string that ends in NUL.
    pub fn posix_typed_mem_open(name: *const c_char, oflag: c_int, tflag: c_int) -> c_int;

    /// Writes how much of the typed memory object behind `fd` could be allocated to `info`, a
    /// `struct posix_typed_mem_info`: its first field is a length in bytes, of the type `size_t`, and
    /// reserved fields follow (in Neutrino 6, it has 24 bytes in all). Source:
    /// posix_typed_mem_get_info(3), POSIX.1-2017.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EBADF`, `ENODEV` if `fd` does not refer to typed memory.
    ///
    /// # Safety
    /// `info` must be valid for writes of the struct.
    pub fn posix_typed_mem_get_info(fd: c_int, info: *mut c_void) -> c_int;

    /// Finds the object that the memory at `addr` belongs to: writes the object to `fd`, the offset in it to
    /// `offset`, and how many of `len` bytes are contiguous there to `contiguous`.
    ///
    /// On 32-bit x86 the symbol is `posix_mem_offset64`, whose offset has 64 bits. Source:
    /// posix_mem_offset(3), POSIX.1-2017.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EACCES` for memory that is not mapped.
    ///
    /// # Safety
    /// `offset`, `contiguous` and `fd` must be valid for writes.
    #[doc(alias = "posix_mem_offset64")]
    #[cfg_attr(target_pointer_width = "32", link_name = "posix_mem_offset64")]
    pub fn posix_mem_offset(
        addr: *const c_void,
        len: size_t,
        offset: *mut off_t,
        contiguous: *mut size_t,
        fd: *mut c_int,
    ) -> c_int;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the thread
    /// lives. Source: errno(3); the C library's `__get_errno_ptr`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__get_errno_ptr"))]
    #[link_name = "__get_errno_ptr"]
    pub fn errno_location() -> *mut c_int;
}
