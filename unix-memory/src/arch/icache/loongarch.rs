//! LoongArch: the caches are coherent, and `ibar` makes this processor fetch again what it fetched
//! ahead. (Reference Manual, volume 1, 2.2.8.2.)

use core::arch::asm;

use super::way::InstructionCache;

pub const INSTRUCTION_CACHE: InstructionCache = InstructionCache::Instructions(sync);

/// # Safety
/// None: it accesses no memory.
unsafe fn sync(_: *const u8, _: usize) {
    // SAFETY: a barrier. [instruction]
    unsafe { asm!("ibar 0", options(nostack, preserves_flags)) };
}
