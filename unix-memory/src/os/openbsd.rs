//! OpenBSD.

use core::ffi::c_int;

pub use sys::{MAP_NORESERVE, madvise};
use unix_memory_sys as sys;

pub use super::missing::mincore;
pub use super::rlimit::lock_limit;
pub use super::touch::{populate, populate_write};
use crate::advice::Advice;
use crate::unchecked_advice::UncheckedAdvice;

/// There is no such flag here.
pub const MAP_POPULATE: c_int = 0;

/// The `MADV_` value of `advice`.
pub const fn advice(advice: Advice) -> Option<c_int> {
    Some(match advice {
        Advice::Normal => sys::MADV_NORMAL,
        Advice::Random => sys::MADV_RANDOM,
        Advice::Sequential => sys::MADV_SEQUENTIAL,
        Advice::WillNeed => sys::MADV_WILLNEED,
        Advice::Cold => sys::MADV_DONTNEED,
        Advice::SpaceAvail => sys::MADV_SPACEAVAIL,
        _ => return None,
    })
}

/// The `MADV_` value of an advice that does more than advise.
pub const fn unchecked_advice(advice: UncheckedAdvice) -> Option<c_int> {
    Some(match advice {
        UncheckedAdvice::Free => sys::MADV_FREE,
        _ => return None,
    })
}

/// Whether the kernel knows the advice `value`: it has a name for one that it refuses.
pub const fn knows_advice(value: c_int) -> bool {
    value != sys::MADV_SPACEAVAIL
}
