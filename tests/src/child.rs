//! Children made by `fork`, for what a process can do only once, or does not survive.

use crate::is_emulated;
use crate::kernel::new_pid_namespace;
use std::any::Any;
use std::ffi::c_void;
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitStatus;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs `f` in a child, as its only thread, and returns how that ended: with 0 if `f` returned, with 101
/// if it panicked (the message is on standard error), with [`GAVE_UP`] after a minute.
///
/// The child allocates, which glibc and musl allow after a fork.
///
/// # Panics
/// If no child can be made.
pub fn in_a_child(f: impl FnOnce()) -> ExitStatus {
    spawn(f).wait()
}

/// Runs `f` in a child, as [`in_a_child`] does. If this is the first process of a PID namespace, the
/// child has the same process number, because it is the first process of another namespace. Such a
/// process can have only one such child.
///
/// # Panics
/// If no child or no namespace can be made.
pub fn in_a_child_of_the_same_number(f: impl FnOnce()) -> ExitStatus {
    if std::process::id() == 1 {
        new_pid_namespace().expect("one more PID namespace");
    }
    in_a_child(f)
}

/// Calls `f` here, and in a child that is the first process of a PID namespace. Only root can do the
/// latter; otherwise, this prints that it was skipped. If this process is itself the first of a
/// namespace, `f` is called in a child rather than here, because it could change the namespace of this
/// process's later children, which other tests make too.
///
/// # Panics
/// Where `f` does.
pub fn here_and_as_the_first_process(f: impl Fn()) {
    if std::process::id() == 1 {
        assert!(in_a_child(&f).success());
    } else {
        f();
    }
    let status = in_a_child(|| match new_pid_namespace() {
        Ok(()) => assert!(in_a_child(f).success()),
        Err(error) => crate::skip("children of the same number", &error.to_string()),
    });
    assert!(status.success(), "as the first process of a PID namespace");
}

/// Whether this is a child, whose panics only [`spawn`] reports: the usual hook takes locks, which
/// another thread of the parent may have held.
static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// Set once panics look at [`IS_CHILD`].
static QUIET: Once = Once::new();

/// How many seconds a child may run: an emulator is slow.
pub(crate) fn patience() -> u32 {
    if is_emulated() { 500 } else { 60 }
}

/// Starts to run `f` in a child, as [`in_a_child`] does.
///
/// # Panics
/// If no child can be made.
pub fn spawn(f: impl FnOnce()) -> Child {
    // In seconds: an emulator is slow. (Asked here: in the child the environment may be locked.)
    let patience = patience();
    // (And set here: in the child, it may be locked forever, by a thread that was panicking.)
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_CHILD.load(Ordering::Relaxed) {
                usual(panic);
            }
        }));
    });
    // SAFETY: the child uses nothing that another thread may have left locked, except the allocator,
    // which is repaired, and ends by `_exit`.
    let pid = unsafe { libc::fork() };
    assert_ne!(pid, -1, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // The first process of a namespace is ended only by a signal that it handles.
        let end = give_up as extern "C" fn(libc::c_int) as libc::sighandler_t;
        // SAFETY: the function does what a handler may.
        unsafe { libc::signal(libc::SIGALRM, end) };
        // SAFETY: the call has no preconditions.
        unsafe { libc::alarm(patience) };
        IS_CHILD.store(true, Ordering::Relaxed);
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
                // SAFETY: there are that many bytes.
                unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
                101
            }
        };
        // SAFETY: the call has no preconditions.
        unsafe { libc::_exit(code) };
    }
    Child(pid)
}

/// The exit code of a child that did not end in time.
pub const GAVE_UP: libc::c_int = 102;

extern "C" fn give_up(_: libc::c_int) {
    // SAFETY: the call has no preconditions.
    unsafe { libc::_exit(GAVE_UP) };
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a child panicked: {}\n", text.unwrap_or("?"))
}

/// A thread's work, and the panic that ended it.
struct Work<F> {
    body: Option<F>,
    panic: Option<Box<dyn Any + Send>>,
}

/// Runs each of `bodies` in a thread of its own, and returns when all have ended. This is how to use
/// threads in a child: the standard library's threads take a lock when they start, which another thread
/// of the parent may have held when it forked, so the child would wait for it forever.
///
/// # Panics
/// If one of them does, or no thread can be made.
pub fn in_threads<F: FnOnce() + Send>(bodies: impl IntoIterator<Item = F>) {
    extern "C" fn start<F: FnOnce()>(work: *mut c_void) -> *mut c_void {
        // SAFETY: it belongs to this thread alone until it is joined.
        let work = unsafe { &mut *work.cast::<Work<F>>() };
        if let Some(body) = work.body.take() {
            work.panic = catch_unwind(AssertUnwindSafe(body)).err();
        }
        ptr::null_mut()
    }
    let bodies = bodies.into_iter().map(|body| Work {
        body: Some(body),
        panic: None,
    });
    let mut works: Vec<_> = bodies.collect();
    let threads: Vec<_> = works
        .iter_mut()
        .map(|work| {
            let mut thread = MaybeUninit::uninit();
            let work = ptr::from_mut(work).cast();
            // SAFETY: the work is sent to the thread, and lives until it is joined.
            let failed =
                unsafe { libc::pthread_create(thread.as_mut_ptr(), ptr::null(), start::<F>, work) };
            // SAFETY: the call wrote it if it succeeded.
            (failed == 0).then(|| unsafe { thread.assume_init() })
        })
        .collect();
    for &thread in threads.iter().flatten() {
        // SAFETY: it is a thread that nobody has joined yet.
        let failed = unsafe { libc::pthread_join(thread, ptr::null_mut()) };
        assert_eq!(failed, 0);
    }
    assert!(threads.iter().all(Option::is_some), "pthread_create");
    if let Some(panic) = works.into_iter().find_map(|work| work.panic) {
        resume_unwind(panic);
    }
}

/// Runs `f` in a thread of its own, also in a child: see [`in_threads`].
///
/// # Panics
/// If `f` does, or no thread can be made.
pub fn in_a_thread<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    if !IS_CHILD.load(Ordering::Relaxed) {
        // What such a thread prints belongs to the test.
        let joined = std::thread::scope(|scope| scope.spawn(f).join());
        return joined.unwrap_or_else(|panic| resume_unwind(panic));
    }
    let mut result = None;
    in_threads([|| result = Some(f())]);
    result.expect("the thread came back")
}

/// A child that may still run.
#[must_use = "wait for it"]
pub struct Child(libc::pid_t);

impl Child {
    /// Its process number.
    #[must_use]
    pub fn id(&self) -> libc::pid_t {
        self.0
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it was waited for already.
    #[must_use]
    pub fn wait(self) -> ExitStatus {
        let mut status = 0;
        loop {
            // SAFETY: `status` can be written; the child is this process's own.
            let waited = unsafe { libc::waitpid(self.0, &raw mut status, 0) };
            let error = std::io::Error::last_os_error();
            if waited == self.0 {
                return ExitStatus::from_raw(status);
            }
            // A signal of this process: a fuzzer has a timer.
            assert_eq!(error.kind(), std::io::ErrorKind::Interrupted, "{error}");
        }
    }
}

/// A child that does nothing until this is dropped, which ends it: its memory stays as it was here when
/// the child was made, except for what starting it changed.
pub struct StillChild(Option<Child>);

impl StillChild {
    /// Makes one, and returns once it does nothing any more.
    ///
    /// # Panics
    /// If no child can be made.
    #[must_use]
    pub fn new() -> Self {
        let (mut ready, tell) = std::io::pipe().expect("a pipe");
        let child = spawn(move || {
            (&tell).write_all(b"!").expect("a pipe that is read");
            loop {
                // SAFETY: the call has no preconditions.
                unsafe { libc::pause() };
            }
        });
        ready.read_exact(&mut [0]).expect("the child's word");
        Self(Some(child))
    }

    /// Its process number.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn id(&self) -> u32 {
        let child = self.0.as_ref().expect("it is there");
        child.id().unsigned_abs()
    }

    /// Ends it, but does not wait for it.
    ///
    /// # Panics
    /// If that is refused.
    #[must_use = "wait for it"]
    pub fn kill(mut self) -> Child {
        let child = self.0.take().expect("it is there");
        // SAFETY: it is this process's own child, which nobody has waited for.
        assert_eq!(unsafe { libc::kill(child.id(), libc::SIGKILL) }, 0);
        child
    }
}

impl Default for StillChild {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for StillChild {
    fn drop(&mut self) {
        if let Some(child) = self.0.take() {
            let _ended = Self(Some(child)).kill().wait();
        }
    }
}
