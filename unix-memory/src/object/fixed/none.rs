//! Systems where anybody who has memory can change its length and content.

use std::os::fd::BorrowedFd;

use crate::error::Result;
use crate::map::facts::Facts;
use crate::map::options::MapOptions;
use crate::mapping::Mapping;
use crate::object::shared_memory::SharedMemory;
use crate::protection::ReadOnly;

/// Makes `len` bytes.
pub fn fixed_len(len: u64) -> Result<SharedMemory> {
    SharedMemory::unnamed(len)
}

/// There is nothing to check.
#[allow(clippy::unnecessary_wraps, reason = "other systems ask")]
pub const fn check_fixed_len(_: &SharedMemory) -> Result<()> {
    Ok(())
}

/// Every file can be changed.
pub const fn map_fixed_content(
    _: BorrowedFd<'_>,
    _: &Facts,
    _: MapOptions,
) -> Option<(Mapping<ReadOnly>, bool)> {
    None
}
