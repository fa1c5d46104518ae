//! An architecture, or a system on it, of which nobody has found out yet.

use super::way::InstructionCache;

pub const INSTRUCTION_CACHE: InstructionCache = InstructionCache::Unknown;
