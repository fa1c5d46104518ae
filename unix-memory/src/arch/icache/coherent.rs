//! Architectures whose instruction fetches see what was stored. (x86: AMD64 manual, volume 2,
//! 7.6.1; s390: Principles of Operation, "Sequence of Storage References".) On WebAssembly no code
//! is in memory.

use super::way::InstructionCache;

pub const INSTRUCTION_CACHE: InstructionCache = InstructionCache::Coherent;
