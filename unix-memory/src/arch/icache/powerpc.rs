//! PowerPC: Power ISA, book II, 1.8 "Instruction Storage". Inline assembly is not stable for it in
//! the Rust that this crate promises to build with, so the instructions are here as words.

use super::code::{self, as_function};
use super::way::InstructionCache;

pub const INSTRUCTION_CACHE: InstructionCache = InstructionCache::Instructions(sync);

/// The smallest line of a cache; on processors with longer ones some instructions are redundant.
const LINE: usize = 32;

/// A function of the first line's address, in r3, and the number of lines, not zero, in r4. It uses
/// only registers that a function may change.
#[unsafe(link_section = ".text")]
static CODE: code::Words<13> = code::Words([
    0x7c89_03a6, //    mtctr 4
    0x7c65_1b78, //    mr    5,3
    0x7c00_286c, // 1: dcbst 0,5
    0x38a5_0020, //    addi  5,5,32
    0x4200_fff8, //    bdnz  1b
    0x7c00_04ac, //    sync
    0x7c89_03a6, //    mtctr 4
    0x7c00_1fac, // 2: icbi  0,3
    0x3863_0020, //    addi  3,3,32
    0x4200_fff8, //    bdnz  2b
    0x7c00_04ac, //    sync
    0x4c00_012c, //    isync
    0x4e80_0020, //    blr
]);

/// # Safety
/// The bytes are mapped, and can be read.
unsafe fn sync(start: *const u8, len: usize) {
    let before = start.addr() % LINE;
    let lines = (before + len).div_ceil(LINE);
    if lines != 0 {
        // SAFETY: the words are a function of these arguments, which changes no content.
        // [instruction]
        unsafe { as_function(&CODE, start.wrapping_sub(before), lines) };
    }
}
