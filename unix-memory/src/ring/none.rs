//! Systems that can map memory twice only through a descriptor.

use core::ptr::NonNull;

use crate::error::Errno;

/// Not possible here.
///
/// # Errors
/// `ENOSYS`.
pub const fn map_twice(_header: usize, _capacity: usize) -> Result<NonNull<u8>, Errno> {
    Err(libc::ENOSYS)
}
