//! Bringing pages in: by one call, or by touching them, which works everywhere.

use super::{Copier, Stop};
use crate::error::Errno;
use crate::os;
use crate::page::{Pages, page_size};

/// Who owns the pages that are brought in, and whether any of them can be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Private and anonymous, in ordinary pages: only its owner changes it, and none of it can be
    /// gone.
    Anonymous,
    /// Only its owner changes it, but a file may be behind it.
    Owned,
    /// Others may change it, and take it away.
    Shared,
}

/// Brings in pages that can be read: by one call, or by touching them.
///
/// # Errors
/// `EFAULT` if one is gone, which cannot happen to [`Memory::Anonymous`]; the errors of the kernel, and
/// those of a pipe if there is no other way to find out.
///
/// # Safety
/// They are mapped, as such memory, and can be read; and nobody in this process writes to them
/// meanwhile, except by copies and atomics.
#[inline]
pub unsafe fn populate(pages: Pages, memory: Memory) -> Result<(), Errno> {
    match os::populate(pages) {
        // SAFETY: as the caller vouches. [caller]
        Err(libc::ENOSYS) => unsafe { touch(pages, memory) },
        result => result,
    }
}

/// Brings pages in, ready to be written.
///
/// # Errors
/// Those of [`populate`]; `ENOSYS` if only touching is left and the pages are shared: a byte that another
/// process may change at that moment cannot be rewritten unchanged.
///
/// # Safety
/// They can be written, and unless `memory` is shared nobody else accesses them.
#[inline]
pub unsafe fn populate_write(pages: Pages, memory: Memory) -> Result<(), Errno> {
    // SAFETY: as the caller vouches. [caller]
    match unsafe { os::populate_write(pages) } {
        // SAFETY: as the caller vouches. [caller]
        Err(libc::ENOSYS) => unsafe { touch_to_write(pages, memory) },
        result => result,
    }
}

/// Reads a byte of each of `pages`, which can be read.
///
/// # Errors
/// `EFAULT` if one is gone, which cannot happen to [`Memory::Anonymous`]; the errors of a pipe if there
/// is no other way to find out.
///
/// # Safety
/// The same as for [`populate`].
unsafe fn touch(pages: Pages, memory: Memory) -> Result<(), Errno> {
    let mut copier = copier(memory);
    let mut byte = 0;
    for page in (0..pages.len).step_by(page_size()) {
        let address = pages.start.as_ptr().wrapping_add(page);
        // SAFETY: the byte lies in the pages, which can be read, and to which nobody writes, as the
        // caller vouches; one that is gone is an error. [caller, inside, copied]
        unsafe { copier.load(address, &raw mut byte, 1) }.map_err(errno)?;
    }
    Ok(())
}

/// Writes to each of `pages` without changing it.
///
/// # Errors
/// Those of [`touch`]; `ENOSYS` if the pages are shared: a byte that another process may change at that
/// moment cannot be rewritten unchanged.
///
/// # Safety
/// They can be written, and unless `memory` is shared nobody else accesses them.
unsafe fn touch_to_write(pages: Pages, memory: Memory) -> Result<(), Errno> {
    if memory == Memory::Shared {
        return Err(libc::ENOSYS);
    }
    let mut copier = copier(memory);
    for page in (0..pages.len).step_by(page_size()) {
        let address = pages.start.as_ptr().wrapping_add(page);
        let mut byte = [0];
        // SAFETY: the byte lies in the pages, which can be read. [caller, inside]
        unsafe { copier.load(address, byte.as_mut_ptr(), 1) }.map_err(errno)?;
        // SAFETY: they can also be written; nobody else accesses them, as the caller vouches.
        // [caller, inside]
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
