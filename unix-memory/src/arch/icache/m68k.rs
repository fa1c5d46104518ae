//! 68000: the instructions for it are privileged.

use super::way::InstructionCache;

/// `FLUSH_SCOPE_LINE` of `<asm/cachectl.h>`: the lines of the range.
const LINES: usize = 1;
/// `FLUSH_CACHE_BOTH`.
const BOTH: usize = 3;

/// cacheflush(2), which takes other arguments here.
pub const INSTRUCTION_CACHE: InstructionCache =
    InstructionCache::Kernel(|start, len| [123, start, LINES, BOTH, len]);
