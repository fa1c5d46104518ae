//! MIPS: cacheflush(2), as how to do it differs between processors.

use super::{CACHEFLUSH, InstructionCache};

/// Both the instruction cache and that of data: `BCACHE` of `<asm/cachectl.h>`.
const BOTH: usize = 3;

pub const INSTRUCTION_CACHE: InstructionCache =
    InstructionCache::Kernel(|start, len| [CACHEFLUSH, start, len, BOTH, 0]);
