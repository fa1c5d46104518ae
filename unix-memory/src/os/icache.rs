//! Making code coherent, where the system leaves it to the program.

use crate::arch::{INSTRUCTION_CACHE, InstructionCache};
use crate::call::Errno;

/// # Safety
/// The bytes are mapped, and can be read.
pub unsafe fn sync_instruction_cache(start: *const u8, len: usize) -> Result<(), Errno> {
    match INSTRUCTION_CACHE {
        InstructionCache::Coherent => Ok(()),
        InstructionCache::Instructions(sync) => {
            // SAFETY: as the caller vouches.
            unsafe { sync(start, len) };
            Ok(())
        }
        InstructionCache::Kernel(_) | InstructionCache::Unknown => Err(libc::ENOSYS),
    }
}
