//! Values of the kernel: the BSDs.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr;

use crate::error::Errno;
use crate::os::call;

/// How many bytes the value has that `words` name, or will have.
///
/// # Errors
/// The kernel's errors.
#[allow(dead_code, reason = "of OpenBSD's one value it is not true")]
pub fn size(words: &[c_int]) -> Result<usize, Errno> {
    let mut len = 0;
    // SAFETY: without a buffer, the call writes a length alone. [arguments]
    unsafe { sysctl(words, ptr::null_mut(), &mut len) }?;
    Ok(len)
}

/// Reads the value into `buffer`, and returns how many bytes it has.
///
/// # Errors
/// `ENOMEM` if the buffer is too small; and the kernel's other errors.
pub fn read(words: &[c_int], buffer: &mut [u8]) -> Result<usize, Errno> {
    let mut len = buffer.len();
    // SAFETY: the buffer has as many bytes. [arguments]
    unsafe { sysctl(words, buffer.as_mut_ptr().cast(), &mut len) }?;
    Ok(len.min(buffer.len()))
}

/// # Safety
/// The buffer is null, or has `len` bytes that can be written.
unsafe fn sysctl(words: &[c_int], buffer: *mut c_void, len: &mut usize) -> Result<(), Errno> {
    let count = c_uint::try_from(words.len()).unwrap_or(0);
    // SAFETY: `count` is the number of words, which the call only reads; the rest is as the caller
    // vouches. Nothing is set. [caller, arguments]
    let result = unsafe { libc::sysctl(words.as_ptr(), count, buffer, len, ptr::null_mut(), 0) };
    call::zero_or_errno(result)
}
