//! Systems on which no handler of faults is installed: the kernel copies.

use crate::error::Errno;

/// Whether there can be one.
pub const AVAILABLE: bool = false;

/// There is none.
///
/// # Errors
/// `ENOSYS`.
pub const fn install() -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// Nothing is to be done.
///
/// # Errors
/// None.
#[allow(clippy::unnecessary_wraps, reason = "other systems have one")]
pub const fn uninstall() -> Result<(), Errno> {
    Ok(())
}

/// Whether copies rely on it.
pub const fn is_used() -> bool {
    false
}

/// Whether it is there.
///
/// # Errors
/// None.
#[allow(clippy::unnecessary_wraps, reason = "other systems ask")]
pub const fn is_in_place() -> Result<bool, Errno> {
    Ok(false)
}

/// Whether it is installed and this thread lets it run.
pub const fn is_ready() -> bool {
    false
}
