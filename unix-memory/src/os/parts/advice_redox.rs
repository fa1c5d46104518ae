//! Advice, as Redox and L4Re have it.

use core::ffi::c_int;

use unix_memory_sys as sys;

use crate::advice::Advice;
use crate::advice::unchecked::UncheckedAdvice;

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
