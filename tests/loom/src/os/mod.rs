//! A system that gives pages, and has no advice.

use std::ffi::c_int;
use std::ptr::NonNull;

use crate::advice::Advice;
use crate::advice::unchecked::UncheckedAdvice;
use crate::error::Errno;

pub mod call;

pub const GIVE_BACK: &[c_int] = &[];
pub const MCL_FUTURE: c_int = libc::MCL_FUTURE;
pub const MCL_ONFAULT: c_int = libc::MCL_ONFAULT;

pub const fn advice(advice: Advice) -> Option<c_int> {
    match advice {
        Advice::DoFork => None,
    }
}

pub const fn unchecked_advice(_: UncheckedAdvice) -> Option<c_int> {
    None
}

pub const unsafe fn madvise(_: NonNull<u8>, _: usize, _: c_int) -> Result<(), Errno> {
    Err(libc::EINVAL)
}

pub const unsafe fn remap(
    _: NonNull<u8>,
    _: usize,
    _: usize,
    _: bool,
) -> Result<NonNull<u8>, Errno> {
    Err(libc::ENOSYS)
}

pub const fn mlockall(_: c_int) -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

pub const fn stop_locking_future() -> Result<(), Errno> {
    Err(libc::ENOSYS)
}
