//! Unnamed shared memory, where every object has a name: one that is removed at once.

use super::named::NamedMemory;
use crate::error::{Error, Result};
use crate::object::SharedMemory;

/// An object of no bytes.
pub fn unnamed() -> Result<SharedMemory> {
    NamedMemory::create_unique(0)?.unlink().map_err(Error::from)
}
