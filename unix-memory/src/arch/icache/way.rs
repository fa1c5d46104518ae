//! The ways to make code coherent that architectures have.

use crate::error::Errno;

/// How instructions that were written as data become instructions that can be fetched.
#[allow(dead_code, reason = "each architecture has one of them")]
pub enum InstructionCache {
    /// The hardware takes care of it.
    Coherent,
    /// By instructions that any program may execute: the function does it for bytes that can be
    /// read, given by address and length.
    Instructions(unsafe fn(*const u8, usize)),
    /// Only the kernel can. On Linux by the system call that the function returns for an address
    /// and a length: its number, and its arguments.
    Kernel(fn(usize, usize) -> [usize; 5]),
    /// The way is not known yet.
    Unknown,
}

impl InstructionCache {
    /// Makes `len` bytes from `start` on coherent, through `by_kernel` where only the kernel can do
    /// it.
    ///
    /// # Errors
    /// `ENOSYS` if the way is not known; and the errors of `by_kernel`.
    ///
    /// # Safety
    /// The bytes are mapped, and can be read.
    pub unsafe fn sync(
        &self,
        start: *const u8,
        len: usize,
        by_kernel: impl FnOnce(fn(usize, usize) -> [usize; 5]) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        match *self {
            Self::Coherent => Ok(()),
            Self::Instructions(sync) => {
                // SAFETY: as the caller vouches. [caller]
                unsafe { sync(start, len) };
                Ok(())
            }
            Self::Kernel(arguments) => by_kernel(arguments),
            Self::Unknown => Err(libc::ENOSYS),
        }
    }
}
