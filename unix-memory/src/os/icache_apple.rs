//! Making code coherent, on Apple's systems.

use core::ffi::c_void;

use crate::call::Errno;

unsafe extern "C" {
    /// `<libkern/OSCacheControl.h>`, in libSystem.
    fn sys_icache_invalidate(start: *mut c_void, len: usize);
}

/// # Safety
/// The bytes are mapped, and can be read.
#[allow(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub unsafe fn sync_instruction_cache(start: *const u8, len: usize) -> Result<(), Errno> {
    // SAFETY: as the caller vouches; no content changes.
    unsafe { sys_icache_invalidate(start.cast_mut().cast(), len) };
    Ok(())
}
