//! Systems that open a pipe without flags: these are set afterwards. (A child that another thread
//! makes at that moment, by `fork` and `exec`, inherits the ends of the pipe.)

use core::ffi::c_int;

use crate::error::Errno;
use crate::os::call::errno;

/// A pipe's end to read from and its end to write to, closed on exec, never waiting.
pub fn open_pipe() -> Result<[c_int; 2], Errno> {
    let mut ends = [-1; 2];
    // SAFETY: the call writes the two descriptors that there is room for. [arguments]
    if unsafe { libc::pipe(ends.as_mut_ptr()) } != 0 {
        return Err(errno());
    }
    let set = |end, command, flag: c_int| {
        // SAFETY: the descriptor is open, and these commands take a number. [arguments]
        if unsafe { libc::fcntl(end, command, flag) } == -1 {
            Err(errno())
        } else {
            Ok(())
        }
    };
    let set = ends.into_iter().try_for_each(|end| {
        set(end, libc::F_SETFD, libc::FD_CLOEXEC)?;
        set(end, libc::F_SETFL, libc::O_NONBLOCK)
    });
    if let Err(errno) = set {
        for end in ends {
            // SAFETY: the descriptor was opened above, and nobody else has it. [descriptor]
            let _closed = unsafe { libc::close(end) };
        }
        return Err(errno);
    }
    Ok(ends)
}
