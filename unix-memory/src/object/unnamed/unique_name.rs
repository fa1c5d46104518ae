//! Unnamed shared memory on systems where every object has a name: the name is removed at once.

use crate::error::{Error, Result};
use crate::object::named::NamedMemory;
use crate::object::shared_memory::SharedMemory;

/// An empty object.
pub fn unnamed() -> Result<SharedMemory> {
    NamedMemory::create_unique(0)?.unlink().map_err(Error::from)
}
