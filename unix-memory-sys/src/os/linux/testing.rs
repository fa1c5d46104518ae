//! What the tests of the calls share.

use super::{
    MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, MFD_CLOEXEC, PROT_READ, PROT_WRITE, errno_location,
    memfd_create, mmap, munmap,
};
use crate::types::{c_int, c_void};

/// One page is enough, and 64 KiB is a page everywhere.
pub(super) const LEN: usize = 1 << 16;

pub(super) fn errno() -> c_int {
    // SAFETY: it returns a pointer to the calling thread's errno, which this thread may read.
    let location = unsafe { errno_location() };
    // SAFETY: as above.
    unsafe { *location }
}

pub(super) fn map() -> *mut c_void {
    let (prot, flags) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    let addr = unsafe { mmap(core::ptr::null_mut(), LEN, prot, flags, -1, 0) };
    assert_ne!(addr, MAP_FAILED);
    addr
}

pub(super) fn unmap(addr: *mut c_void) -> c_int {
    // SAFETY: the tests unmap what they mapped, and keep no reference to it.
    unsafe { munmap(addr, LEN) }
}

pub(super) fn close(fd: c_int) {
    // SAFETY: the tests close what they opened.
    assert_eq!(unsafe { libc::close(fd) }, 0);
}

/// A file in memory, if [`works`] accepts its descriptor.
pub(super) fn memfd() -> c_int {
    // SAFETY: the name ends in NUL.
    unsafe { memfd_create(c"test".as_ptr(), MFD_CLOEXEC) }
}

/// The call worked, or the kernel lacks it, or denies it to this process.
pub(super) fn works(result: c_int) -> bool {
    assert!(result >= 0 || matches!(errno(), libc::ENOSYS | libc::EPERM | libc::ENOMEM));
    result >= 0
}

/// Writes to the first page.
pub(super) fn touch(addr: *mut c_void) {
    // SAFETY: the tests touch only what they mapped, which is writable.
    unsafe { addr.cast::<u8>().write_volatile(1) };
}

/// A descriptor of a file of `/proc`.
pub(super) fn open(path: &core::ffi::CStr) -> c_int {
    // SAFETY: the path ends in NUL.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    assert!(fd >= 0, "{path:?}");
    fd
}
