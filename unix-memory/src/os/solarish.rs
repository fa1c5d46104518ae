//! illumos and Solaris.

use core::ffi::c_int;

pub use sys::{MAP_NORESERVE, madvise, mincore};
use unix_memory_sys as sys;

pub use super::touch::{populate, populate_write};
use crate::advice::Advice;
use crate::unchecked_advice::UncheckedAdvice;

/// There is no such flag here.
pub const MAP_POPULATE: c_int = 0;

/// The limit is a resource control of the project, which no call of POSIX tells.
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
        Advice::Cold => sys::MADV_DONTNEED,
        Advice::AccessDefault => sys::MADV_ACCESS_DEFAULT,
        Advice::AccessThread => sys::MADV_ACCESS_LWP,
        Advice::AccessMany => sys::MADV_ACCESS_MANY,
        Advice::AccessManyInSet => return super::ACCESS_MANY_PSET,
        _ => return None,
    })
}

/// The `MADV_` value of an advice that does more than advise.
pub const fn unchecked_advice(advice: UncheckedAdvice) -> Option<c_int> {
    Some(match advice {
        UncheckedAdvice::Free => sys::MADV_FREE,
        UncheckedAdvice::Purge => return super::PURGE,
        _ => return None,
    })
}

/// Whether the kernel knows the advice `value`: it was there from the start.
pub const fn knows_advice(_: c_int) -> bool {
    true
}
