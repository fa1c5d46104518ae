//! Advice on many ranges in one call.

use core::ffi::c_int;
use core::mem::MaybeUninit;

use unix_memory_sys as sys;

use crate::error::Errno;
use crate::os::call;
use crate::page::{Pages, round_down};

/// How many ranges one call may have here; the kernel takes 1024.
const MOST: usize = 64;

/// `<linux/pidfd.h>`: stands for the calling process, without a descriptor. Since Linux 6.14.
const PIDFD_SELF: c_int = -10002;

/// Advises on `ranges`, from the first on, in one call, and returns how many of them have the
/// advice now: the one after them is to be advised on by itself. `None` if there is no such call
/// here, or it is refused; some ranges may have the advice then.
///
/// # Safety
/// They are the caller's pages, and the advice `value` changes no content.
pub unsafe fn advise_together(ranges: &[Pages], value: c_int) -> Option<usize> {
    let mut iovec = [MaybeUninit::<libc::iovec>::uninit(); MOST];
    // The kernel silently leaves out what is beyond this many bytes.
    let mut room = round_down(i32::MAX.unsigned_abs() as usize);
    let mut count = 0;
    for (entry, pages) in iovec.iter_mut().zip(ranges) {
        let Some(left) = room.checked_sub(pages.len) else {
            break;
        };
        entry.write(libc::iovec {
            iov_base: pages.start.as_ptr().cast(),
            iov_len: pages.len,
        });
        room = left;
        count += 1;
    }
    if count == 0 {
        return Some(0);
    }
    let advise = |pidfd| {
        let iovec = iovec.as_ptr().cast();
        // SAFETY: as many elements were written, of pages that are the caller's.
        // [arguments, caller]
        let done = unsafe { sys::process_madvise(pidfd, iovec, count, value, 0) };
        usize::try_from(done).map_err(|_| call::errno())
    };
    let done = match advise(PIDFD_SELF) {
        Err(libc::EBADF) => with_own_pidfd(advise),
        done => done,
    };
    let mut done = done.ok()?;
    // It stops at the first range that it refuses, and may have advised on a part of that.
    let whole = |pages: &&Pages| match done.checked_sub(pages.len) {
        Some(rest) => {
            done = rest;
            true
        }
        None => false,
    };
    Some(ranges[..count].iter().take_while(whole).count())
}

/// Calls `f` with a descriptor of the calling process.
fn with_own_pidfd(f: impl FnOnce(c_int) -> Result<usize, Errno>) -> Result<usize, Errno> {
    // SAFETY: the call has no preconditions. [arguments]
    let pidfd = unsafe { sys::pidfd_open(call::process_id(), 0) };
    if pidfd < 0 {
        return Err(call::errno());
    }
    let result = f(pidfd);
    // SAFETY: it was opened here. [descriptor]
    let _closed = unsafe { libc::close(pidfd) };
    result
}
