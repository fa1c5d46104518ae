//! NetBSD: `mremap`, which takes the new address before the new length.

use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::call::{Errno, errno};

/// Gives the mapping of `old` bytes at `start` a length of `new` bytes; `ENOSYS` unless it
/// `may_move`.
///
/// # Safety
/// The pages are the caller's, and nothing refers to them.
pub unsafe fn remap(
    start: NonNull<u8>,
    old: usize,
    new: usize,
    may_move: bool,
) -> Result<NonNull<u8>, Errno> {
    if !may_move {
        return Err(libc::ENOSYS);
    }
    let from = start.as_ptr().cast();
    // SAFETY: the caller gives up the old range; without MAP_FIXED nothing else is replaced.
    let address = unsafe { sys::mremap(from, old, core::ptr::null_mut(), new, 0) };
    if address == sys::MAP_FAILED {
        return Err(errno());
    }
    NonNull::new(address.cast()).ok_or(libc::ENOMEM)
}
