//! The rights of a thread over memory that has a protection key, on x86-64: the register PKRU.
//! (Intel manual, volume 3, 4.6.2 "Protection Keys".)

use core::arch::asm;

/// Whether this architecture's rights can be set here.
pub const KEYS: bool = true;

/// Sets what the calling thread may not do with memory that has `key`: the bits of `PKEY_DISABLE_`.
/// Returns what it was.
///
/// # Safety
/// The kernel has given `key` out, so that the processor has the register; and the rights allow every
/// reference that this thread has to memory with it.
pub unsafe fn set_key_rights(key: u32, rights: u32) -> u32 {
    let old: u32;
    // SAFETY: as the caller vouches; it reads a register. [caller, instruction]
    unsafe { asm!("rdpkru", in("ecx") 0, out("eax") old, out("edx") _, options(nomem, nostack)) };
    let shift = 2 * key;
    let new = old & !(3 << shift) | rights << shift;
    // No `nomem`, so that memory is accessed neither earlier nor later than the rights allow.
    // SAFETY: as the caller vouches. [caller, instruction]
    unsafe { asm!("wrpkru", in("eax") new, in("ecx") 0, in("edx") 0, options(nostack)) };
    old >> shift & 3
}
