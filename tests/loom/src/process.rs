//! The one process that there is.

use crate::error::Errno;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process;

impl Process {
    pub const fn current() -> Result<Self, Errno> {
        Ok(Self)
    }

    pub const fn is_current(self) -> bool {
        true
    }

    pub const fn number(self) -> u32 {
        1
    }
}
