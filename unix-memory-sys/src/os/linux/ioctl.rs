//! `ioctl`, and how the numbers of this family's requests are composed: `<asm/ioctl.h>`.

use crate::types::c_int;

/// The call, with the type that the C library gives its second argument. (An alias for that type would appear
/// in the signature, and would have to be public.)
macro_rules! ioctl {
    ($request:ident) => {
        /// A request, in the type that `ioctl` takes.
        pub(super) type Request = crate::types::$request;

        unsafe extern "C" {
            /// Performs `request` on the file behind `fd`; the third argument is what the request takes.
            /// Source: ioctl(2).
            ///
            /// # Errors
            /// Returns -1 and sets `errno`: `EBADF`, `ENOTTY` for a request that this file, or an older
            /// kernel, does not know, and the errors that the documentation of the request lists.
            ///
            /// # Safety
            /// The third argument must be passed, and must be what the request takes.
            pub fn ioctl(fd: c_int, request: crate::types::$request, ...) -> c_int;
        }
    };
}

cfg_if::cfg_if! {
    if #[cfg(any(target_env = "musl", target_env = "ohos", target_os = "android"))] {
        ioctl!(c_int);
    } else {
        ioctl!(c_ulong);
    }
}

cfg_if::cfg_if! {
    if #[cfg(any(
        target_arch = "mips",
        target_arch = "mips32r6",
        target_arch = "mips64",
        target_arch = "mips64r6",
        target_arch = "powerpc",
        target_arch = "powerpc64",
        target_arch = "sparc",
        target_arch = "sparc64",
    ))] {
        const NONE: u32 = 1 << 29;
        const READ: u32 = 2 << 29;
        const WRITE: u32 = 4 << 29;
    } else {
        const NONE: u32 = 0;
        const READ: u32 = 2 << 30;
        const WRITE: u32 = 1 << 30;
    }
}

/// A request without an argument: C's `_IO`.
pub(super) const fn none(group: u8, number: u8) -> Request {
    request(NONE, group, number, 0)
}

/// A request whose argument, a `T`, the kernel writes: C's `_IOR`.
pub(super) const fn read<T>(group: u8, number: u8) -> Request {
    request(READ, group, number, size_of::<T>())
}

/// A request whose argument, a `T`, the kernel reads and writes: C's `_IOWR`.
pub(super) const fn read_write<T>(group: u8, number: u8) -> Request {
    request(READ | WRITE, group, number, size_of::<T>())
}

#[allow(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the size of a struct is a small number, and the bits of a request are the same in an int"
)]
const fn request(direction: u32, group: u8, number: u8, size: usize) -> Request {
    (direction | (size as u32) << 16 | (group as u32) << 8 | number as u32) as Request
}
