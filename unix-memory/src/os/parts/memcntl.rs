//! Memory that a child finds zeroed: illumos.

use unix_memory_sys as sys;

use crate::error::Errno;
use crate::os::call;
use crate::page::Pages;

/// Makes every child find zeros in `pages`, whatever call makes the child.
///
/// # Errors
/// `EINVAL` for a kernel that is too old.
///
/// # Safety
/// The pages are the caller's, private and anonymous, and what refers to them in a child can cope
/// with zeros.
pub unsafe fn wipe_in_children(pages: Pages) -> Result<(), Errno> {
    let start = pages.start.as_ptr().cast();
    let (command, none) = (sys::MC_INHERIT_ZERO, core::ptr::null_mut());
    // SAFETY: in this process nothing changes; the caller vouches for children. [caller, harmless]
    call::zero_or_errno(unsafe { sys::memcntl(start, pages.len, command, none, 0, 0) })
}
