//! The bare calls, as a program makes them that checks what it must.

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::ptr::null_mut;

/// `mmap` anywhere.
#[inline]
pub fn map(len: usize, prot: c_int, flags: c_int, fd: c_int) -> *mut c_void {
    // SAFETY: a new mapping, which nobody else knows.
    let address = unsafe { libc::mmap(null_mut(), len, prot, flags, fd, 0) };
    assert_ne!(address, libc::MAP_FAILED);
    black_box(address)
}

/// A new mapping of private memory, to be read and written.
#[inline]
pub fn anonymous(len: usize) -> *mut c_void {
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    map(len, prot, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)
}

/// `munmap` of a mapping that [`map`] made.
#[inline]
pub fn unmap(address: *mut c_void, len: usize) {
    // SAFETY: the mapping is the caller's, who gives it up.
    zero(unsafe { libc::munmap(address, len) });
}

/// Asserts that a call succeeded.
#[inline]
pub fn zero(result: c_int) {
    assert_eq!(result, 0);
}
