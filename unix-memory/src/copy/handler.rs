//! The handler for the faults of copies: Linux and Android.

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

/// Whether there can be a handler.
pub const AVAILABLE: bool = arch::AVAILABLE;

/// A mapped page is gone, or cannot be accessed.
const SIGNALS: [c_int; 2] = [libc::SIGBUS, libc::SIGSEGV];

/// Whether copies rely on the handler.
static IS_USED: AtomicBool = AtomicBool::new(false);

/// The earlier dispositions, for each of [`SIGNALS`].
static BEFORE: [Chain; 2] = [const { Chain::new() }; 2];

/// The number of the process that has a thread changing dispositions; zero if none does.
static BUSY: AtomicU32 = AtomicU32::new(0);

/// Prevents other threads of this crate from changing dispositions.
struct Busy;

impl Busy {
    fn take() -> Result<Self, Errno> {
        let us = Process::current()?.number();
        let mut found = 0;
        // Acquire pairs with the release below.
        while let Err(now) = BUSY.compare_exchange(found, us, AcqRel, Acquire) {
            found = if now == us {
                // Another thread has it, and will soon be done.
                call::pause();
                0
            } else {
                // That thread is done; or it belonged to the parent, was at work when the parent
                // forked, and does not exist here.
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

/// Installs the handler, or moves it back to the top if another one was installed over it.
///
/// # Errors
/// `ENOSYS` if there is no such copy; `ENOMEM` after too many others; and the errors of `sigaction`.
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

/// Stops copies from relying on the handler, and restores the handler before it, for each signal at
/// which it is on top.
///
/// # Errors
/// The errors of `sigaction`; even then, copies no longer rely on the handler.
pub fn uninstall() -> Result<(), Errno> {
    if !AVAILABLE {
        return Ok(());
    }
    let _busy = Busy::take()?;
    IS_USED.store(false, Release);
    let first = uninstall_for(0);
    uninstall_for(1).and(first)
}

/// Returns whether copies rely on the handler.
pub fn is_used() -> bool {
    IS_USED.load(Acquire)
}

/// Returns whether it is on top at both signals.
///
/// # Errors
/// Those of `sigaction`.
pub fn is_in_place() -> Result<bool, Errno> {
    for signal in SIGNALS {
        if !is_ours(&disposition(signal, None)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Installs it for the signal with that index, and returns whether it was not on top.
fn install_for(index: usize) -> Result<bool, Errno> {
    let (signal, chain) = (SIGNALS[index], &BEFORE[index]);
    let mut old = disposition(signal, None)?;
    // Repeat until the handler that was replaced is the one that the chain had recorded.
    while !is_ours(&old) {
        // If a signal comes between here and the call, a handler that hands signals on to us is
        // called twice.
        let order = chain.push(&old)?;
        let mut new = old;
        new.sa_sigaction = our_address();
        new.sa_flags |= libc::SA_SIGINFO;
        // If the old one resets itself after one signal, the chain does that.
        new.sa_flags &= !libc::SA_RESETHAND;
        if matches!(old.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
            // It can run anywhere: on the alternate stack, which has room for it, if there is one.
            new.sa_flags |= libc::SA_ONSTACK;
        }
        let replaced = disposition(signal, Some(&new)).inspect_err(|_| chain.restore(order))?;
        if same(&replaced, &old) {
            return Ok(true);
        }
        // Another thread was faster.
        chain.restore(order);
        old = replaced;
    }
    Ok(false)
}

/// Restores the earlier handler, if ours is on top for the signal with that index.
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
        // The restored handler may hand signals on to us: then we go one level further down.
        chain.pop();
        return Ok(());
    }
    // Another thread was faster, and its handler hands signals on to us, as far as we know.
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

/// Calls `sigaction`: returns the disposition of `signal`, and replaces it with `new`.
fn disposition(signal: c_int, new: Option<&libc::sigaction>) -> Result<libc::sigaction, Errno> {
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    let new = new.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `new` is null, or a whole disposition: the one below, of a handler that lives as long
    // as the program and does only what a handler may, or one that the kernel returned.
    // [arguments, handler]
    if unsafe { libc::sigaction(signal, new, old.as_mut_ptr()) } != 0 {
        return Err(errno());
    }
    // SAFETY: the call succeeded, so it wrote all of it; and it holds only integers, for which zero
    // is a value. [arguments, values]
    Ok(unsafe { old.assume_init() })
}

/// Resumes a copy that faulted; hands on every other signal.
extern "C" fn handler(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let pc = context
        .wrapping_byte_add(arch::PROGRAM_COUNTER)
        .cast::<usize>();
    // SAFETY: the kernel hands over a `ucontext`, which has the program counter there. [handler]
    let faulted_at = unsafe { pc.read() };
    // SAFETY: the kernel passes its description of the signal. [handler]
    let code = unsafe { (*info).si_code };
    let sent = is_sent(signal, code);
    match arch::resume(faulted_at) {
        Some(resume) if !sent => {
            // SAFETY: as above; the context is the handler's to change. [handler]
            unsafe { pc.write(resume) };
        }
        _ => hand_on(signal, info, context, sent),
    }
}

/// Returns whether the signal was sent by a process, or by the kernel to report a broken page that
/// nobody has touched yet (`BUS_MCEERR_AO`). Such a signal does not come again if the thread
/// continues.
const fn is_sent(signal: c_int, code: c_int) -> bool {
    const BUS_MCEERR_AO: c_int = 5;
    code <= 0 || (signal == libc::SIGBUS && code == BUS_MCEERR_AO)
}

/// Does what the kernel would have done without this handler.
fn hand_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void, sent: bool) {
    let chain = &BEFORE[usize::from(signal != SIGNALS[0])];
    // SAFETY: it is the context of the handler, which calls this. [handler]
    let (turn, number) = unsafe { Turn::take(context) };
    let before = number.and_then(|number| chain.at(number));
    // None is left if a handler that was installed over this one was installed again over itself, and
    // has forgotten the earlier one.
    let (action, takes_info) = before.map_or((libc::SIG_DFL, false), Before::take);
    match action {
        libc::SIG_IGN if sent => {}
        // A fault whose signal is ignored or blocked ends the process anyway.
        libc::SIG_DFL | libc::SIG_IGN => {
            let mut default = MaybeUninit::<libc::sigaction>::zeroed();
            // SAFETY: it holds only integers. [values]
            let default = unsafe { default.assume_init_mut() };
            default.sa_sigaction = libc::SIG_DFL;
            let _cannot_fail = disposition(signal, Some(default));
            if sent {
                // SAFETY: the call has no preconditions, and a handler may make it. [arguments]
                unsafe { libc::raise(signal) };
            }
            // Otherwise the instruction faults again, so that a core file is complete.
        }
        function if takes_info => {
            // SAFETY: it was installed as a function that takes these arguments. [handler]
            let function = unsafe {
                mem::transmute::<usize, extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void)>(
                    function,
                )
            };
            function(signal, info, context);
        }
        function => {
            // SAFETY: it was installed as a function that takes this argument. [handler]
            let function = unsafe { mem::transmute::<usize, extern "C" fn(c_int)>(function) };
            function(signal);
        }
    }
    drop(turn);
}

/// Returns whether the handler is installed and this thread lets it run: the kernel ends a process if
/// a thread faults while it blocks the signal.
#[inline]
pub fn is_ready() -> bool {
    IS_USED.load(Relaxed) && !are_blocked()
}

/// Returns whether this thread blocked one of the signals when that was first read.
#[cfg(feature = "std")]
#[inline]
fn are_blocked() -> bool {
    std::thread_local! {
        static BLOCKED: core::cell::Cell<Option<bool>> = const { core::cell::Cell::new(None) };
    }
    BLOCKED.with(|blocked| blocked.get() != Some(false) && ask_once(blocked))
}

/// Returns the answer in `kept`, which is asked for where there is none.
#[cfg(feature = "std")]
#[cold]
#[inline(never)]
fn ask_once(kept: &core::cell::Cell<Option<bool>>) -> bool {
    kept.get().unwrap_or_else(|| {
        let now = ask_are_blocked();
        kept.set(Some(now));
        now
    })
}

/// Returns whether this thread blocks one of the signals: without `std` the answer cannot be kept.
#[cfg(not(feature = "std"))]
fn are_blocked() -> bool {
    ask_are_blocked()
}

#[cold]
fn ask_are_blocked() -> bool {
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: given null, the call changes nothing, and writes the mask, for which there is room.
    // [arguments]
    let result = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr()) };
    result != 0
        || SIGNALS.into_iter().any(|signal| {
            // SAFETY: the call succeeded, so it wrote all of the mask. [arguments]
            unsafe { libc::sigismember(mask.as_ptr(), signal) != 0 }
        })
}
