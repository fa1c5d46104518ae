//! The system calls of a child, counted by its parent: ptrace(2).

use std::ffi::c_void;
use std::ptr;

use libc::c_int;

use crate::spawn;

/// How a child ends that cannot be traced.
const REFUSED: c_int = 103;

/// How many system calls a child that runs `f` makes, from before that to its end.
pub fn system_calls(f: impl FnOnce()) -> Option<usize> {
    let none = ptr::null_mut::<c_void>();
    let child = spawn(|| {
        // SAFETY: the request takes nothing.
        let refused = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, none, none) } != 0;
        if refused {
            // SAFETY: the call has no preconditions.
            unsafe { libc::_exit(REFUSED) };
        }
        // Waits until the parent has begun to count.
        // SAFETY: the call has no preconditions.
        unsafe { libc::raise(libc::SIGSTOP) };
        f();
    });
    let (mut begun, mut stops) = (false, 0);
    loop {
        let mut status = 0;
        // SAFETY: the status can be written; the child is this process's own.
        let waited = unsafe { libc::waitpid(child.id(), &raw mut status, 0) };
        assert_eq!(waited, child.id());
        if !libc::WIFSTOPPED(status) {
            assert!(libc::WIFEXITED(status), "the child was ended: {status:#x}");
            return match libc::WEXITSTATUS(status) {
                REFUSED => None,
                // Each call stops once before and once after it.
                0 => Some(stops / 2),
                code => panic!("the child ended with {code}"),
            };
        }
        let mut signal = libc::WSTOPSIG(status);
        if signal == libc::SIGTRAP | 0x80 {
            stops += 1;
            signal = 0;
        } else if signal == libc::SIGSTOP && !begun {
            begun = true;
            signal = 0;
            // Stops for a call can be distinguished from SIGTRAP; and no child is left behind.
            let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
            let options = data(options);
            // SAFETY: the request takes a number.
            let set = unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, child.id(), none, options) };
            assert_eq!(set, 0, "PTRACE_SETOPTIONS");
        }
        let signal = data(signal);
        // SAFETY: the request takes a number.
        let goes_on = unsafe { libc::ptrace(libc::PTRACE_SYSCALL, child.id(), none, signal) };
        assert_eq!(goes_on, 0, "PTRACE_SYSCALL");
    }
}

/// A number where `ptrace` takes a pointer.
fn data(number: c_int) -> *mut c_void {
    ptr::without_provenance_mut(number.cast_unsigned() as usize)
}
