//! The BSDs' call for what only one architecture has.

use core::ffi::{c_int, c_void};

unsafe extern "C" {
    #[link_name = "sysarch"]
    fn system_architecture(number: c_int, arguments: *mut c_void) -> c_int;
}

/// `ARM_SYNC_ICACHE` of FreeBSD and NetBSD, `RISCV_SYNC_ICACHE` of OpenBSD, and `MIPS_CACHEFLUSH`
/// of NetBSD, of each `<machine/sysarch.h>`.
const SYNC: c_int = 0;

/// Their arguments: an address and a length, and on MIPS which caches: both.
#[repr(C)]
struct Arguments {
    address: usize,
    len: usize,
    caches: c_int,
}

/// # Safety
/// The range is mapped.
pub unsafe fn sysarch(address: usize, len: usize) -> c_int {
    let mut arguments = Arguments {
        address,
        len,
        caches: 3,
    };
    // SAFETY: the kernel reads the arguments; it changes no content. [arguments, harmless]
    unsafe { system_architecture(SYNC, (&raw mut arguments).cast()) }
}
