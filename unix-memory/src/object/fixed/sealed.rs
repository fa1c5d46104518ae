//! Memory whose length or content nobody can change: memfds with seals, and files with fs-verity.

use std::os::fd::BorrowedFd;

use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::map::facts::Facts;
use crate::map::options::MapOptions;
use crate::mapping::Mapping;
use crate::object::memfd::MemfdOptions;
use crate::object::sealed::{map_unchanging, unchanging};
use crate::object::seals::Seals;
use crate::object::shared_memory::{SharedMemory, clone};
use crate::os;
use crate::protection::ReadOnly;

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

/// Maps a file whose content nobody can change any more, if it is such a file and can be mapped, and
/// returns whether seals protect it; otherwise fs-verity does.
pub fn map_fixed_content(
    fd: BorrowedFd<'_>,
    facts: &Facts,
    options: MapOptions,
) -> Option<(Mapping<ReadOnly>, bool)> {
    if facts.is_on_disk && !os::is_verified(fd) {
        // Not a memfd, so that it has no seals either.
        return None;
    }
    let _seals = unchanging(fd).ok()?;
    let file = SharedMemory::from(clone(fd).ok()?);
    let (mapping, seals) = map_unchanging(&file, options).ok()?;
    Some((mapping, seals.is_some()))
}
