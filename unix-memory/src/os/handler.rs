//! The handler of the faults that copies make: Linux and Android.

use core::ffi::{c_int, c_void};
use core::mem::{self, MaybeUninit};
use core::ptr;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

use crate::arch;
use crate::call::{self, Errno, errno};

/// Whether there can be one.
pub const AVAILABLE: bool = arch::AVAILABLE;

/// A page behind a mapping is gone, or cannot be reached.
const SIGNALS: [c_int; 2] = [libc::SIGBUS, libc::SIGSEGV];

/// Not installed, installed, or the process, by its number, one of whose threads is at it.
static STATE: AtomicU32 = AtomicU32::new(ABSENT);
const ABSENT: u32 = 0;
const INSTALLED: u32 = u32::MAX;

/// What was there before, for each of [`SIGNALS`].
static BEFORE: [Before; 2] = [const { Before::new() }; 2];

/// The disposition of a signal, as far as the handler has to know it: mask and other flags are
/// those of the handler itself too, so that the kernel sees to them.
struct Before {
    /// `SIG_DFL`, `SIG_IGN` or a function.
    action: AtomicUsize,
    /// `SA_SIGINFO`: the function takes all three arguments.
    takes_info: AtomicBool,
    /// `SA_RESETHAND`: it is called once.
    once: AtomicBool,
}

impl Before {
    const fn new() -> Self {
        Self {
            action: AtomicUsize::new(libc::SIG_DFL),
            takes_info: AtomicBool::new(false),
            once: AtomicBool::new(false),
        }
    }
}

/// Installs the handler, once for the process.
///
/// # Errors
/// `ENOSYS` where there is no such copy; what `sigaction` says.
pub fn install() -> Result<(), Errno> {
    if !AVAILABLE {
        return Err(libc::ENOSYS);
    }
    let us = call::process_id();
    // Acquire pairs with the release below.
    let mut state = ABSENT;
    while let Err(now) = STATE.compare_exchange(state, us, AcqRel, Acquire) {
        match now {
            INSTALLED => return Ok(()),
            now if now == us => {
                // Another thread, and not for long.
                call::pause();
                state = ABSENT;
            }
            // Failed; or a thread of the parent was at work when it forked, and did not come along.
            now => state = now,
        }
    }
    let done = SIGNALS
        .into_iter()
        .zip(&BEFORE)
        .try_for_each(|(signal, before)| install_for(signal, before));
    STATE.store(if done.is_ok() { INSTALLED } else { ABSENT }, Release);
    done
}

fn install_for(signal: c_int, before: &Before) -> Result<(), Errno> {
    let ours = handler as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize;
    let mut old = disposition(signal, None)?;
    // Until what was replaced is what the handler was told beforehand.
    while old.sa_sigaction != ours {
        let has = |flag| old.sa_flags & flag != 0;
        before.takes_info.store(has(libc::SA_SIGINFO), Relaxed);
        before.once.store(has(libc::SA_RESETHAND), Relaxed);
        before.action.store(old.sa_sigaction, Release);
        let mut new = old;
        new.sa_sigaction = ours;
        new.sa_flags |= libc::SA_SIGINFO;
        // What the old one resets after one signal, is reset in `Before`.
        new.sa_flags &= !libc::SA_RESETHAND;
        if matches!(old.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
            // Nothing depends on where it runs: on the stack that has room for it, if there is one.
            new.sa_flags |= libc::SA_ONSTACK;
        }
        let replaced = disposition(signal, Some(&new))?;
        if same(&replaced, &old) {
            break;
        }
        old = replaced;
    }
    Ok(())
}

fn same(one: &libc::sigaction, other: &libc::sigaction) -> bool {
    one.sa_sigaction == other.sa_sigaction && one.sa_flags == other.sa_flags
}

/// `sigaction`: the disposition of `signal` until now, which becomes `new`.
fn disposition(signal: c_int, new: Option<&libc::sigaction>) -> Result<libc::sigaction, Errno> {
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    let new = new.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `new` is null, or a whole disposition: the one below, of a handler that lives as long
    // as the program and does what a handler may, or one that the kernel told.
    if unsafe { libc::sigaction(signal, new, old.as_mut_ptr()) } != 0 {
        return Err(errno());
    }
    // SAFETY: the call succeeded, so that it wrote all of it; and it holds integers alone, for
    // which zero is a value.
    Ok(unsafe { old.assume_init() })
}

/// Resumes a copy that faulted; hands on every other signal.
extern "C" fn handler(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let pc = context
        .wrapping_byte_add(arch::PROGRAM_COUNTER)
        .cast::<usize>();
    // SAFETY: the kernel hands over a `ucontext`, which has the program counter there.
    let faulted_at = unsafe { pc.read() };
    // SAFETY: the kernel hands over what it knows of the signal.
    let code = unsafe { (*info).si_code };
    if !is_sent(signal, code)
        && let Some(resume) = arch::resume(faulted_at)
    {
        // SAFETY: as above; the context is the handler's to change.
        unsafe { pc.write(resume) };
        return;
    }
    hand_on(signal, info, context, is_sent(signal, code));
}

/// Whether the signal was sent, and does not come again if the thread goes on: by a process, or by
/// the kernel to tell of a broken page that nobody has touched yet (`BUS_MCEERR_AO`).
const fn is_sent(signal: c_int, code: c_int) -> bool {
    const BUS_MCEERR_AO: c_int = 5;
    code <= 0 || (signal == libc::SIGBUS && code == BUS_MCEERR_AO)
}

/// Does what the kernel would have done had this handler not been there.
fn hand_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void, sent: bool) {
    let before = &BEFORE[usize::from(signal != SIGNALS[0])];
    // Acquire pairs with the release of `install_for`: the flags are those of the action.
    let action = before.action.load(Acquire);
    if before.once.load(Relaxed) && action > libc::SIG_IGN {
        let first = before.action.swap(libc::SIG_DFL, AcqRel);
        return act(first, before, signal, info, context, sent);
    }
    act(action, before, signal, info, context, sent);
}

fn act(
    action: usize,
    before: &Before,
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
    sent: bool,
) {
    match action {
        libc::SIG_IGN if sent => {}
        // A fault that is ignored, or blocked, ends the process all the same.
        libc::SIG_DFL | libc::SIG_IGN => {
            let mut default = MaybeUninit::<libc::sigaction>::zeroed();
            // SAFETY: it holds integers alone.
            let default = unsafe { default.assume_init_mut() };
            default.sa_sigaction = libc::SIG_DFL;
            let _cannot_fail = disposition(signal, Some(default));
            if sent {
                // SAFETY: the call has no preconditions, and a handler may make it.
                unsafe { libc::raise(signal) };
            }
            // Else the instruction faults again, with all that a core file wants to know.
        }
        function if before.takes_info.load(Relaxed) => {
            // SAFETY: it was installed as a function that takes these arguments.
            let function = unsafe {
                mem::transmute::<usize, extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void)>(
                    function,
                )
            };
            function(signal, info, context);
        }
        function => {
            // SAFETY: it was installed as a function that takes this argument.
            let function = unsafe { mem::transmute::<usize, extern "C" fn(c_int)>(function) };
            function(signal);
        }
    }
}

/// Whether the handler is installed and this thread lets it run: the kernel ends a process whose
/// thread faults while it blocks the signal.
#[inline]
pub fn is_ready() -> bool {
    STATE.load(Relaxed) == INSTALLED && !are_blocked()
}

/// Whether this thread blocked one of the signals when it was first asked.
#[cfg(feature = "std")]
#[inline]
fn are_blocked() -> bool {
    std::thread_local! {
        static BLOCKED: core::cell::Cell<Option<bool>> = const { core::cell::Cell::new(None) };
    }
    BLOCKED.with(|blocked| {
        blocked.get().unwrap_or_else(|| {
            let now = ask_are_blocked();
            blocked.set(Some(now));
            now
        })
    })
}

/// Whether this thread blocks one of the signals: without `std` there is nowhere to keep it.
#[cfg(not(feature = "std"))]
fn are_blocked() -> bool {
    ask_are_blocked()
}

#[cold]
fn ask_are_blocked() -> bool {
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: given null, the call changes nothing, and writes the mask that there is room for.
    let result = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr()) };
    result != 0
        || SIGNALS.into_iter().any(|signal| {
            // SAFETY: the call succeeded, so that it wrote all of the mask.
            unsafe { libc::sigismember(mask.as_ptr(), signal) != 0 }
        })
}
