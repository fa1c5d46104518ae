//! Copies through a pipe: the kernel reads and writes the memory, and returns an error if it is gone,
//! on every Unix.

use core::ffi::c_int;

use crate::error::Errno;
use crate::os::call::errno;
use crate::os::open_pipe;

/// As much as most pipes hold; if a pipe holds less, less is copied at a time.
const CAPACITY: usize = 64 << 10;

/// A pipe that is empty between any two calls, and closed on drop.
pub struct Pipe {
    read_end: c_int,
    write_end: c_int,
}

impl Pipe {
    /// Opens a pipe that is closed on exec and never blocks.
    ///
    /// # Errors
    /// `EMFILE` or `ENFILE` if there are too many open files.
    pub fn new() -> Result<Self, Errno> {
        let [read_end, write_end] = open_pipe()?;
        Ok(Self {
            read_end,
            write_end,
        })
    }

    /// Copies up to `len` bytes from `from` to `to`, and returns how many: at least one, if `len`
    /// is not zero. Either may be in memory that is gone.
    ///
    /// # Errors
    /// `EFAULT` if no byte could be read, or written; some may have been written then.
    ///
    /// # Safety
    /// What is mapped from `to` on, `len` bytes, may be written.
    pub unsafe fn copy(&self, from: *const u8, to: *mut u8, len: usize) -> Result<usize, Errno> {
        // SAFETY: the kernel checks the address, and only reads. [arguments]
        let written = unsafe { libc::write(self.write_end, from.cast(), len.min(CAPACITY)) };
        let held = count(written)?;
        let mut copied = 0;
        while copied < held {
            let rest = held - copied;
            // SAFETY: the kernel checks the address; the caller vouches for what is there.
            // [caller, arguments]
            let read = unsafe { libc::read(self.read_end, to.wrapping_add(copied).cast(), rest) };
            match count(read) {
                Ok(bytes @ 1..) => copied += bytes,
                Err(libc::EINTR) => {}
                stopped => {
                    self.empty()?;
                    if copied == 0 {
                        // This cannot be the end of a file: the other end is open.
                        return Err(stopped.err().unwrap_or(libc::EIO));
                    }
                    return Ok(copied);
                }
            }
        }
        Ok(copied)
    }

    /// Discards what the pipe holds.
    fn empty(&self) -> Result<(), Errno> {
        let mut waste = [0u8; 512];
        loop {
            // SAFETY: the kernel writes at most as many bytes as the buffer has. [arguments]
            let read = unsafe { libc::read(self.read_end, waste.as_mut_ptr().cast(), waste.len()) };
            match count(read) {
                Ok(1..) | Err(libc::EINTR) => {}
                Ok(0) | Err(libc::EAGAIN) => return Ok(()),
                Err(errno) => return Err(errno),
            }
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        for end in [self.read_end, self.write_end] {
            // SAFETY: the descriptor is this pipe's own. [descriptor]
            let _closed = unsafe { libc::close(end) };
        }
    }
}

/// Returns the result of `read` or `write` as a count or an error.
fn count(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| errno())
}
