//! SPARC: `flush`, of a doubleword. (SPARC Architecture Manual, version 9, A.20.) Inline assembly
//! is not stable for it in the Rust that this crate promises to build with, so the instructions are
//! here as words.

use super::code::{self, as_function};
use super::way::InstructionCache;

pub const INSTRUCTION_CACHE: InstructionCache = InstructionCache::Instructions(sync);

const DOUBLEWORD: usize = 8;
/// How many at once: the function counts in 32 bits.
const MOST: usize = 1 << 30;

/// A function of the first doubleword's address, in %o0, and the number of them, not zero, in %o1.
/// A leaf: it uses these registers alone.
#[unsafe(link_section = ".text")]
static CODE: code::Words<6> = code::Words([
    0x81da_0000, // 1: flush %o0
    0x92a2_6001, //    subcc %o1, 1, %o1
    0x12bf_fffe, //    bne   1b
    0x9002_2008, //     add  %o0, 8, %o0
    0x81c3_e008, //    retl
    0x0100_0000, //     nop
]);

/// # Safety
/// The bytes are mapped, and can be read.
unsafe fn sync(start: *const u8, len: usize) {
    let before = start.addr() % DOUBLEWORD;
    let mut start = start.wrapping_sub(before);
    let mut left = (before + len).div_ceil(DOUBLEWORD);
    while left != 0 {
        let count = left.min(MOST);
        // SAFETY: the words are a function of these arguments, which changes no content.
        // [instruction]
        unsafe { as_function(&CODE, start, count) };
        start = start.wrapping_add(count * DOUBLEWORD);
        left -= count;
    }
}
