//! Unnamed shared memory, where there are memfds.

use super::memfd::MemfdOptions;
use crate::error::Result;
use crate::object::SharedMemory;

/// An object of no bytes.
pub fn unnamed() -> Result<SharedMemory> {
    MemfdOptions::new().create(0)
}
