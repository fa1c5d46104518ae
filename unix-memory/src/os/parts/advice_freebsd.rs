//! Advice, as FreeBSD and DragonFly have it.

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
        Advice::DontDump => sys::MADV_NOCORE,
        Advice::DoDump => sys::MADV_CORE,
        Advice::Cold => sys::MADV_DONTNEED,
        Advice::NoSync => sys::MADV_NOSYNC,
        Advice::AutoSync => sys::MADV_AUTOSYNC,
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
