//! RISC-V: `fence.i` affects only the processor that executes it, and a thread may be moved.

use super::way::InstructionCache;

/// `__NR_riscv_flush_icache`, of `<asm/unistd.h>`, since Linux 4.15: begin, end, and no flags,
/// which is for every thread of the process.
pub const INSTRUCTION_CACHE: InstructionCache =
    InstructionCache::Kernel(|start, len| [259, start, start + len, 0, 0]);
