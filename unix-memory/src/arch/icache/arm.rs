//! 32-bit Arm: the instructions for it are privileged.

use super::way::InstructionCache;

/// `__ARM_NR_cacheflush`, of `<asm/unistd.h>`: begin, end, and no flags.
pub const INSTRUCTION_CACHE: InstructionCache =
    InstructionCache::Kernel(|start, len| [0x000f_0002, start, start + len, 0, 0]);
