//! A function that is called in a child.

use crate::error::Errno;

/// Makes every later `fork` call `child` in the child, which has one thread then, before `fork`
/// returns. A child that is made by a bare system call does not call `child`. It cannot be undone.
///
/// # Errors
/// `ENOMEM`.
pub fn at_fork(child: extern "C" fn()) -> Result<(), Errno> {
    let child: unsafe extern "C" fn() = child;
    // SAFETY: the function lives as long as this code is loaded, and can be called at any time.
    // [arguments]
    match unsafe { libc::pthread_atfork(None, None, Some(child)) } {
        0 => Ok(()),
        errno => Err(errno),
    }
}
