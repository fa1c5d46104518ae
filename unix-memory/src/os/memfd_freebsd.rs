//! Memfds on FreeBSD.

use core::ffi::{CStr, c_int, c_uint};
use std::os::fd::OwnedFd;

use unix_memory_sys as sys;

use crate::call::{self, Errno};

/// Nothing that this system has.
pub const DEFAULT: c_uint = 0;
/// Those that seal the content are all there are.
pub const MORE_SEALS: c_int = 0;

/// Makes a file of no bytes.
pub fn memfd_create(name: &CStr, flags: c_uint) -> Result<OwnedFd, Errno> {
    // SAFETY: the name ends in NUL.
    let result = unsafe { sys::memfd_create(name.as_ptr(), flags) };
    // SAFETY: that is its result.
    unsafe { call::descriptor_or_errno(result) }
}
