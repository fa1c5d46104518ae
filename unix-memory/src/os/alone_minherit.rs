//! Memory that a child made by `fork` does not have: the BSDs and Apple's systems.

use unix_memory_sys as sys;

use crate::call::{self, Errno};
use crate::region::Pages;

/// Keeps `pages` from children.
///
/// # Safety
/// The pages are the caller's. A child neither uses nor unmaps them.
pub unsafe fn keep_from_children(pages: Pages) -> Result<(), Errno> {
    let start = pages.start.as_ptr().cast();
    // SAFETY: in this process nothing changes.
    call::zero_or_errno(unsafe { sys::minherit(start, pages.len, super::INHERIT_NONE) })
}
