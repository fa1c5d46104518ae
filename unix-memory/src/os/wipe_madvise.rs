//! Memory that a child finds zeroed: Linux and Android.

use unix_memory_sys as sys;

use crate::call::{self, Errno};
use crate::region::Pages;

/// Has every child, by whatever call it is made, find zeros in `pages`.
///
/// # Errors
/// `EINVAL` before Linux 4.14.
///
/// # Safety
/// The pages are the caller's, private and anonymous, and what refers to them in a child can do with
/// zeros.
pub unsafe fn wipe_in_children(pages: Pages) -> Result<(), Errno> {
    // SAFETY: in this process nothing changes; the caller vouches for children.
    unsafe { call::madvise(pages.start, pages.len, sys::MADV_WIPEONFORK) }
}
