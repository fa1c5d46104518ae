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

/// What became of a handler that was installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "other systems have one")]
pub enum Status {
    Unused,
    InPlace,
    Replaced,
}

/// None is used.
#[allow(clippy::unnecessary_wraps, reason = "other systems ask the kernel")]
pub const fn status() -> Result<Status, Errno> {
    Ok(Status::Unused)
}

/// There is nothing to do.
pub const fn disable() {}

/// Whether it is installed and this thread lets it run.
pub const fn is_ready() -> bool {
    false
}
