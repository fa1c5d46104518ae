//! Memory that the kernel itself cannot reach: Linux and Android.

use core::ffi::{c_int, c_uint};

use unix_memory_sys as sys;

use super::secret_descriptor;
use crate::error::Errno;
use crate::os::call;

/// Makes a file of `len` bytes whose pages are nowhere but in the mappings of processes, and returns
/// its descriptor, which is closed on `exec`. A signal ends a process that goes beyond its
/// `file_size_limit`.
///
/// # Errors
/// `ENOSYS` if the kernel, its command line or the architecture has none; `EFBIG` for more than a
/// file can have; and the errors of the kernel.
pub fn memfd_secret(len: usize) -> Result<c_int, Errno> {
    const CLOSE_ON_EXEC: c_uint = libc::O_CLOEXEC.unsigned_abs();
    let size = sys::off_t::try_from(len).map_err(|_| libc::EFBIG)?;
    let fd = secret_descriptor(CLOSE_ON_EXEC)?;
    // SAFETY: the descriptor is new, and nobody else has it. [descriptor]
    let sized = call::zero_or_errno(unsafe { sys::ftruncate(fd, size) });
    sized.map(|()| fd).inspect_err(|_| {
        // SAFETY: as above. [descriptor]
        let _closed = unsafe { libc::close(fd) };
    })
}
