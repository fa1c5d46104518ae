//! Systems without `mremap`.

use core::ptr::NonNull;

use crate::call::Errno;

/// There is no such call.
///
/// # Safety
/// None: it does nothing.
pub unsafe fn remap(_: NonNull<u8>, _: usize, _: usize, _: bool) -> Result<NonNull<u8>, Errno> {
    Err(libc::ENOSYS)
}
