//! Whether a file has seals: what a memfd refuses permanently.

use core::ffi::c_int;
use std::os::fd::BorrowedFd;

use unix_memory_sys as sys;

use crate::os::call;

/// Whether the file behind `fd` has a seal against a change of its length or content.
pub fn is_sealed(fd: BorrowedFd<'_>) -> bool {
    const CHANGES: c_int = sys::F_SEAL_SHRINK | sys::F_SEAL_GROW | sys::F_SEAL_WRITE | MORE;
    // SAFETY: the command ignores its argument. [arguments]
    unsafe { call::fcntl(fd, sys::F_GET_SEALS, 0) }.is_ok_and(|seals| seals & CHANGES != 0)
}

/// `F_SEAL_FUTURE_WRITE` of Linux. (Of FreeBSD's seals none has this value.)
const MORE: c_int = 0x10;
