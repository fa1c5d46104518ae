//! Memory that a child finds zeroed: Linux and Android.

use core::ffi::c_int;

use unix_memory_sys as sys;

use super::madvise::madvise;
use crate::error::Errno;
use crate::page::Pages;

/// No kernel knows it.
const NO_ADVICE: c_int = -1;

/// Makes every child find zeros in `pages`, whatever call makes the child.
///
/// # Errors
/// `EINVAL` before Linux 4.14; `ENOSYS` in an emulator that takes any advice and follows none.
///
/// # Safety
/// The pages are the caller's, private and anonymous, and what refers to them in a child can cope
/// with zeros.
pub unsafe fn wipe_in_children(pages: Pages) -> Result<(), Errno> {
    // SAFETY: in this process nothing changes; the caller vouches for children. [caller, harmless]
    unsafe { madvise(pages.start, pages.len, sys::MADV_WIPEONFORK) }?;
    // SAFETY: a kernel refuses it; an emulator that accepts it does not know what it means.
    // [harmless]
    match unsafe { madvise(pages.start, pages.len, NO_ADVICE) } {
        Ok(()) => Err(libc::ENOSYS),
        Err(_) => Ok(()),
    }
}
