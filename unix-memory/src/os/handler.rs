//! The handler of the faults that copies make: Linux and Android.

use core::ffi::{c_int, c_void};
use core::mem::{self, MaybeUninit};
use core::ptr;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

use crate::arch;
use crate::call::{self, Errno, errno};
use crate::process::Process;

/// Whether there can be one.
pub const AVAILABLE: bool = arch::AVAILABLE;

/// A page behind a mapping is gone, or cannot be reached.
const SIGNALS: [c_int; 2] = [libc::SIGBUS, libc::SIGSEGV];

/// Whether copies rely on the handler.
static IS_USED: AtomicBool = AtomicBool::new(false);

/// The number of the process one of whose threads installs the handler; zero where none does.
static USER: AtomicU32 = AtomicU32::new(0);

/// How often the handler can be installed over what somebody has installed over it.
const MOST: usize = 8;

/// What was there before, for each of [`SIGNALS`].
static BEFORE: [Stack; 2] = [const { Stack::new() }; 2];

/// What was found for a signal each time that the handler was installed, from the first time on.
struct Stack {
    /// How many are there.
    len: AtomicUsize,
    found: [Before; MOST],
}

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

impl Stack {
    const fn new() -> Self {
        Self {
            len: AtomicUsize::new(0),
            found: [const { Before::new() }; MOST],
        }
    }
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

/// What became of a handler that was installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// There is none, or it is not used.
    Unused,
    InPlace,
    /// Something else was installed over it.
    Replaced,
}

/// Installs the handler where it is not in place, and has copies rely on it.
///
/// # Errors
/// `ENOSYS` where there is no such copy; `ENOSPC` where it was replaced too often; `ENOMEM`; what
/// `sigaction` says.
pub fn install() -> Result<(), Errno> {
    if !AVAILABLE {
        return Err(libc::ENOSYS);
    }
    let us = Process::current()?.number();
    // Acquire pairs with the release below.
    let mut user = 0;
    while let Err(now) = USER.compare_exchange(user, us, AcqRel, Acquire) {
        if now == us {
            // Another thread, and not for long.
            call::pause();
            user = 0;
        } else {
            // Nobody; or a thread of the parent was at work when it forked, and did not come along.
            user = now;
        }
    }
    let done = SIGNALS
        .into_iter()
        .zip(&BEFORE)
        .try_for_each(|(signal, before)| install_for(signal, before));
    // Where it is not in place, copies cannot rely on it.
    IS_USED.store(done.is_ok(), Release);
    USER.store(0, Release);
    done
}

/// Has copies rely on the handler no more. It stays: a copy may be under way in another thread, and
/// what was installed over it may hand on to it.
pub fn disable() {
    IS_USED.store(false, Release);
}

/// Asks the kernel what became of the handler.
///
/// # Errors
/// What `sigaction` says.
pub fn status() -> Result<Status, Errno> {
    if !IS_USED.load(Acquire) {
        return Ok(Status::Unused);
    }
    for signal in SIGNALS {
        if disposition(signal, None)?.sa_sigaction != ours() {
            return Ok(Status::Replaced);
        }
    }
    Ok(Status::InPlace)
}

/// The handler, as `sigaction` takes it.
fn ours() -> usize {
    handler as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize
}

fn install_for(signal: c_int, before: &Stack) -> Result<(), Errno> {
    let mut old = disposition(signal, None)?;
    let len = before.len.load(Acquire);
    // Until what was replaced is what the handler was told beforehand.
    while old.sa_sigaction != ours() {
        let found = before.found.get(len).ok_or(libc::ENOSPC)?;
        let has = |flag| old.sa_flags & flag != 0;
        found.takes_info.store(has(libc::SA_SIGINFO), Relaxed);
        found.once.store(has(libc::SA_RESETHAND), Relaxed);
        found.action.store(old.sa_sigaction, Release);
        before.len.store(len + 1, Release);
        let mut new = old;
        new.sa_sigaction = ours();
        new.sa_flags |= libc::SA_SIGINFO;
        // What the old one resets after one signal, is reset in `Before`.
        new.sa_flags &= !libc::SA_RESETHAND;
        if matches!(old.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
            // Nothing depends on where it runs: on the stack that has room for it, if there is one.
            new.sa_flags |= libc::SA_ONSTACK;
        }
        let replaced = disposition(signal, Some(&new)).inspect_err(|_| {
            before.len.store(len, Release);
        })?;
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
    let before = &BEFORE[usize::from(signal != SIGNALS[0])];
    // What was installed over an earlier installation of this handler may hand on to that. It is then
    // called again for the same signal, and goes on to what was there before that.
    let frame = InFlight::enter(context.addr());
    // Acquire pairs with the release of `install_for`.
    let len = before.len.load(Acquire);
    let Some(before) = len
        .checked_sub(1 + frame.depth)
        .and_then(|index| before.found.get(index))
    else {
        return act(libc::SIG_DFL, false, signal, info, context, sent);
    };
    // Acquire: the flags are those of the action.
    let action = before.action.load(Acquire);
    let takes_info = before.takes_info.load(Relaxed);
    if before.once.load(Relaxed) && action > libc::SIG_IGN {
        let first = before.action.swap(libc::SIG_DFL, AcqRel);
        return act(first, takes_info, signal, info, context, sent);
    }
    act(action, takes_info, signal, info, context, sent);
}

/// A signal that is being handed on: its context, which nobody else's signal has at that time, and where
/// on the stack that is done.
struct Slot {
    context: AtomicUsize,
    frame: AtomicUsize,
}

/// Those of all threads; more than these at a time are not told apart.
static IN_FLIGHT: [Slot; 32] = [const {
    Slot {
        context: AtomicUsize::new(0),
        frame: AtomicUsize::new(0),
    }
}; 32];

/// One call of the handler that hands on.
struct InFlight {
    slot: Option<&'static Slot>,
    /// How many calls for the same signal there are already, further up the stack.
    depth: usize,
}

impl InFlight {
    #[inline(never)]
    fn enter(context: usize) -> Self {
        let here = 0_u8;
        let frame = (&raw const here).addr();
        let mut depth = 0;
        for slot in &IN_FLIGHT {
            if slot.context.load(Acquire) != context {
                continue;
            }
            if slot.frame.load(Relaxed) > frame {
                depth += 1;
            } else {
                // A call that never came back, as it was left by a jump.
                slot.context.store(0, Release);
            }
        }
        let take = |slot: &&Slot| {
            let taken = slot.context.compare_exchange(0, context, AcqRel, Relaxed);
            taken.is_ok()
        };
        let slot = IN_FLIGHT.iter().find(take);
        if let Some(slot) = slot {
            slot.frame.store(frame, Relaxed);
        }
        Self { slot, depth }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            slot.context.store(0, Release);
        }
    }
}

fn act(
    action: usize,
    takes_info: bool,
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
