//! Linux and Android: `mremap`.

use core::ffi::c_void;
use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::error::Errno;
use crate::os::call::errno;
use crate::page::page_size;

/// Gives the mapping of `old` bytes at `start` a length of `new` bytes, elsewhere if it `may_move`.
///
/// # Safety
/// The pages are the caller's, and nothing refers to them.
#[inline]
pub unsafe fn remap(
    start: NonNull<u8>,
    old: usize,
    new: usize,
    may_move: bool,
) -> Result<NonNull<u8>, Errno> {
    let flags = if may_move { sys::MREMAP_MAYMOVE } else { 0 };
    // SAFETY: the caller gives up the old range; without MREMAP_FIXED nothing else is replaced.
    // [caller, new]
    let address = unsafe { sys::mremap(start.as_ptr().cast(), old, new, flags) };
    to_result(address)
}

/// Whether `address`, where a page of the caller's begins, is inside a huge page of hugetlbfs, as far as
/// [`probe`] reports it.
///
/// # Safety
/// The page is the caller's.
pub unsafe fn is_in_huge_page(address: *mut u8) -> bool {
    // SAFETY: as the caller vouches. [caller]
    unsafe { probe(address) == Some(true) }
}

/// Whether `address`, where a page of the caller's begins, is inside a huge page of hugetlbfs; `None`
/// where the call itself is refused. Before Linux 5.16 it never is.
///
/// # Safety
/// The page is the caller's.
pub unsafe fn probe(address: *mut u8) -> Option<bool> {
    let page = page_size();
    // Changing a length into the same one does nothing; but first the kernel checks whether the
    // address is one that a page of this mapping can have.
    // SAFETY: nothing is moved or resized. [harmless]
    let same = unsafe { sys::mremap(address.cast(), page, page, 0) };
    match to_result(same) {
        Ok(_) => Some(false),
        Err(libc::EINVAL) => Some(true),
        Err(_) => None,
    }
}

#[inline]
fn to_result(address: *mut c_void) -> Result<NonNull<u8>, Errno> {
    if address == sys::MAP_FAILED {
        return Err(errno());
    }
    NonNull::new(address.cast()).ok_or(libc::ENOMEM)
}
