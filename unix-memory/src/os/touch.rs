//! Bringing pages in by touching them: what works everywhere.

use crate::call::Errno;
use crate::copy::{Copier, Stop};
use crate::page::page_size;
use crate::populate::Memory;
use crate::region::Pages;

/// Reads a byte of each of `pages`, which can be read.
///
/// # Errors
/// `EFAULT` where one is gone, which none is of [`Memory::Anonymous`]; what a pipe says, where there
/// is no other way to find out.
pub fn populate(pages: Pages, memory: Memory) -> Result<(), Errno> {
    let mut copier = copier(memory);
    let mut byte = 0;
    for page in (0..pages.len).step_by(page_size()) {
        let address = pages.start.as_ptr().wrapping_add(page);
        // SAFETY: the byte lies in the pages, which can be read; a mapping's owner borrows it, so
        // that nobody writes to it in this program, but by copies and atomics.
        unsafe { copier.load(address, &raw mut byte, 1) }.map_err(errno)?;
    }
    Ok(())
}

/// Writes to each of `pages`, as they are.
///
/// # Errors
/// As [`populate`]; `ENOSYS` where they are shared: nothing writes a byte as it is that somebody
/// else may change in that moment.
///
/// # Safety
/// They can be written, and unless `memory` is shared nobody else accesses them.
pub unsafe fn populate_write(pages: Pages, memory: Memory) -> Result<(), Errno> {
    if memory == Memory::Shared {
        return Err(libc::ENOSYS);
    }
    let mut copier = copier(memory);
    for page in (0..pages.len).step_by(page_size()) {
        let address = pages.start.as_ptr().wrapping_add(page);
        let mut byte = [0];
        // SAFETY: the byte lies in the pages, which can be read.
        unsafe { copier.load(address, byte.as_mut_ptr(), 1) }.map_err(errno)?;
        // SAFETY: and written; nobody else accesses them, as the caller vouches.
        unsafe { copier.store(&byte, address) }.map_err(errno)?;
    }
    Ok(())
}

fn copier(memory: Memory) -> Copier {
    if memory == Memory::Anonymous {
        Copier::for_what_stays()
    } else {
        Copier::new()
    }
}

const fn errno(stop: Stop) -> Errno {
    stop.errno
}
