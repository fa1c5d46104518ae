//! Making code coherent, on FreeBSD, NetBSD and OpenBSD.

use crate::arch::{self, INSTRUCTION_CACHE, InstructionCache};
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
        // SAFETY: as the caller vouches.
        InstructionCache::Kernel(_) => match unsafe { arch::sysarch(start.addr(), len) } {
            0 => Ok(()),
            // As where there is no such call.
            _ => Err(libc::ENOSYS),
        },
        InstructionCache::Unknown => Err(libc::ENOSYS),
    }
}
