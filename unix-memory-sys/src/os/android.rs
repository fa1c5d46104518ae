//! Android: the kernel is Linux, the C library is Bionic.
//!
//! Checked against the kernel's headers as Bionic carries them (libc/kernel/uapi), Bionic's `<sys/mman.h>`
//! and `<bits/sysconf.h>`, and its list of exports, libc.map.txt. Values that depend on the architecture are
//! shared with Linux. There is no shm_open and no remap_file_pages. mlock2, memfd_create and what came after
//! API level 21 are system calls, as on Linux, except for posix_madvise: it is in the library since API level
//! 23, and a program for an older level does not link with it.

#[path = "linux/arch/mod.rs"]
mod arch;
#[path = "linux/block.rs"]
mod block;
#[path = "linux/cache.rs"]
mod cache;
#[path = "linux/fallocate.rs"]
mod fallocate;
#[path = "linux/ioctl.rs"]
mod ioctl;
#[path = "linux/numa.rs"]
mod numa;
#[path = "linux/number.rs"]
mod number;
#[path = "linux/pagemap.rs"]
mod pagemap;
#[path = "linux/prctl.rs"]
mod prctl;
#[path = "linux/procmap.rs"]
mod procmap;
#[path = "linux/syscall.rs"]
mod syscall;
#[cfg(test)]
#[path = "linux/testing.rs"]
mod testing;
#[path = "linux/userfaultfd.rs"]
mod userfaultfd;

pub use arch::*;
pub use block::*;
pub use cache::*;
pub use fallocate::*;
pub use ioctl::*;
pub use numa::*;
pub use pagemap::*;
pub use prctl::*;
pub use procmap::*;
pub use syscall::*;
pub use userfaultfd::*;

use crate::types::{c_int, c_long, c_uint, c_void, size_t};

/// A file offset or size in bytes; 64 bits wide on every target.
///
/// libc's type of this name has 32 bits on 32-bit targets (armv7 and i686 among them): convert.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type off_t = i64;
/// The permission bits of a new file: 16 bits wide on 32-bit targets.
#[cfg(target_pointer_width = "32")]
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type mode_t = u16;
/// The permission bits of a new file.
#[cfg(target_pointer_width = "64")]
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type mode_t = u32;

/// What `mmap` and `mremap` return when they fail. mmap(2).
pub const MAP_FAILED: *mut c_void = !0usize as *mut c_void;

// madvise(2): <asm-generic/mman-common.h>.

/// No special treatment: the default. madvise(2).
pub const MADV_NORMAL: c_int = 0;
/// Pages will be used in random order: reading ahead helps little. madvise(2).
pub const MADV_RANDOM: c_int = 1;
/// Pages will be used in ascending order: read well ahead, free soon after. madvise(2).
pub const MADV_SEQUENTIAL: c_int = 2;
/// Pages will be used soon: read ahead now. madvise(2).
pub const MADV_WILLNEED: c_int = 3;
/// Drops the pages at once, which is not a mere hint: afterwards private anonymous memory reads as zeros, and
/// file mappings read what the file contains. madvise(2).
pub const MADV_DONTNEED: c_int = 4;
/// Lets the kernel free the pages when it needs memory, unless they are written to first; until they are,
/// they may read as before or as zeros. madvise(2), since Linux 4.5.
pub const MADV_FREE: c_int = 8;
/// Frees the pages and the storage behind them (punches a hole). madvise(2), since Linux 2.6.16.
pub const MADV_REMOVE: c_int = 9;
/// The pages are absent in a child after fork. madvise(2), since Linux 2.6.16.
pub const MADV_DONTFORK: c_int = 10;
/// Undoes `MADV_DONTFORK`. madvise(2), since Linux 2.6.16.
pub const MADV_DOFORK: c_int = 11;
/// Lets the kernel merge equal pages (KSM). madvise(2), since Linux 2.6.32.
pub const MADV_MERGEABLE: c_int = 12;
/// Undoes `MADV_MERGEABLE`, and the merges. madvise(2), since Linux 2.6.32.
pub const MADV_UNMERGEABLE: c_int = 13;
/// Asks for transparent huge pages. madvise(2), since Linux 2.6.38.
pub const MADV_HUGEPAGE: c_int = 14;
/// Asks the kernel not to use transparent huge pages. madvise(2), since Linux 2.6.38.
pub const MADV_NOHUGEPAGE: c_int = 15;
/// Leaves the pages out of core dumps. madvise(2), since Linux 3.4.
pub const MADV_DONTDUMP: c_int = 16;
/// Undoes `MADV_DONTDUMP`. madvise(2), since Linux 3.4.
pub const MADV_DODUMP: c_int = 17;
/// A child sees zeros in the pages after fork. madvise(2), since Linux 4.14.
pub const MADV_WIPEONFORK: c_int = 18;
/// Undoes `MADV_WIPEONFORK`. madvise(2), since Linux 4.14.
pub const MADV_KEEPONFORK: c_int = 19;
/// The pages are the first to reclaim when memory is short. madvise(2), since Linux 5.4.
pub const MADV_COLD: c_int = 20;
/// Reclaims the pages now: writes them to swap or to their file. madvise(2), since Linux 5.4.
pub const MADV_PAGEOUT: c_int = 21;
/// Brings the pages in, readable, and reports a failure. madvise(2), since Linux 5.14.
pub const MADV_POPULATE_READ: c_int = 22;
/// Brings the pages in, writable, and reports a failure. madvise(2), since Linux 5.14.
pub const MADV_POPULATE_WRITE: c_int = 23;
/// Like `MADV_DONTNEED`, for locked pages too. madvise(2), since Linux 5.18.
pub const MADV_DONTNEED_LOCKED: c_int = 24;
/// Turns the existing small pages into huge pages at once. madvise(2), since Linux 6.1.
pub const MADV_COLLAPSE: c_int = 25;
/// Treats the pages as if the hardware had found them broken; privileged, for tests. madvise(2),
/// since Linux 2.6.32.
pub const MADV_HWPOISON: c_int = 100;
/// Makes the pages guards: any access raises SIGSEGV. No mapping is split for it. madvise(2), since Linux
/// 6.13.
pub const MADV_GUARD_INSTALL: c_int = 102;
/// Undoes `MADV_GUARD_INSTALL`; the pages read as zeros. madvise(2), since Linux 6.13.
pub const MADV_GUARD_REMOVE: c_int = 103;

// posix_madvise(3): <sys/mman.h>.

/// No special treatment. posix_madvise(3).
pub const POSIX_MADV_NORMAL: c_int = 0;
/// Pages will be used in random order. posix_madvise(3).
pub const POSIX_MADV_RANDOM: c_int = 1;
/// Pages will be used in ascending order. posix_madvise(3).
pub const POSIX_MADV_SEQUENTIAL: c_int = 2;
/// Pages will be used soon. posix_madvise(3).
pub const POSIX_MADV_WILLNEED: c_int = 3;
/// Pages will not be used soon. Bionic ignores it, so the content stays. posix_madvise(3).
pub const POSIX_MADV_DONTNEED: c_int = 4;

// msync(2): <asm-generic/mman-common.h>.

/// Start writing and return; on Linux since 2.6.19 this does nothing. msync(2).
pub const MS_ASYNC: c_int = 1;
/// Make other mappings of the file see the new content. msync(2).
pub const MS_INVALIDATE: c_int = 2;
/// Write and wait. msync(2).
pub const MS_SYNC: c_int = 4;

// mlock2(2), mremap(2): <linux/mman.h>.

/// Lock pages when they are brought in, but bring none in now. mlock2(2), since Linux 4.4.
pub const MLOCK_ONFAULT: c_uint = 1;
/// The mapping may move. mremap(2).
pub const MREMAP_MAYMOVE: c_int = 1;
/// Move to the given address, replacing what is mapped there. mremap(2).
pub const MREMAP_FIXED: c_int = 2;
/// Move the pages and leave the old range mapped, empty. mremap(2), since Linux 5.7.
pub const MREMAP_DONTUNMAP: c_int = 4;

// memfd_create(2): <linux/memfd.h>; its seals: <linux/fcntl.h>.

/// Close on exec. memfd_create(2), since Linux 3.17.
pub const MFD_CLOEXEC: c_uint = 0x0001;
/// Allow seals. memfd_create(2), since Linux 3.17.
pub const MFD_ALLOW_SEALING: c_uint = 0x0002;
/// Back the file with huge pages. memfd_create(2), since Linux 4.14.
pub const MFD_HUGETLB: c_uint = 0x0004;
/// Not executable, and sealed to stay so. memfd_create(2), since Linux 6.3.
pub const MFD_NOEXEC_SEAL: c_uint = 0x0008;
/// Executable. memfd_create(2), since Linux 6.3.
pub const MFD_EXEC: c_uint = 0x0010;

/// With `MFD_HUGETLB`: the lowest bit of the field that holds the binary logarithm of the page
/// size. memfd_create(2), since Linux 4.14.
pub const MFD_HUGE_SHIFT: c_uint = 26;
/// The mask of that field, before the shift. memfd_create(2), since Linux 4.14.
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

// fcntl(2): <linux/fcntl.h>.

/// The `fcntl` command that adds seals. fcntl(2), since Linux 3.17.
pub const F_ADD_SEALS: c_int = 1033;
/// The `fcntl` command that returns the seals. fcntl(2), since Linux 3.17.
pub const F_GET_SEALS: c_int = 1034;
/// No more seals. fcntl(2), since Linux 3.17.
pub const F_SEAL_SEAL: c_int = 1;
/// The file cannot shrink. fcntl(2), since Linux 3.17.
pub const F_SEAL_SHRINK: c_int = 2;
/// The file cannot grow. fcntl(2), since Linux 3.17.
pub const F_SEAL_GROW: c_int = 4;
/// The content cannot change; refused while a writable shared mapping exists. fcntl(2), since
/// Linux 3.17.
pub const F_SEAL_WRITE: c_int = 8;
/// The content changes only through existing mappings. fcntl(2), since Linux 5.1.
pub const F_SEAL_FUTURE_WRITE: c_int = 16;
/// The permission to execute cannot change. fcntl(2), since Linux 6.3.
pub const F_SEAL_EXEC: c_int = 32;

// pkey_alloc(2): <asm-generic/mman-common.h>; more of them in `arch/`.

/// A key that forbids nothing. `<asm/mman.h>`.
pub const PKEY_UNRESTRICTED: c_int = 0;
/// A key that forbids reading and writing. pkey_alloc(2), since Linux 4.9.
pub const PKEY_DISABLE_ACCESS: c_int = 1;
/// A key that forbids writing. pkey_alloc(2), since Linux 4.9.
pub const PKEY_DISABLE_WRITE: c_int = 2;

// mmap(2): <linux/mman.h>; more of them in `arch/`.

/// With `MAP_HUGETLB`: the lowest bit of the field that holds the binary logarithm of the page
/// size. mmap(2), since Linux 3.8.
pub const MAP_HUGE_SHIFT: c_int = 26;
/// The mask of that field, before the shift. mmap(2), since Linux 3.8.
pub const MAP_HUGE_MASK: c_int = 0x3f;
/// Pages of 16 KiB. mmap(2).
pub const MAP_HUGE_16KB: c_int = 14 << MAP_HUGE_SHIFT;
/// Pages of 64 KiB. mmap(2).
pub const MAP_HUGE_64KB: c_int = 16 << MAP_HUGE_SHIFT;
/// Pages of 512 KiB. mmap(2).
pub const MAP_HUGE_512KB: c_int = 19 << MAP_HUGE_SHIFT;
/// Pages of 1 MiB. mmap(2).
pub const MAP_HUGE_1MB: c_int = 20 << MAP_HUGE_SHIFT;
/// Pages of 2 MiB. mmap(2).
pub const MAP_HUGE_2MB: c_int = 21 << MAP_HUGE_SHIFT;
/// Pages of 8 MiB. mmap(2).
pub const MAP_HUGE_8MB: c_int = 23 << MAP_HUGE_SHIFT;
/// Pages of 16 MiB. mmap(2).
pub const MAP_HUGE_16MB: c_int = 24 << MAP_HUGE_SHIFT;
/// Pages of 32 MiB. mmap(2).
pub const MAP_HUGE_32MB: c_int = 25 << MAP_HUGE_SHIFT;
/// Pages of 256 MiB. mmap(2).
pub const MAP_HUGE_256MB: c_int = 28 << MAP_HUGE_SHIFT;
/// Pages of 512 MiB. mmap(2).
pub const MAP_HUGE_512MB: c_int = 29 << MAP_HUGE_SHIFT;
/// Pages of 1 GiB. mmap(2).
pub const MAP_HUGE_1GB: c_int = 30 << MAP_HUGE_SHIFT;
/// Pages of 2 GiB. mmap(2).
pub const MAP_HUGE_2GB: c_int = 31 << MAP_HUGE_SHIFT;
/// Pages of 16 GiB. mmap(2).
#[allow(clippy::cast_possible_wrap, reason = "the header's bits, in an int")]
pub const MAP_HUGE_16GB: c_int = 0x8800_0000_u32 as c_int;

// sysconf(3): <bits/sysconf.h>.

/// The `sysconf` name of the page size in bytes. sysconf(3).
pub const _SC_PAGESIZE: c_int = 0x27;
/// Another name for `_SC_PAGESIZE`, with a value of its own. sysconf(3).
pub const _SC_PAGE_SIZE: c_int = 0x28;

pub use crate::posix::{
    fcntl, madvise, mincore, mlock, mlockall, mprotect, msync, munlock, munlockall, munmap,
    posix_madvise, sysconf,
};

unsafe extern "C" {
    /// Sets the length of the file or shared memory object behind `fd` to `length` bytes: bytes beyond it are
    /// cut off, and new bytes are zeros.
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
    /// The symbol is `mmap64`, whose offset has 64 bits on 32-bit targets too. Source: mmap(2).
    ///
    /// # Errors
    /// Returns `MAP_FAILED` and sets `errno`: see mmap(2).
    ///
    /// # Safety
    /// With `MAP_FIXED`, whatever was mapped there is replaced. The caller must justify references into the
    /// result: others may write to the object behind it, or truncate it.
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
    /// bytes at the address returned. With `MREMAP_FIXED` or `MREMAP_DONTUNMAP` a fifth argument,
    /// `*mut c_void`, is the new address. Source: mremap(2).
    ///
    /// # Errors
    /// Returns `MAP_FAILED` and sets `errno`: `EAGAIN` over the limit on locked memory, `EFAULT` for a
    /// range that is not mapped, `EINVAL` for unaligned addresses, a `new_size` of zero or bad flags,
    /// `ENOMEM` if there is no room to grow in place, without `MREMAP_MAYMOVE`.
    ///
    /// # Safety
    /// The old range is unmapped, and with `MREMAP_FIXED`, whatever was mapped at the new address is
    /// unmapped too.
    pub fn mremap(
        old_address: *mut c_void,
        old_size: size_t,
        new_size: size_t,
        flags: c_int,
        ...
    ) -> *mut c_void;

    /// Returns a pointer to the calling thread's `errno`, valid for reads and writes as long as the thread
    /// lives. Source: errno(3); Bionic's `__errno`.
    ///
    /// # Safety
    /// The result must not be used from another thread.
    #[doc(alias("errno", "__errno"))]
    #[link_name = "__errno"]
    pub fn errno_location() -> *mut c_int;

    /// The C library's function that makes a system call by its number.
    fn syscall(number: c_long, ...) -> c_long;
}
