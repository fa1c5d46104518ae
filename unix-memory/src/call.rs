//! The only place that calls the externs: each turns -1 and `errno` into a `Result`.

use core::ffi::{c_int, c_uchar, c_void};
use core::ptr::NonNull;
#[cfg(feature = "std")]
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use unix_memory_sys as sys;

use crate::os;

/// An `errno`.
pub type Errno = c_int;

/// The calling thread's `errno`, right after a call that failed.
pub fn errno() -> Errno {
    // SAFETY: the call has no preconditions; the result is used in this thread at once.
    let location = unsafe { sys::errno_location() };
    // SAFETY: it points to the calling thread's errno, which lives as long as the thread.
    unsafe { *location }
}

/// For calls that return 0, or -1 and set `errno`.
pub fn zero_or_errno(result: c_int) -> Result<(), Errno> {
    if result == 0 { Ok(()) } else { Err(errno()) }
}

/// For calls that return a new descriptor, or -1 and set `errno`.
///
/// # Safety
/// `result` is what such a call has just returned.
#[cfg(feature = "std")]
pub unsafe fn descriptor_or_errno(result: c_int) -> Result<OwnedFd, Errno> {
    if result == -1 {
        return Err(errno());
    }
    // SAFETY: the descriptor is new, so that nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(result) })
}

/// `fcntl` with a command that takes a number.
///
/// # Safety
/// `command` takes a number, and neither closes nor makes a descriptor.
#[cfg(feature = "std")]
pub unsafe fn fcntl(fd: BorrowedFd<'_>, command: c_int, number: c_int) -> Result<c_int, Errno> {
    // SAFETY: the descriptor is open, and the argument is of the type that the command takes.
    match unsafe { libc::fcntl(fd.as_raw_fd(), command, number) } {
        -1 => Err(errno()),
        result => Ok(result),
    }
}

/// The system's page size.
pub fn page_size() -> usize {
    // SAFETY: sysconf takes any name.
    let size = unsafe { sys::sysconf(sys::_SC_PAGESIZE) };
    let size = usize::try_from(size).unwrap_or(0);
    assert!(
        size.is_power_of_two(),
        "sysconf(_SC_PAGESIZE) must be a power of two, not {size}"
    );
    size
}

/// Maps without replacing anything: `hint` is only a hint, unless `flags` have all of
/// [`os::NO_REPLACE`], with which the kernel maps there or nowhere.
pub fn mmap(
    hint: usize,
    len: usize,
    prot: c_int,
    flags: c_int,
    fd: c_int,
    offset: sys::off_t,
) -> Result<NonNull<u8>, Errno> {
    // With the flags that make MAP_FIXED harmless, where there are any.
    const TAMED: bool = os::NO_REPLACE & sys::MAP_FIXED != 0;
    debug_assert!(flags & sys::MAP_FIXED == 0 || TAMED && flags & os::NO_REPLACE == os::NO_REPLACE);
    let hint = core::ptr::without_provenance_mut::<c_void>(hint);
    // SAFETY: without MAP_FIXED, and with what goes with it in NO_REPLACE, the kernel maps where
    // nothing is mapped, so no memory that anybody refers to is touched.
    let address = unsafe { sys::mmap(hint, len, prot, flags, fd, offset) };
    if address == sys::MAP_FAILED {
        return Err(errno());
    }
    // No kernel maps page zero unasked; if one did, that page could not be referred to.
    NonNull::new(address.cast()).ok_or(libc::ENOMEM)
}

/// Maps `len` bytes of new memory for this crate's own use: zeroed, private, to be read and written.
pub fn zeroed_pages(len: usize) -> Result<NonNull<u8>, Errno> {
    let protection = sys::PROT_READ | sys::PROT_WRITE;
    mmap(
        0,
        len,
        protection,
        sys::MAP_PRIVATE | sys::MAP_ANONYMOUS,
        -1,
        0,
    )
}

/// # Safety
/// `address..address + len` is a mapping of the caller's that nothing refers to any more.
pub unsafe fn munmap(address: NonNull<u8>, len: usize) -> Result<(), Errno> {
    // SAFETY: the caller owns the pages and has given up every reference to them.
    zero_or_errno(unsafe { sys::munmap(address.as_ptr().cast(), len) })
}

/// Puts pages that cannot be accessed, and take no memory, in place of the caller's.
///
/// # Safety
/// `address..address + len` are pages that are mapped, and the caller's alone. Who refers to them
/// accesses them no more, or is to be ended by a signal where it does.
#[cfg(feature = "std")]
pub unsafe fn replace_by_nothing(address: NonNull<u8>, len: usize) -> Result<(), Errno> {
    let flags = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | sys::MAP_FIXED | os::MAP_NORESERVE;
    let start = address.as_ptr().cast();
    // SAFETY: what is replaced is the caller's own.
    let mapped = unsafe { sys::mmap(start, len, sys::PROT_NONE, flags, -1, 0) };
    if mapped == sys::MAP_FAILED {
        return Err(errno());
    }
    Ok(())
}

/// # Safety
/// The pages are the caller's, and every reference to them that lives on allows no more than
/// `prot` does.
pub unsafe fn mprotect(address: NonNull<u8>, len: usize, prot: c_int) -> Result<(), Errno> {
    // SAFETY: as the caller vouches.
    zero_or_errno(unsafe { sys::mprotect(address.as_ptr().cast(), len, prot) })
}

/// # Safety
/// The pages are the caller's, and `advice` changes no content that somebody refers to.
pub unsafe fn madvise(address: NonNull<u8>, len: usize, advice: c_int) -> Result<(), Errno> {
    // SAFETY: as the caller vouches.
    zero_or_errno(unsafe { os::madvise(address.as_ptr().cast(), len, advice) })
}

/// # Safety
/// The pages are the caller's.
pub unsafe fn msync(address: NonNull<u8>, len: usize, flags: c_int) -> Result<(), Errno> {
    // SAFETY: as the caller vouches.
    zero_or_errno(unsafe { sys::msync(address.as_ptr().cast(), len, flags) })
}

/// # Safety
/// The pages are the caller's.
pub unsafe fn mlock(address: NonNull<u8>, len: usize) -> Result<(), Errno> {
    // SAFETY: as the caller vouches; locking changes no content.
    zero_or_errno(unsafe { sys::mlock(address.as_ptr().cast(), len) })
}

/// # Safety
/// The pages are the caller's.
pub unsafe fn munlock(address: NonNull<u8>, len: usize) -> Result<(), Errno> {
    // SAFETY: as the caller vouches; unlocking changes no content.
    zero_or_errno(unsafe { sys::munlock(address.as_ptr().cast(), len) })
}

/// Locks every page of the process that `flags`, of `MCL_`, names.
pub fn mlockall(flags: c_int) -> Result<(), Errno> {
    // SAFETY: locking changes no content.
    zero_or_errno(unsafe { os::mlockall(flags) })
}

/// Unlocks every page of the process.
pub fn munlockall() -> Result<(), Errno> {
    // SAFETY: unlocking changes no content.
    zero_or_errno(unsafe { os::munlockall() })
}

/// Fills `vec`, a byte per page, for the pages from `address` on.
///
/// # Safety
/// The pages, as many as `vec` has bytes, are the caller's.
pub unsafe fn mincore(address: NonNull<u8>, len: usize, vec: &mut [c_uchar]) -> Result<(), Errno> {
    debug_assert!(len.div_ceil(crate::page_size()) <= vec.len());
    // SAFETY: the kernel writes one byte per page of `len`, and `vec` has room for them.
    zero_or_errno(unsafe { os::mincore(address.as_ptr().cast(), len, vec.as_mut_ptr().cast()) })
}

/// Gives up the processor for a moment, to threads of lower priority too.
pub fn pause() {
    pause_for(1);
}

/// The same for `moments`, at most 1000: each time longer, where several threads are at the same.
pub fn pause_for(moments: u16) {
    // Some systems pad it with fields of their own.
    // SAFETY: it holds integers alone.
    let mut moment: libc::timespec = unsafe { core::mem::zeroed() };
    moment.tv_nsec = (20_000 * i32::from(moments.min(1000))).into();
    // SAFETY: the call reads `moment` and, given null, writes nothing.
    let _or_woken_early = unsafe { libc::nanosleep(&raw const moment, core::ptr::null_mut()) };
}

/// The process's number.
pub fn process_id() -> libc::pid_t {
    // SAFETY: the call has no preconditions.
    unsafe { libc::getpid() }
}

/// Ends the process at once.
pub fn abort() -> ! {
    // SAFETY: the call has no preconditions.
    unsafe { libc::abort() }
}
