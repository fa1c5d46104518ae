//! Systems whose kernel copies between processes in no way that this crate uses.

use crate::call::Errno;

/// There is no such call.
///
/// # Safety
/// None: nothing is accessed.
pub const unsafe fn read(_: *const u8, _: *mut u8, _: usize) -> Result<usize, Errno> {
    Err(libc::ENOSYS)
}

/// There is no such call.
///
/// # Safety
/// None: nothing is accessed.
pub const unsafe fn write(_: *const u8, _: *mut u8, _: usize) -> Result<usize, Errno> {
    Err(libc::ENOSYS)
}
