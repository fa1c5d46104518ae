//! Linux and Android: names of memory, `PR_SET_VMA_ANON_NAME`.

use core::ffi::{CStr, c_ulong, c_void};
use core::ptr;

use unix_memory_sys as sys;

use crate::error::Errno;
use crate::os::call::zero_or_errno;
use crate::page::{Pages, page_size};

/// A name that a kernel refuses if it checks names.
const NO_NAME: &CStr = c"[";

/// Gives `pages` the name `name`, which every kernel accepts, or takes their name away. A name that
/// `lasts` is never freed or changed.
///
/// # Errors
/// `ENOSYS` if the kernel has no names, or would keep a pointer to one that does not last; and the
/// errors of the call.
///
/// # Safety
/// The pages are the caller's.
pub unsafe fn name_pages(pages: Pages, name: Option<&CStr>, lasts: bool) -> Result<(), Errno> {
    if name.is_some() && !lasts && keeps_pointers() {
        return Err(libc::ENOSYS);
    }
    let name = name.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: the pages are the caller's, no content changes; the name ends with a zero, and lives as
    // long as the kernel reads it: the kernel copies it, or it lasts. [caller, harmless, arguments]
    match unsafe { set(pages.start.as_ptr(), pages.len, name) } {
        // A kernel that has names refuses neither this name nor these pages with that error.
        Err(libc::EINVAL) => Err(libc::ENOSYS),
        result => result,
    }
}

/// Whether the kernel reads names only when somebody reads `/proc/<pid>/maps`, as Android's kernels
/// before Linux 5.17 do, and so never checks what it is given.
fn keeps_pointers() -> bool {
    let nowhere = ptr::without_provenance_mut(page_size());
    // SAFETY: no pages are named. [harmless]
    unsafe { set(nowhere, 0, NO_NAME.as_ptr()) }.is_ok()
}

/// # Safety
/// The `len` bytes from `start` on are the caller's; `name` is null, or a string that lasts, or that the
/// kernel copies.
unsafe fn set(start: *mut u8, len: usize, name: *const core::ffi::c_char) -> Result<(), Errno> {
    let (start, len) = (start.cast::<c_void>(), len as c_ulong);
    // SAFETY: as the caller vouches; each argument is a pointer or an unsigned long.
    // [caller, arguments]
    zero_or_errno(unsafe {
        sys::prctl(sys::PR_SET_VMA, sys::PR_SET_VMA_ANON_NAME, start, len, name)
    })
}
