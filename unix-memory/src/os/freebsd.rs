//! FreeBSD and DragonFly.

use core::ffi::c_int;

pub use sys::{madvise, mincore};
use unix_memory_sys as sys;

pub use super::rlimit::lock_limit;
pub use super::touch::{populate, populate_write};
use crate::advice::Advice;
use crate::unchecked_advice::UncheckedAdvice;

/// There is no such flag here: `MAP_PREFAULT_READ` maps only pages that are in memory already.
pub const MAP_POPULATE: c_int = 0;
/// There is no such flag here; nothing is ever reserved.
pub const MAP_NORESERVE: c_int = 0;

/// The `MADV_` value of `advice`.
pub const fn advice(advice: Advice) -> Option<c_int> {
    Some(match advice {
        Advice::Normal => sys::MADV_NORMAL,
        Advice::Random => sys::MADV_RANDOM,
        Advice::Sequential => sys::MADV_SEQUENTIAL,
        Advice::WillNeed => sys::MADV_WILLNEED,
        Advice::DontDump => sys::MADV_NOCORE,
        Advice::DoDump => sys::MADV_CORE,
        Advice::Cold => sys::MADV_DONTNEED,
        Advice::NoSync => sys::MADV_NOSYNC,
        Advice::AutoSync => sys::MADV_AUTOSYNC,
        Advice::Protect => return super::PROTECT,
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

/// Whether the kernel knows the advice `value`: it was there from the start.
pub const fn knows_advice(_: c_int) -> bool {
    true
}
