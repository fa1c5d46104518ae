//! Children made by `fork`: for what a process can do only once, or does not survive.

use std::any::Any;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;

/// Runs `f` in a child, whose only thread it is, and returns how that ended: with 0 where `f`
/// returned, with 101 where it panicked (the message is on standard error).
///
/// The child allocates, which glibc and musl allow after a fork.
///
/// # Panics
/// Where there can be no child.
pub fn in_a_child(f: impl FnOnce()) -> ExitStatus {
    spawn(f).wait()
}

/// Begins to run `f` in a child, as [`in_a_child`] does.
///
/// # Panics
/// Where there can be no child.
pub fn spawn(f: impl FnOnce()) -> Child {
    // SAFETY: the child uses nothing that another thread may have left locked but the allocator,
    // which is repaired, and ends by `_exit`.
    let pid = unsafe { libc::fork() };
    assert_ne!(pid, -1, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: the call has no preconditions.
        unsafe { libc::alarm(120) };
        let no_core = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: the call reads the limit.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core) };
        let code = match catch_unwind(AssertUnwindSafe(f)) {
            Ok(()) => 0,
            Err(panic) => {
                let text = message(&*panic);
                // SAFETY: as many bytes are there as is said.
                unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
                101
            }
        };
        // SAFETY: the call has no preconditions.
        unsafe { libc::_exit(code) };
    }
    Child(pid)
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a child panicked: {}\n", text.unwrap_or("?"))
}

/// A child that may still run.
#[must_use = "wait for it"]
pub struct Child(libc::pid_t);

impl Child {
    /// Waits for its end.
    ///
    /// # Panics
    /// Where it was waited for already.
    #[must_use]
    pub fn wait(self) -> ExitStatus {
        let mut status = 0;
        // SAFETY: `status` can be written; the child is this process's own.
        let waited = unsafe { libc::waitpid(self.0, &raw mut status, 0) };
        assert_eq!(waited, self.0);
        ExitStatus::from_raw(status)
    }
}
