//! Bringing pages in by reading them: what works everywhere, and tells nothing.

use crate::call::Errno;
use crate::copy;
use crate::page::page_size;
use crate::region::Pages;

/// Reads a byte of each of `pages`, which can be read.
#[allow(
    clippy::unnecessary_wraps,
    reason = "systems that can tell of failure do"
)]
pub fn populate(pages: Pages) -> Result<(), Errno> {
    for page in (0..pages.len).step_by(page_size()) {
        // SAFETY: the byte lies in the pages, which can be read.
        unsafe { copy::load(pages.start.as_ptr().wrapping_add(page), &mut [0]) };
    }
    Ok(())
}

/// Writes to each of `pages`, as they are.
///
/// # Safety
/// They can be written, and whoever else in this process accesses them does so atomically, word by
/// word.
#[allow(
    clippy::unnecessary_wraps,
    reason = "systems that can tell of failure do"
)]
pub unsafe fn populate_write(pages: Pages) -> Result<(), Errno> {
    for page in (0..pages.len).step_by(page_size()) {
        // SAFETY: a page begins at a word; the rest is as the caller vouches.
        unsafe { copy::rewrite(pages.start.as_ptr().wrapping_add(page)) };
    }
    Ok(())
}
