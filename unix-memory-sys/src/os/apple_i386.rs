//! The calls to which the system library of 32-bit x86 macOS gives other symbols: the plain symbols
//! there are the calls from before UNIX 03, which have other rules for unaligned addresses. Source:
//! `__DARWIN_ALIAS` in `<sys/cdefs.h>` of the macOS SDK.

use crate::os::off_t;
use crate::types::{c_int, c_void, size_t};

unsafe extern "C" {
    /// Maps `len` bytes of the object behind `fd`, from `offset` on, or of memory without an object
    /// (`MAP_ANONYMOUS`), into the address space, and returns the address.
    ///
    /// `addr` is a hint unless `MAP_FIXED` is given; `offset` is in bytes and a multiple of the
    /// page size. Source: mmap(2), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns `MAP_FAILED` and sets `errno`: `EACCES` if the file was not opened for the access in
    /// `prot`, `EAGAIN` over a limit on locked memory, `EBADF`, `EINVAL` for a length of zero, an
    /// unaligned offset or contradictory flags, `ENODEV` if the object cannot be mapped, `ENOMEM`
    /// if the address space has no room, `EOVERFLOW` or `ENXIO` if offset and length go beyond what
    /// the object can have.
    ///
    /// # Safety
    /// With `MAP_FIXED`, whatever was mapped there is replaced. The caller must justify references
    /// into the result: others may write to the object behind it, or truncate it.
    #[link_name = "mmap$UNIX2003"]
    pub fn mmap(
        addr: *mut c_void,
        len: size_t,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: off_t,
    ) -> *mut c_void;

    /// Sets the protection of all pages that hold a byte of `addr..addr + len` to `prot`.
    ///
    /// `addr` is a multiple of the page size; `len` is in bytes. Source: mprotect(2),
    /// POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EACCES` if the object was not opened for that access, `EINVAL`
    /// for an unaligned address or an unknown `prot` (musl rounds the address instead), `ENOMEM`
    /// for pages that are not mapped.
    ///
    /// # Safety
    /// References into the pages may only be used in ways that the new protection allows.
    #[link_name = "mprotect$UNIX2003"]
    pub fn mprotect(addr: *mut c_void, len: size_t, prot: c_int) -> c_int;

    /// Writes changed pages of a file mapping back to the file, or drops cached copies of it.
    ///
    /// `addr` is a multiple of the page size; `len` is in bytes; `flags` is `MS_SYNC` or
    /// `MS_ASYNC`, and may have `MS_INVALIDATE`. Source: msync(2), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EBUSY` for `MS_INVALIDATE` on locked pages, `EINVAL` for an
    /// unaligned address or bad flags, `EIO` when writing failed, `ENOMEM` for pages that are not
    /// mapped.
    ///
    /// # Safety
    /// The range must be the caller's own; with `MS_INVALIDATE` its content may change.
    #[link_name = "msync$UNIX2003"]
    pub fn msync(addr: *mut c_void, len: size_t, flags: c_int) -> c_int;

    /// Removes the mappings of all pages that hold a byte of `addr..addr + len`.
    ///
    /// `addr` is a multiple of the page size; `len`, in bytes, is rounded up to whole pages.
    /// Source: munmap(2), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EINVAL` for an unaligned address, a length of zero or a range
    /// outside the address space; on Linux `ENOMEM` when a split would make too many mappings.
    ///
    /// # Safety
    /// References and pointers into these pages must no longer be used.
    #[link_name = "munmap$UNIX2003"]
    pub fn munmap(addr: *mut c_void, len: size_t) -> c_int;
}
