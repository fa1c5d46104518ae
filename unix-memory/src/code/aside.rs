//! Code that is written elsewhere, and copied to where it is executed.

use super::way::Way;
use super::{dual, jit};
use crate::error::{Call, Result};

/// Memory that can be executed all the time, and is written by copies.
pub enum Aside {
    Dual(dual::Memory),
    Jit(jit::Memory),
}

#[allow(
    clippy::match_same_arms,
    reason = "where neither exists, both are of one type"
)]
impl Aside {
    pub const fn way(&self) -> Way {
        match *self {
            Self::Dual(_) => Way::DualMapping,
            Self::Jit(_) => Way::Jit,
        }
    }

    /// The address at which the code is executed.
    pub const fn as_ptr(&self) -> *const u8 {
        match *self {
            Self::Dual(ref memory) => memory.as_ptr(),
            Self::Jit(ref memory) => memory.as_ptr(),
        }
    }

    pub const fn len(&self) -> usize {
        match *self {
            Self::Dual(ref memory) => memory.len(),
            Self::Jit(ref memory) => memory.len(),
        }
    }

    /// Copies out of it, from `offset` on.
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in it; and the errors of
    /// [`SharedMapping::read_at`](crate::SharedMapping::read_at).
    pub fn read(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        match *self {
            Self::Dual(ref memory) => memory.read(offset, buffer),
            Self::Jit(ref memory) => memory.read(offset, buffer),
        }
    }

    /// Copies into it, from `offset` on, and makes the bytes coherent. An error before the copy names
    /// `call`.
    ///
    /// # Errors
    /// Those of [`read`](Self::read); `EPERM` if it belongs to another process; `ENOSYS` if this crate does
    /// not know how to make code coherent.
    pub fn write(&mut self, call: Call, offset: usize, bytes: &[u8]) -> Result<()> {
        match *self {
            Self::Dual(ref mut memory) => memory.write(call, offset, bytes),
            Self::Jit(ref mut memory) => memory.write(call, offset, bytes),
        }
    }
}
