//! Apple's systems.

use core::ffi::c_int;
use core::ptr::NonNull;

pub use sys::{MAP_NORESERVE, madvise, mincore};
use unix_memory_sys as sys;

pub use super::rlimit::lock_limit;
pub use super::touch::{populate, populate_write};
use crate::advice::Advice;
use crate::call;
use crate::page::page_size;
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
        Advice::PageOut => sys::MADV_PAGEOUT,
        Advice::ZeroWiredPages => sys::MADV_ZERO_WIRED_PAGES,
        Advice::FreeReuse => sys::MADV_FREE_REUSE,
        Advice::CanReuse => sys::MADV_CAN_REUSE,
        _ => return None,
    })
}

/// The `MADV_` value of an advice that does more than advise.
pub const fn unchecked_advice(advice: UncheckedAdvice) -> Option<c_int> {
    Some(match advice {
        UncheckedAdvice::Free => sys::MADV_FREE,
        UncheckedAdvice::FreeReusable => sys::MADV_FREE_REUSABLE,
        UncheckedAdvice::Zero => sys::MADV_ZERO,
        _ => return None,
    })
}

/// Whether the kernel knows the advice `value`: it looks at that before it sees that there is
/// nothing to advise on.
pub fn knows_advice(value: c_int) -> bool {
    let address = core::ptr::without_provenance_mut(page_size());
    NonNull::new(address).is_some_and(|address| {
        // SAFETY: no bytes are advised on.
        unsafe { call::madvise(address, 0, value) }.is_ok()
    })
}

/// Here the mode is one of a variable number of arguments.
///
/// # Safety
/// As that of unix-memory-sys.
#[cfg(feature = "std")]
pub unsafe fn shm_open(name: *const core::ffi::c_char, flags: c_int, mode: sys::mode_t) -> c_int {
    // SAFETY: the caller vouches for the name.
    unsafe { sys::shm_open(name, flags, core::ffi::c_uint::from(mode)) }
}
