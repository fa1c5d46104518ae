//! The only place that calls the externs: each turns -1 and `errno` into a `Result`.

use core::ffi::{c_int, c_void};
use core::ptr::NonNull;
#[cfg(feature = "std")]
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use unix_memory_sys as sys;

use crate::error::Errno;

/// The calling thread's `errno`, right after a call that failed.
#[cold]
pub fn errno() -> Errno {
    // SAFETY: the call has no preconditions; the result is used in this thread at once. [arguments]
    let location = unsafe { sys::errno_location() };
    // SAFETY: it points to the calling thread's errno, which lives as long as the thread.
    // [arguments]
    unsafe { *location }
}

/// What fstat(2) reports about an open file, as far as it matters here.
#[cfg(feature = "std")]
pub struct FileStatus {
    /// The kind of file is in the bits of `S_IFMT`.
    pub mode: libc::mode_t,
    /// In bytes.
    pub len: u64,
    /// The preferred size of a read, in bytes.
    pub block: u64,
    /// Whether its file system is known to be on a block device. Then a read of a regular file ends
    /// early only at the end of the file, and the file is neither a memfd nor in huge pages.
    pub is_on_disk: bool,
}

/// Memory that the kernel refused.
#[allow(dead_code, reason = "not every system says which limit was met")]
pub struct Wanted {
    /// How many bytes more than there were.
    pub bytes: usize,
    /// Whether they are new addresses.
    pub is_mapped: bool,
    /// Whether they are private, can be written, and are set aside.
    pub is_data: bool,
}

impl Wanted {
    /// No more memory: the pages are mapped, and the kernel may need more mappings for them.
    pub const NOTHING: Self = Self {
        bytes: 0,
        is_mapped: false,
        is_data: false,
    };
}

/// For calls that return 0, or -1 and set `errno`.
#[inline]
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
    // SAFETY: the descriptor is new, so nobody else owns it. [caller, descriptor]
    Ok(unsafe { OwnedFd::from_raw_fd(result) })
}

/// `fcntl` with a command that takes a number.
///
/// # Safety
/// `command` takes a number, and neither closes nor makes a descriptor.
#[cfg(feature = "std")]
pub unsafe fn fcntl(fd: BorrowedFd<'_>, command: c_int, number: c_int) -> Result<c_int, Errno> {
    // SAFETY: the descriptor is open, and the argument is of the type that the command takes.
    // [caller, arguments]
    match unsafe { libc::fcntl(fd.as_raw_fd(), command, number) } {
        -1 => Err(errno()),
        result => Ok(result),
    }
}

/// For what the descriptor `fd` is open: `O_RDONLY`, `O_WRONLY` or `O_RDWR`; `None` if it is not open.
pub fn access_mode(fd: c_int) -> Option<c_int> {
    // SAFETY: the command takes nothing more, and changes nothing, whatever the number is.
    // [arguments, harmless]
    match unsafe { libc::fcntl(fd, libc::F_GETFL) } {
        -1 => None,
        flags => Some(flags & libc::O_ACCMODE),
    }
}

/// Maps `len` bytes wherever the kernel chooses, at `hint` if possible; without `MAP_FIXED`.
#[inline]
pub fn mmap(
    hint: usize,
    len: usize,
    prot: c_int,
    flags: c_int,
    fd: c_int,
    offset: sys::off_t,
) -> Result<NonNull<u8>, Errno> {
    debug_assert!(flags & sys::MAP_FIXED == 0);
    // SAFETY: without MAP_FIXED the kernel maps where nothing is mapped, so no memory that anybody
    // refers to is touched. [new]
    unsafe { mmap_at(hint, len, prot, flags, fd, offset) }
}

/// Maps `len` bytes at `address`, as strictly as `flags` say.
///
/// # Safety
/// If they have `MAP_FIXED`, they also have the flag that keeps it from replacing anything, or what
/// is mapped there is the caller's to replace.
#[inline]
pub unsafe fn mmap_at(
    address: usize,
    len: usize,
    prot: c_int,
    flags: c_int,
    fd: c_int,
    offset: sys::off_t,
) -> Result<NonNull<u8>, Errno> {
    let address = core::ptr::without_provenance_mut::<c_void>(address);
    // SAFETY: as the caller vouches. [caller]
    let mapped = unsafe { sys::mmap(address, len, prot, flags, fd, offset) };
    if mapped == sys::MAP_FAILED {
        return Err(errno());
    }
    // No kernel maps page zero unless asked to; if one did, nothing could refer to that page.
    NonNull::new(mapped.cast()).ok_or(libc::ENOMEM)
}

/// Maps `len` bytes of new memory for this crate's own use: zeroed, private, to be read and
/// written.
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
#[inline]
pub unsafe fn munmap(address: NonNull<u8>, len: usize) -> Result<(), Errno> {
    // SAFETY: the caller owns the pages and has given up every reference to them. [caller]
    zero_or_errno(unsafe { sys::munmap(address.as_ptr().cast(), len) })
}

/// # Safety
/// The pages are the caller's, and every reference to them that stays alive allows no more than
/// `prot` does.
#[inline]
pub unsafe fn mprotect(address: NonNull<u8>, len: usize, prot: c_int) -> Result<(), Errno> {
    // SAFETY: as the caller vouches. [caller]
    zero_or_errno(unsafe { sys::mprotect(address.as_ptr().cast(), len, prot) })
}

/// # Safety
/// The pages are the caller's.
#[inline]
pub unsafe fn msync(address: NonNull<u8>, len: usize, flags: c_int) -> Result<(), Errno> {
    // SAFETY: as the caller vouches. [caller]
    zero_or_errno(unsafe { sys::msync(address.as_ptr().cast(), len, flags) })
}

/// # Safety
/// The pages are the caller's.
#[inline]
pub unsafe fn mlock(address: NonNull<u8>, len: usize) -> Result<(), Errno> {
    // SAFETY: as the caller vouches; locking changes no content. [caller, harmless]
    zero_or_errno(unsafe { sys::mlock(address.as_ptr().cast(), len) })
}

/// # Safety
/// The pages are the caller's.
#[inline]
pub unsafe fn munlock(address: NonNull<u8>, len: usize) -> Result<(), Errno> {
    // SAFETY: as the caller vouches; unlocking changes no content. [caller, harmless]
    zero_or_errno(unsafe { sys::munlock(address.as_ptr().cast(), len) })
}

/// Gives up the processor for a moment, to threads of lower priority too.
pub fn pause() {
    pause_for(1);
}

/// The same for `moments`, at most 1000: longer each time, where several threads compete.
pub fn pause_for(moments: u16) {
    // Some systems pad it with fields of their own.
    // SAFETY: it holds only integers. [values]
    let mut moment: libc::timespec = unsafe { core::mem::zeroed() };
    moment.tv_nsec = (20_000 * i32::from(moments.min(1000))).into();
    // SAFETY: the call reads `moment` and, given null, writes nothing. [arguments]
    let _or_woken_early = unsafe { libc::nanosleep(&raw const moment, core::ptr::null_mut()) };
}

/// The process's number.
pub fn process_id() -> libc::pid_t {
    // SAFETY: the call has no preconditions. [arguments]
    unsafe { libc::getpid() }
}

/// Ends the process at once.
pub fn abort() -> ! {
    // SAFETY: the call has no preconditions. [arguments]
    unsafe { libc::abort() }
}

/// Ends the process at once, and says why on its standard error.
pub fn abort_saying(why: &str) -> ! {
    // SAFETY: there are as many bytes as the length says. [arguments]
    let _or_silently = unsafe { libc::write(2, why.as_ptr().cast(), why.len()) };
    abort()
}
