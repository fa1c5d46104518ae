//! Bringing pages in by reading them: what works everywhere.

use crate::call::Errno;
use crate::copy::Copier;
use crate::page::page_size;
use crate::region::Pages;

/// Reads a byte of each of `pages`, which can be read.
///
/// # Errors
/// `EFAULT` where one is gone, which it may be only if `may_be_gone` says so; what a pipe says,
/// where there is no other way to find out.
pub fn populate(pages: Pages, may_be_gone: bool) -> Result<(), Errno> {
    let mut copier = Copier::new(may_be_gone);
    for page in (0..pages.len).step_by(page_size()) {
        // SAFETY: the byte lies in the pages, which can be read; a mapping's owner borrows it, so
        // that nobody writes to it in this program, but by copies and atomics.
        unsafe { copier.load(pages.start.as_ptr().wrapping_add(page), &mut [0]) }
            .map_err(|stop| stop.errno)?;
    }
    Ok(())
}

/// Writes to each of `pages`, as they are.
///
/// # Errors
/// `ENOSYS` where they are `shared`: nothing writes a byte as it is that somebody else may change in
/// that moment, and may take away.
///
/// # Safety
/// They can be written, and unless they are `shared` nobody else accesses them.
pub unsafe fn populate_write(pages: Pages, shared: bool) -> Result<(), Errno> {
    if shared {
        return Err(libc::ENOSYS);
    }
    for page in (0..pages.len).step_by(page_size()) {
        let address = pages.start.as_ptr().wrapping_add(page);
        // SAFETY: the byte lies in the pages, which can be read.
        let byte = unsafe { address.read_volatile() };
        // SAFETY: and written; nobody else accesses them, as the caller vouches.
        unsafe { address.write_volatile(byte) };
    }
    Ok(())
}
