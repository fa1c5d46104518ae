//! Runs a thread on a stack of our own, and then, in a child, one that overflows. The guard below the
//! stack ends that child before it overwrites other memory.
//!
//! ```sh
//! cargo run --example guarded_stack
//! ```

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::io::{Error, Result};
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
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

/// Descends to `depth` in a thread on `stack`, and waits for it.
fn run_on(stack: &Stack, depth: *mut c_void) -> Result<()> {
    let error = Error::from_raw_os_error;
    let check = |errno| (errno == 0).then_some(()).ok_or_else(|| error(errno));
    let (mut attributes, mut thread) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    let (attributes, bottom) = (attributes.as_mut_ptr(), stack.bottom().as_ptr().cast());
    // SAFETY: it initializes them.
    check(unsafe { libc::pthread_attr_init(attributes) })?;
    // SAFETY: the attributes are initialized, and the stack can be read and written.
    check(unsafe { pthread_attr_setstack(attributes, bottom, stack.size()) })?;
    // SAFETY: the stack is borrowed until the thread has ended, and `start` takes any number.
    check(unsafe { libc::pthread_create(thread.as_mut_ptr(), attributes, start, depth) })?;
    // SAFETY: the call wrote it.
    let thread = unsafe { thread.assume_init() };
    // SAFETY: nobody else joins it.
    check(unsafe { libc::pthread_join(thread, ptr::null_mut()) })?;
    // SAFETY: they are not used again.
    check(unsafe { libc::pthread_attr_destroy(attributes) })
}

/// Uses more than 100 bytes of the stack for each level of `depth`.
fn descend(depth: usize) -> usize {
    let here = black_box([depth; 16]);
    let below = depth.checked_sub(1).map_or(0, descend);
    below + black_box(here)[7] / (depth + 1)
}

extern "C" fn start(depth: *mut c_void) -> *mut c_void {
    black_box(descend(black_box(depth.addr())));
    ptr::null_mut()
}

fn main() -> Result<()> {
    let stack = Stack::new(256 << 10)?;
    if std::env::args().nth(1).is_some() {
        return run_on(&stack, ptr::without_provenance_mut(usize::MAX - 1));
    }
    run_on(&stack, ptr::without_provenance_mut(100))?;
    println!("a thread ran on {} KiB of stack", stack.size() >> 10);
    let mut child = std::process::Command::new(std::env::current_exe()?);
    let status = child.arg("overflow").status()?;
    match status.signal() {
        Some(libc::SIGSEGV | libc::SIGBUS) => println!("the guard has ended the child"),
        _ => return Err(Error::other(format!("nothing stopped the child: {status}"))),
    }
    Ok(())
}
