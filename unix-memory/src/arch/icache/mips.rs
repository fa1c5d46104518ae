//! MIPS: cacheflush(2), since the way to do it differs between processors.

use super::way::InstructionCache;

/// Both the instruction cache and that of data: `BCACHE` of `<asm/cachectl.h>`.
const BOTH: usize = 3;

/// By the call that has this number.
pub const fn cacheflush<const NUMBER: usize>() -> InstructionCache {
    InstructionCache::Kernel(|start, len| [NUMBER, start, len, BOTH, 0])
}
