//! Locks on the whole process.

use core::ffi::c_int;

use unix_memory_sys as sys;
pub use unix_memory_sys::{MCL_CURRENT, MCL_FUTURE};

use crate::error::Errno;
use crate::os::call::zero_or_errno;

/// Locks what `flags` says.
///
/// # Errors
/// The kernel's errors.
pub fn mlockall(flags: c_int) -> Result<(), Errno> {
    // SAFETY: locking changes no content. [harmless]
    zero_or_errno(unsafe { sys::mlockall(flags) })
}

/// Unlocks all pages of the process.
///
/// # Errors
/// The kernel's errors.
pub fn munlockall() -> Result<(), Errno> {
    // SAFETY: unlocking changes no content. [harmless]
    zero_or_errno(unsafe { sys::munlockall() })
}
