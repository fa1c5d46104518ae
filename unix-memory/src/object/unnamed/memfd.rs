//! Unnamed shared memory, where there are memfds.

use crate::error::Result;
use crate::object::memfd::MemfdOptions;
use crate::object::shared_memory::SharedMemory;

/// An empty object.
pub fn unnamed() -> Result<SharedMemory> {
    MemfdOptions::new().create(0)
}
