//! An architecture, or a system on it, whose way is not known yet.

use super::way::InstructionCache;

pub const INSTRUCTION_CACHE: InstructionCache = InstructionCache::Unknown;
