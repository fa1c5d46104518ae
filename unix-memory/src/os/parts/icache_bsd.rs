//! Making code coherent, on FreeBSD, NetBSD and OpenBSD.

use crate::arch::{self, INSTRUCTION_CACHE};
use crate::error::Errno;

/// # Safety
/// The bytes are mapped, and can be read.
pub unsafe fn sync_instruction_cache(start: *const u8, len: usize) -> Result<(), Errno> {
    // SAFETY: as the caller vouches. [caller]
    let by_kernel = |_| match unsafe { arch::sysarch(start.addr(), len) } {
        0 => Ok(()),
        // As where there is no such call.
        _ => Err(libc::ENOSYS),
    };
    // SAFETY: as the caller vouches. [caller]
    unsafe { INSTRUCTION_CACHE.sync(start, len, by_kernel) }
}
