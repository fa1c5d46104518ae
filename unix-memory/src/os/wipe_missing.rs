//! Systems on which a child finds what its parent had.

use crate::call::Errno;
use crate::region::Pages;

/// It cannot be done.
///
/// # Errors
/// `ENOSYS`.
///
/// # Safety
/// None.
pub const unsafe fn wipe_in_children(_: Pages) -> Result<(), Errno> {
    Err(libc::ENOSYS)
}
