//! Systems on which no handler of faults is installed.

use crate::call::Errno;

/// Whether there can be one.
pub const AVAILABLE: bool = false;

/// There is none.
///
/// # Errors
/// `ENOSYS`.
pub const fn install() -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// Whether it is installed and this thread lets it run.
pub const fn is_ready() -> bool {
    false
}
