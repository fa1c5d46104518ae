//! `memfd_create`, as Linux has it.

use core::ffi::{CStr, c_int, c_uint};
use std::os::fd::OwnedFd;

use unix_memory_sys as sys;

use crate::error::Errno;
use crate::os::call;

/// Not executable, and no way to make it so.
pub const MEMFD_DEFAULT: c_uint = sys::MFD_NOEXEC_SEAL;
/// Sealed memory has this seal too, since Linux 6.3.
pub const MORE_SEALS: c_int = sys::F_SEAL_EXEC;

/// The flags that say whether the file can be executed.
const EXEC: c_uint = sys::MFD_NOEXEC_SEAL | sys::MFD_EXEC;

/// Makes an empty file.
///
/// # Errors
/// The kernel's errors.
pub fn memfd_create(name: &CStr, flags: c_uint) -> Result<OwnedFd, Errno> {
    let create = |flags| {
        // SAFETY: the name ends in NUL. [arguments]
        let result = unsafe { sys::memfd_create(name.as_ptr(), flags) };
        // SAFETY: that is its result. [descriptor]
        unsafe { call::descriptor_or_errno(result) }
    };
    // Before 6.3 a kernel has neither flag, and refuses them; every file can be executed there.
    match create(flags) {
        Err(libc::EINVAL) if flags & EXEC != 0 => create(flags & !EXEC),
        result => result,
    }
}
