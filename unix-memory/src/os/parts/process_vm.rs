//! The kernel's copies between two processes, both of which are this one.

use core::ffi::{c_long, c_void};
use core::ptr;

use crate::error::Errno;
use crate::os::call::errno;

/// Copies up to `len` bytes that begin at `from`, in memory that may be gone, to `to`, and returns
/// how many. Source: process_vm_readv(2), since Linux 3.2.
///
/// # Safety
/// `process` is this one; `to` is valid for writes of `len` bytes.
pub unsafe fn process_vm_read(
    process: libc::pid_t,
    from: *const u8,
    to: *mut u8,
    len: usize,
) -> Result<usize, Errno> {
    // SAFETY: as the caller vouches. [caller]
    unsafe { transfer(libc::SYS_process_vm_readv, process, to, from, len) }
}

/// Copies up to `len` bytes that begin at `from` to `to`, in memory that may be gone, and returns
/// how many. Source: process_vm_writev(2), since Linux 3.2.
///
/// # Safety
/// `process` is this one; `from` is valid for reads of `len` bytes; what is mapped at `to` may be
/// written.
pub unsafe fn process_vm_write(
    process: libc::pid_t,
    from: *const u8,
    to: *mut u8,
    len: usize,
) -> Result<usize, Errno> {
    // SAFETY: as the caller vouches. [caller]
    unsafe { transfer(libc::SYS_process_vm_writev, process, from, to, len) }
}

/// # Safety
/// `near` is valid for what `call` does to it, and what is mapped at `far` may be used so.
unsafe fn transfer(
    call: c_long,
    process: libc::pid_t,
    near: *const u8,
    far: *const u8,
    len: usize,
) -> Result<usize, Errno> {
    let piece = |address: *const u8| libc::iovec {
        iov_base: address.cast_mut().cast::<c_void>(),
        iov_len: len,
    };
    let (near, far) = (piece(near), piece(far));
    // By number, because uClibc has no such function. Each argument is as wide as a long, or
    // becomes so.
    #[allow(
        clippy::cast_possible_wrap,
        reason = "the bits of an address, in a long"
    )]
    let argument = |piece: &libc::iovec| ptr::from_ref(piece).expose_provenance() as c_long;
    let (one, no_flags): (c_long, c_long) = (1, 0);
    let copy = |who: c_long| {
        // SAFETY: the arguments are those of process_vm_readv(2), each piece one that lives through
        // the call; the kernel itself checks what is mapped at their addresses, and the caller
        // vouches for what it does there. [caller, arguments]
        let copied = unsafe {
            libc::syscall(
                call,
                who,
                argument(&near),
                one,
                argument(&far),
                one,
                no_flags,
            )
        };
        usize::try_from(copied).map_err(|_| errno())
    };
    // The process's number is that of its main thread, which may have ended while others go on: then
    // the kernel finds no memory there. A thread's own number stands for the same memory.
    match copy(c_long::from(process)) {
        Err(libc::ESRCH) => copy(this_thread()),
        result => result,
    }
}

/// The kernel's number of the calling thread.
#[cold]
fn this_thread() -> c_long {
    // By number: there is no such function in older libraries.
    // SAFETY: the call has no preconditions. [arguments]
    unsafe { libc::syscall(libc::SYS_gettid) }
}
