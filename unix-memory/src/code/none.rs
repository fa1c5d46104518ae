//! The answer on systems that lack this way.

use crate::error::{Arguments, Call, Error, Reason, Result};

/// Has no values.
pub enum Memory {}

/// # Errors
/// `ENOSYS` with [`Reason::Unsupported`].
pub const fn make(len: usize) -> Result<Memory> {
    let arguments = Arguments::Length(len);
    Err(Error::new(
        Call::Mmap,
        libc::ENOSYS,
        arguments,
        Reason::Unsupported,
    ))
}

impl Memory {
    pub const fn as_ptr(&self) -> *const u8 {
        match *self {}
    }

    pub const fn len(&self) -> usize {
        match *self {}
    }

    pub const fn read(&self, _: usize, _: &mut [u8]) -> Result<()> {
        match *self {}
    }

    pub const fn write(&mut self, _: Call, _: usize, _: &[u8]) -> Result<()> {
        match *self {}
    }
}
