//! Systems whose processes have no children that go on with their memory: nothing has to be done for
//! such children.

use crate::error::Errno;
use crate::page::Pages;

/// Nothing is to be done.
///
/// # Safety
/// None.
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub const unsafe fn wipe_in_children(_: Pages) -> Result<(), Errno> {
    Ok(())
}

/// It is never called.
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub const fn at_fork(_: extern "C" fn()) -> Result<(), Errno> {
    Ok(())
}
