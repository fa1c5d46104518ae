//! The calls that POSIX specifies, and the few others that all Unix systems share, as plain symbols.
//!
//! An unused declaration creates no reference to its symbol. So each file under `os/` re-exports the calls
//! that its system exports under their plain names, and declares the others itself. There are no values
//! here.

use crate::os::{mode_t, off_t};
use crate::types::{c_char, c_int, c_long, c_uchar, c_void, size_t};

unsafe extern "C" {
    /// Maps `len` bytes of the object behind `fd`, from `offset` on, or of memory without an object
    /// (`MAP_ANONYMOUS`), into the address space, and returns the address.
    ///
    /// `addr` is a hint unless `MAP_FIXED` is given; `offset` is in bytes and a multiple of the
    /// page size. Source: mmap(2), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns `MAP_FAILED` and sets `errno`: `EACCES` if the file was not opened for the access in `prot`,
    /// `EAGAIN` over a limit on locked memory, `EBADF`, `EINVAL` for a length of zero, an unaligned offset
    /// or contradictory flags, `ENODEV` if the object cannot be mapped, `ENOMEM` if the address space has
    /// no room, `EOVERFLOW` or `ENXIO` if offset and length go beyond what the object can have.
    ///
    /// # Safety
    /// With `MAP_FIXED`, whatever was mapped there is replaced. The caller must justify references into the
    /// result: others may write to the object behind it, or truncate it.
    pub fn mmap(
        addr: *mut c_void,
        len: size_t,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: off_t,
    ) -> *mut c_void;

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
    pub fn munmap(addr: *mut c_void, len: size_t) -> c_int;

    /// Sets the protection of all pages that hold a byte of `addr..addr + len` to `prot`.
    ///
    /// `addr` is a multiple of the page size; `len` is in bytes. Source: mprotect(2),
    /// POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EACCES` if the object was not opened for that access, `EINVAL` for an
    /// unaligned address or an unknown `prot` (musl rounds the address instead), `ENOMEM` for pages that
    /// are not mapped.
    ///
    /// # Safety
    /// References into the pages may only be used in ways that the new protection allows.
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
    pub fn msync(addr: *mut c_void, len: size_t, flags: c_int) -> c_int;

    /// Keeps all pages that hold a byte of `addr..addr + len` in memory until `munlock`.
    ///
    /// Locks do not nest: one `munlock` undoes any number of `mlock`. `addr` and `len` are in
    /// bytes. Source: mlock(2), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EAGAIN` when pages could not be brought in, `ENOMEM` for pages that are
    /// not mapped or over the limit on locked memory, `EPERM` without the privilege, `EINVAL` for an
    /// unaligned address where the system requires alignment.
    ///
    /// # Safety
    /// The range must be the caller's own; no content changes.
    pub fn mlock(addr: *const c_void, len: size_t) -> c_int;

    /// Lets the pages that hold a byte of `addr..addr + len` be paged out again.
    ///
    /// Source: munlock(2), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `ENOMEM` for pages that are not mapped, `EINVAL` for an unaligned address
    /// where the system requires alignment.
    ///
    /// # Safety
    /// The range must be the caller's own; no content changes, but secrets may now reach swap.
    pub fn munlock(addr: *const c_void, len: size_t) -> c_int;

    /// Locks every page of the process: those mapped now (`MCL_CURRENT`), those mapped in the future
    /// (`MCL_FUTURE`), or both. Source: mlockall(2), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EAGAIN`, `EINVAL` for bad flags, `ENOMEM` over the limit on
    /// locked memory, `EPERM` without the privilege.
    ///
    /// # Safety
    /// No content changes; under `MCL_FUTURE` later calls anywhere in the process may fail.
    pub fn mlockall(flags: c_int) -> c_int;

    /// Undoes every lock on pages of the process, including those of `mlock`. Source: munlockall(2),
    /// POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`; Linux documents no reason.
    ///
    /// # Safety
    /// This also undoes locks that other code relies on.
    pub fn munlockall() -> c_int;

    /// Advises the system how the pages of `addr..addr + len` will be used, or, with values that do more
    /// than advise, changes them.
    ///
    /// `addr` is a multiple of the page size; `len` is in bytes. Source: madvise(2); not POSIX.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EINVAL` for an unaligned address or a value that the kernel does not
    /// know, `ENOMEM` for pages that are not mapped, `EBADF` for advice that needs a file, `EAGAIN`, `EIO`,
    /// `EPERM` as the documentation of the value says.
    ///
    /// # Safety
    /// Some values (`MADV_DONTNEED`, `MADV_FREE`, `MADV_REMOVE`, ...) discard content.
    pub fn madvise(addr: *mut c_void, len: size_t, advice: c_int) -> c_int;

    /// Advises the system how the pages of `addr..addr + len` will be used.
    ///
    /// POSIX promises that content stays; Cygwin breaks that for `POSIX_MADV_DONTNEED`. Source:
    /// posix_madvise(3), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns the error number itself, not -1, and leaves `errno` alone: `EINVAL`, `ENOMEM`.
    ///
    /// # Safety
    /// The range must be the caller's own; see above for Cygwin.
    pub fn posix_madvise(addr: *mut c_void, len: size_t, advice: c_int) -> c_int;

    /// Writes a byte for each page of `addr..addr + len` to `vec`; its lowest bit says whether the page is
    /// in memory.
    ///
    /// `addr` is a multiple of the page size; `vec` has room for a byte per page, rounded up.
    /// Source: mincore(2); not POSIX.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EAGAIN`, `EFAULT` for a bad `vec`, `EINVAL` for an unaligned
    /// address, `ENOMEM` for pages that are not mapped.
    ///
    /// # Safety
    /// `vec` must be valid for writes of that many bytes.
    pub fn mincore(addr: *mut c_void, len: size_t, vec: *mut c_uchar) -> c_int;

    /// Opens the shared memory object `name`, or creates it with `O_CREAT`, and returns a file descriptor.
    /// `name` begins with a slash and contains no other. Source: shm_open(3), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EACCES`, `EEXIST`, `EINVAL` for a bad name, `EMFILE`,
    /// `ENAMETOOLONG`, `ENFILE`, `ENOENT`.
    ///
    /// # Safety
    /// `name` must point to a string that ends in NUL.
    pub fn shm_open(name: *const c_char, oflag: c_int, mode: mode_t) -> c_int;

    /// Removes the name of a shared memory object; the memory is freed with its last user. Source:
    /// shm_unlink(3), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EACCES`, `ENAMETOOLONG`, `ENOENT`.
    ///
    /// # Safety
    /// `name` must point to a string that ends in NUL.
    pub fn shm_unlink(name: *const c_char) -> c_int;

    /// Sets the length of the file or shared memory object behind `fd` to `length` bytes: bytes beyond it are
    /// cut off, and new bytes are zeros. `length` is as wide as an offset of `mmap`. Source: ftruncate(2),
    /// POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EBADF`, `EFBIG` and `EINVAL` for a length that the object
    /// cannot have, `EINTR`, `EIO`, `EPERM` for a sealed one.
    ///
    /// # Safety
    /// Mappings of the object lose the pages that are cut off: touching one raises SIGBUS.
    pub fn ftruncate(fd: c_int, length: off_t) -> c_int;

    /// Allocates the storage of `len` bytes, from `offset` on, of the file or shared memory object behind
    /// `fd`, so that no write to them fails for lack of storage. Extends the object if it ends before them.
    /// Source: posix_fallocate(3), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns the error number itself, not -1, and leaves `errno` alone: `EBADF`, `EFBIG`, `EINTR`,
    /// `EINVAL` (also if the object has no such storage), `EIO`, `ENODEV`, `ENOSPC`, `ESPIPE`.
    ///
    /// # Safety
    /// There is none: no content changes.
    pub fn posix_fallocate(fd: c_int, offset: off_t, len: off_t) -> c_int;

    /// Performs `cmd` on `fd`. In this crate, that is adding seals (`F_ADD_SEALS`, with the seals as the
    /// third argument) or returning them (`F_GET_SEALS`), on systems that have seals. Source: fcntl(2),
    /// POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EBADF`, `EINVAL` for a command that the system, or this object,
    /// does not know, `EBUSY` and `EPERM` for seals that cannot be added.
    ///
    /// # Safety
    /// The third argument must be passed, and must be what the command takes.
    pub fn fcntl(fd: c_int, cmd: c_int, ...) -> c_int;

    /// Returns a setting of the system; for `_SC_PAGESIZE`, the page size in bytes. Source: sysconf(3),
    /// POSIX.1-2024.
    ///
    /// # Errors
    /// Returns -1 and sets `errno` to `EINVAL` for a name that the system does not know.
    ///
    /// # Safety
    /// There is none: any `name` is accepted.
    pub fn sysconf(name: c_int) -> c_long;
}
