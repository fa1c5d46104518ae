//! Advice on many ranges in one call.

use core::ffi::c_int;
use core::mem::MaybeUninit;

use unix_memory_sys as sys;

use crate::call::{self, Errno};
use crate::region::Pages;

/// How many ranges one call may have here; the kernel takes 1024.
const MOST: usize = 64;

/// `<linux/pidfd.h>`: stands for the calling process, without a descriptor. Since Linux 6.14.
const PIDFD_SELF: c_int = -10002;

/// Advises on all of `ranges` at once, and says whether that was done; where not, some of them may
/// have been.
///
/// # Safety
/// They are the caller's pages, and the advice `value` changes no content.
pub unsafe fn advise_together(ranges: &[Pages], value: c_int) -> bool {
    let mut iovec = [MaybeUninit::<libc::iovec>::uninit(); MOST];
    if ranges.len() > MOST {
        return false;
    }
    let mut len = 0;
    for (entry, pages) in iovec.iter_mut().zip(ranges) {
        entry.write(libc::iovec {
            iov_base: pages.start.as_ptr().cast(),
            iov_len: pages.len,
        });
        len += pages.len;
    }
    let advise = |pidfd| {
        let iovec = iovec.as_ptr().cast();
        // SAFETY: as many elements were written, of pages that are the caller's.
        let done = unsafe { sys::process_madvise(pidfd, iovec, ranges.len(), value, 0) };
        usize::try_from(done).map_err(|_| call::errno())
    };
    let done = match advise(PIDFD_SELF) {
        Err(libc::EBADF) => with_own_pidfd(advise),
        done => done,
    };
    done == Ok(len)
}

/// Calls `f` with a descriptor of the calling process.
fn with_own_pidfd(f: impl FnOnce(c_int) -> Result<usize, Errno>) -> Result<usize, Errno> {
    // SAFETY: the call has no preconditions.
    let own = unsafe { libc::getpid() };
    // SAFETY: the call has no preconditions.
    let pidfd = unsafe { sys::pidfd_open(own, 0) };
    if pidfd < 0 {
        return Err(call::errno());
    }
    let result = f(pidfd);
    // SAFETY: it was opened here.
    let _closed = unsafe { libc::close(pidfd) };
    result
}
