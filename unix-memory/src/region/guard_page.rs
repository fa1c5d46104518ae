//! Pages where any access raises SIGSEGV, although they are part of an accessible mapping.

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::advice::unchecked::UncheckedAdvice;
use crate::os;
use crate::page::Pages;

/// Makes `pages` guards (`MADV_GUARD_INSTALL`), and returns whether it did. Only Linux can: since
/// 6.13, for locked pages since 6.15. They stay guards whatever their protection becomes, in children
/// too, until they are unmapped.
///
/// # Safety
/// They are the caller's, private and anonymous, nothing refers to them, and their content is given
/// up.
pub unsafe fn install(pages: Pages) -> bool {
    let Some(value) = os::unchecked_advice(UncheckedAdvice::GuardInstall) else {
        return false;
    };
    // SAFETY: as the caller vouches. [caller]
    looks_at_advice() && unsafe { os::madvise(pages.start, pages.len, value) }.is_ok()
}

/// Whether the kernel refuses advice that does not exist. An emulator may report success for any
/// advice and do nothing: such a guard would not stop anybody.
fn looks_at_advice() -> bool {
    /// No system has such advice.
    const NO_ADVICE: c_int = 0x7eed_beef;
    static DOES: AtomicBool = AtomicBool::new(false);

    // Relaxed: the value is the same whoever stores it.
    if DOES.load(Ordering::Relaxed) {
        return true;
    }
    let does = !os::knows_advice(NO_ADVICE);
    DOES.store(does, Ordering::Relaxed);
    does
}
