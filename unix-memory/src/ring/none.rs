//! Systems that map memory twice by a descriptor alone.

use core::ptr::NonNull;

use crate::error::Errno;

/// It cannot be done here.
///
/// # Errors
/// `ENOSYS`.
pub const fn map_twice(_header: usize, _capacity: usize) -> Result<NonNull<u8>, Errno> {
    Err(libc::ENOSYS)
}
