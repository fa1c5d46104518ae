//! The calls that a C library rustc promises may lack, made by number.
//!
//! rustc's gnu targets promise glibc 2.17; `mlock2` and `memfd_create` came with 2.27. The C
//! library's `syscall` sets `errno` as its own wrappers do, so nobody sees the difference; on a
//! kernel without the call it is `ENOSYS`. Held against <asm/unistd.h>.

use super::syscall;
use crate::types::{c_char, c_int, c_long, c_uint, c_void, size_t};

cfg_if::cfg_if! {
    if #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))] {
        const SYS_MEMFD_CREATE: c_long = 319;
        const SYS_MLOCK2: c_long = 325;
    } else if #[cfg(target_arch = "x86_64")] {
        // x32 marks its calls with a bit.
        const SYS_MEMFD_CREATE: c_long = 0x4000_0000 + 319;
        const SYS_MLOCK2: c_long = 0x4000_0000 + 325;
    } else if #[cfg(target_arch = "x86")] {
        const SYS_MEMFD_CREATE: c_long = 356;
        const SYS_MLOCK2: c_long = 376;
    } else if #[cfg(target_arch = "arm")] {
        const SYS_MEMFD_CREATE: c_long = 385;
        const SYS_MLOCK2: c_long = 390;
    } else if #[cfg(any(target_arch = "powerpc", target_arch = "powerpc64"))] {
        const SYS_MEMFD_CREATE: c_long = 360;
        const SYS_MLOCK2: c_long = 378;
    } else if #[cfg(target_arch = "s390x")] {
        const SYS_MEMFD_CREATE: c_long = 350;
        const SYS_MLOCK2: c_long = 374;
    } else if #[cfg(any(target_arch = "sparc", target_arch = "sparc64"))] {
        const SYS_MEMFD_CREATE: c_long = 348;
        const SYS_MLOCK2: c_long = 356;
    } else if #[cfg(any(target_arch = "mips", target_arch = "mips32r6"))] {
        const SYS_MEMFD_CREATE: c_long = 4354;
        const SYS_MLOCK2: c_long = 4359;
    } else if #[cfg(any(target_arch = "mips64", target_arch = "mips64r6"))] {
        const SYS_MEMFD_CREATE: c_long = 5314;
        const SYS_MLOCK2: c_long = 5319;
    } else if #[cfg(target_arch = "m68k")] {
        const SYS_MEMFD_CREATE: c_long = 353;
        const SYS_MLOCK2: c_long = 375;
    } else if #[cfg(target_arch = "xtensa")] {
        const SYS_MEMFD_CREATE: c_long = 340;
        const SYS_MLOCK2: c_long = 349;
    } else {
        // The kernel's generic table: aarch64, csky, hexagon, loongarch64, riscv.
        const SYS_MEMFD_CREATE: c_long = 279;
        const SYS_MLOCK2: c_long = 284;
    }
}

/// Makes an anonymous file in memory and returns its descriptor; `name` only shows in
/// `/proc/self/fd`. Source: memfd_create(2), Linux 3.17.
///
/// # Errors
/// Returns -1 and sets `errno`: `EFAULT` for a bad `name`, `EINVAL` for bad flags or a name longer
/// than 249 bytes, `EMFILE`, `ENFILE`, `ENOMEM`, `EPERM` for huge pages without the privilege,
/// `ENOSYS` on older kernels.
///
/// # Safety
/// `name` must point to a string that ends in NUL.
#[must_use]
pub unsafe extern "C" fn memfd_create(name: *const c_char, flags: c_uint) -> c_int {
    // SAFETY: the arguments are those of memfd_create(2), and the caller vouches for `name`.
    truncate(unsafe { syscall(SYS_MEMFD_CREATE, name, flags) })
}

/// Like `mlock`; with `MLOCK_ONFAULT` pages are locked as they are brought in. Source: mlock2(2),
/// Linux 4.4.
///
/// # Errors
/// Returns -1 and sets `errno`: as `mlock`, `EINVAL` for bad flags, `ENOSYS` on older kernels.
///
/// # Safety
/// The range must be the caller's own; no content changes.
#[must_use]
pub unsafe extern "C" fn mlock2(addr: *const c_void, len: size_t, flags: c_uint) -> c_int {
    // SAFETY: the arguments are those of mlock2(2), which changes no content.
    truncate(unsafe { syscall(SYS_MLOCK2, addr, len, flags) })
}

/// A descriptor, 0 or -1, as the C library's wrapper would return it.
#[allow(
    clippy::cast_possible_truncation,
    reason = "the kernel returns an int here"
)]
const fn truncate(result: c_long) -> c_int {
    result as c_int
}
