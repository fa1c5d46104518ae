//! C-SKY: the instructions for it are privileged.

use super::way::InstructionCache;

/// `BCACHE` of `<asm/cachectl.h>`: both caches.
const BOTH: usize = 3;

/// `__NR_cacheflush` of `<asm/unistd.h>`.
pub const INSTRUCTION_CACHE: InstructionCache =
    InstructionCache::Kernel(|start, len| [245, start, len, BOTH, 0]);
