//! Memory whose length nobody can change: memfds with seals.

use super::memfd::MemfdOptions;
use super::sealed::Seals;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::object::SharedMemory;

/// Makes `len` bytes.
pub fn fixed_len(len: u64) -> Result<SharedMemory> {
    let memory = MemfdOptions::new().sealing(true).create(len)?;
    memory.add_seals(Seals::SHRINK | Seals::GROW | Seals::SEAL)?;
    Ok(memory)
}

/// Refuses what could become shorter.
pub fn check_fixed_len(memory: &SharedMemory) -> Result<()> {
    if memory.seals()?.contains(Seals::SHRINK) {
        return Ok(());
    }
    let reason = Reason::SealsMissing {
        shrink: true,
        write: false,
    };
    Err(Error::new(
        Call::GetSeals,
        libc::EPERM,
        Arguments::None,
        reason,
    ))
}
