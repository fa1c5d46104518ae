//! Code in memory that one thread can write while others execute it: `MAP_JIT` of Apple's systems.

use crate::error::{Call, Result};
use crate::map::options::MapOptions;
use crate::mapping::Mapping;
use crate::os;
use crate::page::check_span;
use crate::protection::ReadWriteExecute;

/// The mapping. Its type allows writing, but the processor allows it only to a thread that has
/// asked for it, so the mapping is never handed out.
pub struct Memory {
    mapping: Mapping<ReadWriteExecute>,
}

/// Maps `len` zeroed bytes.
///
/// # Errors
/// Those of [`MapOptions::map_anonymous`] and [`MapOptions::jit`].
pub fn make(len: usize) -> Result<Memory> {
    // SAFETY: only `write` writes to it, and asks for that right first. [borrowed]
    let options = unsafe { MapOptions::new().len(len).jit() };
    let mapping = options.map_anonymous(ReadWriteExecute)?;
    Ok(Memory { mapping })
}

/// While this lives, the calling thread can write to such memory and cannot execute it. A thread
/// never has more than one, since only this crate's code runs meanwhile.
struct Writing;

impl Writing {
    fn begin() -> Self {
        os::jit_write_protect(false);
        Self
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        os::jit_write_protect(true);
    }
}

impl Memory {
    pub const fn as_ptr(&self) -> *const u8 {
        self.mapping.as_ptr()
    }

    pub const fn len(&self) -> usize {
        self.mapping.len()
    }

    /// # Errors
    /// `EINVAL` for a range that does not lie in the memory.
    pub fn read(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        check_span(Call::Read, offset, buffer.len(), self.len())?;
        buffer.copy_from_slice(&self.mapping[offset..offset + buffer.len()]);
        Ok(())
    }

    /// Writes `bytes`, and makes them coherent.
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in the memory.
    pub fn write(&mut self, call: Call, offset: usize, bytes: &[u8]) -> Result<()> {
        check_span(call, offset, bytes.len(), self.len())?;
        let range = offset..offset + bytes.len();
        let writing = Writing::begin();
        self.mapping[range.clone()].copy_from_slice(bytes);
        drop(writing);
        self.mapping.sync_instruction_cache(range)
    }
}
