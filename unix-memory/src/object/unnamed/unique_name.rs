//! Unnamed shared memory, where every object has a name: one that is removed at once.

use crate::error::{Error, Result};
use crate::object::named::NamedMemory;
use crate::object::shared_memory::SharedMemory;

/// An empty object.
pub fn unnamed() -> Result<SharedMemory> {
    NamedMemory::create_unique(0)?.unlink().map_err(Error::from)
}
