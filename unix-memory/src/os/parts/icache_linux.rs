//! Making code coherent, on Linux and Android.

use core::ffi::c_long;

use crate::arch::INSTRUCTION_CACHE;
use crate::error::Errno;
use crate::os::call;

/// # Safety
/// The bytes are mapped, and can be read.
pub unsafe fn sync_instruction_cache(start: *const u8, len: usize) -> Result<(), Errno> {
    let by_kernel = |arguments: fn(usize, usize) -> [usize; 5]| {
        #[allow(clippy::cast_possible_wrap, reason = "as registers hold them")]
        let [number, a, b, c, d] = arguments(start.addr(), len).map(|word| word as c_long);
        // SAFETY: the call is that of this architecture, and changes no content.
        // [arguments, harmless]
        match unsafe { libc::syscall(number, a, b, c, d) } {
            -1 => Err(call::errno()),
            _ => Ok(()),
        }
    };
    // SAFETY: as the caller vouches. [caller]
    unsafe { INSTRUCTION_CACHE.sync(start, len, by_kernel) }
}
