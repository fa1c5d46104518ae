//! Runs a thread on a stack of our own, and in a child another one, which overflows. The guard below the
//! stack ends that child before it writes over other memory.
//!
//! ```sh
//! cargo run --example guarded_stack
//! ```

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::io::{Error, Result};
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::ptr;

use unix_memory::Stack;

#[cfg(not(target_os = "emscripten"))]
unsafe extern "C" {
    // POSIX has it, and the libc crate for some systems only.
    fn pthread_attr_setstack(
        attributes: *mut libc::pthread_attr_t,
        bottom: *mut c_void,
        size: usize,
    ) -> c_int;
}

/// Emscripten does not have it.
#[cfg(target_os = "emscripten")]
unsafe fn pthread_attr_setstack(_: *mut libc::pthread_attr_t, _: *mut c_void, _: usize) -> c_int {
    libc::ENOSYS
}

/// Runs `f` in a thread on `stack`, and waits for it.
fn run_on(stack: &Stack, f: extern "C" fn(*mut c_void) -> *mut c_void) -> Result<()> {
    let error = Error::from_raw_os_error;
    let check = |errno| (errno == 0).then_some(()).ok_or_else(|| error(errno));
    let (mut attributes, mut thread) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    let (attributes, bottom) = (attributes.as_mut_ptr(), stack.bottom().as_ptr().cast());
    // SAFETY: it initializes them.
    check(unsafe { libc::pthread_attr_init(attributes) })?;
    // SAFETY: the attributes are initialized, and the stack can be read and written.
    check(unsafe { pthread_attr_setstack(attributes, bottom, stack.size()) })?;
    // SAFETY: the stack is borrowed until the thread has ended, and `f` takes any argument.
    check(unsafe { libc::pthread_create(thread.as_mut_ptr(), attributes, f, ptr::null_mut()) })?;
    // SAFETY: the call wrote it.
    let thread = unsafe { thread.assume_init() };
    // SAFETY: nobody else joins it.
    check(unsafe { libc::pthread_join(thread, ptr::null_mut()) })?;
    // SAFETY: they are not used again.
    check(unsafe { libc::pthread_attr_destroy(attributes) })
}

/// Takes more than 100 bytes of the stack for each step of `depth`.
fn descend(depth: u64) -> u64 {
    let here = black_box([depth; 16]);
    let below = depth.checked_sub(1).map_or(0, descend);
    below + black_box(here)[7] / (depth + 1)
}

extern "C" fn within(_: *mut c_void) -> *mut c_void {
    black_box(descend(black_box(100)));
    ptr::null_mut()
}

extern "C" fn overflow(_: *mut c_void) -> *mut c_void {
    black_box(descend(black_box(u64::MAX - 1)));
    ptr::null_mut()
}

fn main() -> Result<()> {
    let stack = Stack::new(256 << 10)?;
    if std::env::args().nth(1).is_some() {
        return run_on(&stack, overflow);
    }
    run_on(&stack, within)?;
    println!("a thread ran on {} KiB of stack", stack.size() >> 10);
    let status = Command::new(std::env::current_exe()?)
        .arg("overflow")
        .status()?;
    match status.signal() {
        Some(libc::SIGSEGV | libc::SIGBUS) => println!("the guard has ended the child"),
        _ => return Err(Error::other(format!("nothing stopped the child: {status}"))),
    }
    Ok(())
}
