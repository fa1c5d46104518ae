//! Redox and L4Re.

use core::ffi::c_int;

pub use sys::madvise;
use unix_memory_sys as sys;

pub use super::missing::mincore;
pub use super::touch::{populate, populate_write};
use crate::advice::Advice;
use crate::unchecked_advice::UncheckedAdvice;

/// There is no such flag here.
pub const MAP_POPULATE: c_int = 0;
/// There is no such flag here.
pub const MAP_NORESERVE: c_int = 0;

/// No limit that a call tells.
pub const fn lock_limit() -> Option<u64> {
    None
}

/// The `MADV_` value of `advice`.
pub const fn advice(advice: Advice) -> Option<c_int> {
    Some(match advice {
        Advice::Normal => sys::MADV_NORMAL,
        Advice::Random => sys::MADV_RANDOM,
        Advice::Sequential => sys::MADV_SEQUENTIAL,
        Advice::WillNeed => sys::MADV_WILLNEED,
        _ => return None,
    })
}

/// No advice that does more than advise.
pub const fn unchecked_advice(_: UncheckedAdvice) -> Option<c_int> {
    None
}

/// Whether the kernel knows the advice `value`: it was there from the start.
pub const fn knows_advice(_: c_int) -> bool {
    true
}
