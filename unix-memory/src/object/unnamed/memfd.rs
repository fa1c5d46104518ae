//! Unnamed shared memory on systems with memfds.

use crate::error::Result;
use crate::object::memfd::MemfdOptions;
use crate::object::shared_memory::SharedMemory;

/// An empty object.
pub fn unnamed() -> Result<SharedMemory> {
    MemfdOptions::new().create(0)
}
