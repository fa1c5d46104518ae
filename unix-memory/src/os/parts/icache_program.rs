//! Making code coherent, where the system leaves it to the program.

use crate::arch::INSTRUCTION_CACHE;
use crate::error::Errno;

/// # Safety
/// The bytes are mapped, and can be read.
pub unsafe fn sync_instruction_cache(start: *const u8, len: usize) -> Result<(), Errno> {
    // SAFETY: as the caller vouches. [caller]
    unsafe { INSTRUCTION_CACHE.sync(start, len, |_| Err(libc::ENOSYS)) }
}
