//! Memory that a child finds zeroed: FreeBSD, NetBSD and OpenBSD.

use unix_memory_sys as sys;

use crate::call::{self, Errno};
use crate::region::Pages;

/// Has every child, by whatever call it is made, find zeros in `pages`.
///
/// # Errors
/// `EINVAL` for a kernel that is too old.
///
/// # Safety
/// The pages are the caller's, private and anonymous, and what refers to them in a child can do with
/// zeros.
pub unsafe fn wipe_in_children(pages: Pages) -> Result<(), Errno> {
    let start = pages.start.as_ptr().cast();
    // SAFETY: in this process nothing changes; the caller vouches for children.
    call::zero_or_errno(unsafe { sys::minherit(start, pages.len, super::INHERIT_ZERO) })
}
