//! Memory that a child finds zeroed: FreeBSD, NetBSD and OpenBSD.

use core::ffi::c_int;

use unix_memory_sys as sys;

use crate::error::Errno;
use crate::os::call;
use crate::page::Pages;

/// Makes every child find zeros in `pages`, whatever call makes the child; `zeros` is the system's
/// number for this.
///
/// # Errors
/// `EINVAL` for a kernel that is too old.
///
/// # Safety
/// The pages are the caller's, private and anonymous, and what refers to them in a child can cope
/// with zeros.
pub unsafe fn inherit_zeros(pages: Pages, zeros: c_int) -> Result<(), Errno> {
    let start = pages.start.as_ptr().cast();
    // SAFETY: in this process nothing changes; the caller vouches for children. [caller, harmless]
    call::zero_or_errno(unsafe { sys::minherit(start, pages.len, zeros) })
}
