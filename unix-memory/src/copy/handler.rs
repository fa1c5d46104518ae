//! The handler of the faults that copies make: Linux and Android.

use core::ffi::{c_int, c_void};
use core::mem::{self, MaybeUninit};
use core::ptr;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicU32};

use super::chain::{Before, Chain, Turn};
use crate::arch;
use crate::error::Errno;
use crate::os::call::{self, errno};
use crate::process::Process;

/// Whether there can be one.
pub const AVAILABLE: bool = arch::AVAILABLE;

/// A page behind a mapping is gone, or cannot be reached.
const SIGNALS: [c_int; 2] = [libc::SIGBUS, libc::SIGSEGV];

/// Whether copies rely on it.
static IS_USED: AtomicBool = AtomicBool::new(false);

/// What was there before, for each of [`SIGNALS`].
static BEFORE: [Chain; 2] = [const { Chain::new() }; 2];

/// The number of the process one of whose threads changes dispositions; zero where none does.
static BUSY: AtomicU32 = AtomicU32::new(0);

/// Keeps other threads from changing dispositions here.
struct Busy;

impl Busy {
    fn take() -> Result<Self, Errno> {
        let us = Process::current()?.number();
        let mut found = 0;
        // Acquire pairs with the release below.
        while let Err(now) = BUSY.compare_exchange(found, us, AcqRel, Acquire) {
            found = if now == us {
                // Another thread, and not for long.
                call::pause();
                0
            } else {
                // Done; or a thread of the parent was at work when it forked, and did not come along.
                now
            };
        }
        Ok(Self)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.store(0, Release);
    }
}

/// Installs the handler, or puts it on top again where another one was installed over it.
///
/// # Errors
/// `ENOSYS` where there is no such copy; `ENOMEM` after too many others; what `sigaction` says.
pub fn install() -> Result<(), Errno> {
    if !AVAILABLE {
        return Err(libc::ENOSYS);
    }
    let _busy = Busy::take()?;
    let is_new = install_for(0)?;
    if let Err(errno) = install_for(1) {
        if is_new {
            let _as_far_as_it_goes = uninstall_for(0);
        }
        return Err(errno);
    }
    IS_USED.store(true, Release);
    Ok(())
}

/// Has copies rely on the handler no longer, and puts back what was there before it, for each
/// signal at which it is on top.
///
/// # Errors
/// What `sigaction` says; copies do not rely on it all the same.
pub fn uninstall() -> Result<(), Errno> {
    if !AVAILABLE {
        return Ok(());
    }
    let _busy = Busy::take()?;
    IS_USED.store(false, Release);
    let first = uninstall_for(0);
    uninstall_for(1).and(first)
}

/// Whether copies rely on the handler.
pub fn is_used() -> bool {
    IS_USED.load(Acquire)
}

/// Whether it is on top at both signals.
///
/// # Errors
/// What `sigaction` says.
pub fn is_in_place() -> Result<bool, Errno> {
    for signal in SIGNALS {
        if !is_ours(&disposition(signal, None)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Installs it for the signal of that index; returns whether it was not on top.
fn install_for(index: usize) -> Result<bool, Errno> {
    let (signal, chain) = (SIGNALS[index], &BEFORE[index]);
    let mut old = disposition(signal, None)?;
    // Until what was replaced is what the handler was told beforehand.
    while !is_ours(&old) {
        // From here to the call, one that hands on to us is called twice, should a signal come.
        let order = chain.push(&old)?;
        let mut new = old;
        new.sa_sigaction = our_address();
        new.sa_flags |= libc::SA_SIGINFO;
        // What the old one resets after one signal, is reset in the chain.
        new.sa_flags &= !libc::SA_RESETHAND;
        if matches!(old.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
            // Nothing depends on where it runs: on the stack that has room for it, if there is one.
            new.sa_flags |= libc::SA_ONSTACK;
        }
        let replaced = disposition(signal, Some(&new)).inspect_err(|_| chain.restore(order))?;
        if same(&replaced, &old) {
            return Ok(true);
        }
        // Somebody else was faster.
        chain.restore(order);
        old = replaced;
    }
    Ok(false)
}

/// Puts back what was there before, if it is on top for the signal of that index.
fn uninstall_for(index: usize) -> Result<(), Errno> {
    let (signal, chain) = (SIGNALS[index], &BEFORE[index]);
    let mut old = disposition(signal, None)?;
    if !is_ours(&old) {
        return Ok(());
    }
    let Some(before) = chain.at(0) else {
        return Ok(());
    };
    before.undo(&mut old);
    let replaced = disposition(signal, Some(&old))?;
    if is_ours(&replaced) {
        // What is there again may hand on to us: then we go one further down.
        chain.pop();
        return Ok(());
    }
    // Somebody else was faster, and hands on to us, as far as we know.
    disposition(signal, Some(&replaced)).map(drop)
}

fn our_address() -> usize {
    handler as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize
}

fn is_ours(disposition: &libc::sigaction) -> bool {
    disposition.sa_sigaction == our_address()
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
    let sent = is_sent(signal, code);
    match arch::resume(faulted_at) {
        Some(resume) if !sent => {
            // SAFETY: as above; the context is the handler's to change.
            unsafe { pc.write(resume) };
        }
        _ => hand_on(signal, info, context, sent),
    }
}

/// Whether the signal was sent, and does not come again if the thread goes on: by a process, or by
/// the kernel to tell of a broken page that nobody has touched yet (`BUS_MCEERR_AO`).
const fn is_sent(signal: c_int, code: c_int) -> bool {
    const BUS_MCEERR_AO: c_int = 5;
    code <= 0 || (signal == libc::SIGBUS && code == BUS_MCEERR_AO)
}

/// Does what the kernel would have done had this handler not been there.
fn hand_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void, sent: bool) {
    let chain = &BEFORE[usize::from(signal != SIGNALS[0])];
    // SAFETY: it is the context of the handler, which calls this.
    let (turn, number) = unsafe { Turn::take(context) };
    let before = number.and_then(|number| chain.at(number));
    // None is left where one that was installed over this one was installed again over itself, and
    // has forgotten what was there before.
    let (action, takes_info) = before.map_or((libc::SIG_DFL, false), Before::take);
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
        function if takes_info => {
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
    drop(turn);
}

/// Whether the handler is installed and this thread lets it run: the kernel ends a process whose
/// thread faults while it blocks the signal.
#[inline]
pub fn is_ready() -> bool {
    IS_USED.load(Relaxed) && !are_blocked()
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
