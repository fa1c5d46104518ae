//! Memory that a child made by `fork` does not have: Linux and Android.

use unix_memory_sys as sys;

use crate::call::{self, Errno};
use crate::region::Pages;

/// Keeps `pages` from children.
///
/// # Safety
/// The pages are the caller's. A child neither uses nor unmaps them.
pub unsafe fn keep_from_children(pages: Pages) -> Result<(), Errno> {
    // SAFETY: in this process nothing changes.
    unsafe { call::madvise(pages.start, pages.len, sys::MADV_DONTFORK) }
}
