//! An open descriptor, without the standard library's types.

use core::ffi::{CStr, c_int};

use crate::error::{Errno, Reason};
use crate::os::call::errno;

/// A descriptor, closed on drop.
#[derive(Debug)]
pub struct Descriptor(c_int);

impl Descriptor {
    /// Opens the file at `path`, closed on exec.
    pub fn open(path: &CStr, flags: c_int) -> Result<Self, Errno> {
        // SAFETY: the path ends with a zero. [arguments]
        let opened = unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC) };
        // SAFETY: that is its result. [descriptor]
        unsafe { Self::from_result(opened) }
    }

    /// # Safety
    /// `result` was just returned by a call that makes a descriptor.
    pub unsafe fn from_result(result: c_int) -> Result<Self, Errno> {
        if result < 0 {
            return Err(errno());
        }
        Ok(Self(result))
    }

    pub const fn number(&self) -> c_int {
        self.0
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this one's own. [descriptor]
        let _closed = unsafe { libc::close(self.0) };
    }
}

/// Opens a file of `/proc` about this process.
///
/// # Errors
/// What the kernel says, and why: [`Reason::NotDumpable`] where the process has closed these files,
/// [`Reason::NoProc`] where there are none.
pub fn open_own(path: &CStr, flags: c_int) -> Result<Descriptor, (Errno, Reason)> {
    Descriptor::open(path, flags).map_err(|errno| {
        // SAFETY: this one takes nothing more. [arguments]
        let is_closed = || unsafe { libc::prctl(libc::PR_GET_DUMPABLE) } != 1;
        let reason = match errno {
            libc::EACCES | libc::EPERM if is_closed() => Reason::NotDumpable,
            libc::ENOENT => Reason::NoProc,
            _ => Reason::Kernel,
        };
        (errno, reason)
    })
}
