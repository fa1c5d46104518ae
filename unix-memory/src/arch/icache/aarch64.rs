//! arm64: Arm Architecture Reference Manual, "Synchronization and coherency issues between data and
//! instruction accesses" (B2.7.4.2).

use core::arch::asm;

use super::InstructionCache;

pub const INSTRUCTION_CACHE: InstructionCache = InstructionCache::Instructions(sync);

/// `CTR_EL0`: data need not be cleaned to where instructions are fetched from.
const IDC: u64 = 1 << 28;
/// `CTR_EL0`: instructions need not be invalidated.
const DIC: u64 = 1 << 29;

/// # Safety
/// The bytes are mapped, and can be read.
unsafe fn sync(start: *const u8, len: usize) {
    let ctr: u64;
    // SAFETY: the register can be read by any program: where the processor traps, the kernel
    // answers in its place.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr, options(nomem, nostack, preserves_flags)) };
    // Words of the smallest line of any cache, as a binary logarithm.
    let data_line = 4 << (ctr >> 16 & 0xf);
    let instruction_line = 4 << (ctr & 0xf);
    if ctr & IDC == 0 {
        for line in lines(start, len, data_line) {
            // SAFETY: it cleans a line that holds a byte that can be read, and changes no content.
            unsafe { asm!("dc cvau, {}", in(reg) line, options(nostack, preserves_flags)) };
        }
    }
    // SAFETY: a barrier.
    unsafe { asm!("dsb ish", options(nostack, preserves_flags)) };
    if ctr & DIC == 0 {
        for line in lines(start, len, instruction_line) {
            // SAFETY: as above; the line is fetched again.
            unsafe { asm!("ic ivau, {}", in(reg) line, options(nostack, preserves_flags)) };
        }
        // SAFETY: a barrier.
        unsafe { asm!("dsb ish", options(nostack, preserves_flags)) };
    }
    // SAFETY: a barrier.
    unsafe { asm!("isb", options(nostack, preserves_flags)) };
}

/// The addresses of the lines of `size` bytes that hold a byte of the range.
fn lines(start: *const u8, len: usize, size: u64) -> impl Iterator<Item = u64> {
    let start = start.addr() as u64;
    let end = start + len as u64;
    (0..)
        .map(move |i| (start & !(size - 1)) + i * size)
        .take_while(move |&line| line < end)
}
