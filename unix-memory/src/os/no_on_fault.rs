//! Systems whose locks bring pages in.

use core::ffi::c_int;
use core::ptr::NonNull;

use crate::call::Errno;
use crate::protection::Protection;
use crate::region::Pages;

/// There is no such flag here.
pub const MCL_ONFAULT: c_int = 0;

/// Nobody can ask for it here.
pub const unsafe fn mlock_on_fault(_: NonNull<u8>, _: usize) -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// Not told here.
pub const fn locked_bytes() -> Option<u64> {
    None
}

/// Not told here.
pub const fn address_space_bytes() -> Option<u64> {
    None
}

/// It cannot be done here: the future is locked until everything is unlocked.
pub const fn stop_locking_future() -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// Nobody can say so here.
pub const fn is_protected(_: Pages, _: Protection) -> bool {
    false
}
