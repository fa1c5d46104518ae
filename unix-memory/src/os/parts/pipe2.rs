//! Systems that open a pipe with its flags.

use core::ffi::c_int;

use crate::error::Errno;
use crate::os::call::errno;

/// A pipe's end to read from and its end to write to, closed on exec, never waiting.
pub fn open_pipe() -> Result<[c_int; 2], Errno> {
    let mut ends = [-1; 2];
    // SAFETY: the call writes the two descriptors that there is room for. [arguments]
    let result = unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) };
    if result == 0 { Ok(ends) } else { Err(errno()) }
}
