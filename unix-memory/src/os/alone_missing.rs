//! Systems where a child made by `fork` has all memory.

use crate::call::Errno;
use crate::region::Pages;

/// Nothing can be done.
///
/// # Safety
/// None.
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub const unsafe fn keep_from_children(_: Pages) -> Result<(), Errno> {
    Ok(())
}
