//! Stand-ins for calls that a system does not have: they fail as a kernel without them would.

use core::ffi::{c_int, c_uchar, c_void};

use unix_memory_sys as sys;

/// Sets `errno`, and returns what a call that failed returns.
pub fn fail(with: c_int) -> c_int {
    // SAFETY: the call has no preconditions; the result is used in this thread at once.
    let errno = unsafe { sys::errno_location() };
    // SAFETY: it points to the calling thread's errno.
    unsafe { *errno = with };
    -1
}

/// This system does not tell which pages are in memory.
pub unsafe fn mincore(_: *mut c_void, _: usize, _: *mut c_uchar) -> c_int {
    fail(libc::ENOSYS)
}
