//! Systems on which no handler of faults is installed: the kernel copies.

use crate::error::Errno;

/// Whether there can be a handler.
pub const AVAILABLE: bool = false;

/// There is no handler.
///
/// # Errors
/// `ENOSYS`.
pub const fn install() -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// There is nothing to do.
///
/// # Errors
/// None.
#[allow(clippy::unnecessary_wraps, reason = "other systems have one")]
pub const fn uninstall() -> Result<(), Errno> {
    Ok(())
}

/// Returns whether copies rely on the handler.
pub const fn is_used() -> bool {
    false
}

/// Returns whether it is in place.
///
/// # Errors
/// None.
#[allow(clippy::unnecessary_wraps, reason = "other systems ask")]
pub const fn is_in_place() -> Result<bool, Errno> {
    Ok(false)
}

/// Returns whether it is installed and this thread lets it run.
pub const fn is_ready() -> bool {
    false
}
