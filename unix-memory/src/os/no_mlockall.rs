//! Systems that cannot lock a whole process.

use core::ffi::c_int;

use super::missing::fail;

/// As on other systems.
pub const MCL_CURRENT: c_int = 1;
/// As on other systems.
pub const MCL_FUTURE: c_int = 2;

/// There is no such call here.
pub unsafe fn mlockall(_: c_int) -> c_int {
    fail(libc::ENOSYS)
}

/// There is no such call here.
pub unsafe fn munlockall() -> c_int {
    fail(libc::ENOSYS)
}
