//! The fault handler, and every other fault: each of these happens in a child of its own.
// Emscripten has no signals for faults.
#![cfg(not(target_os = "emscripten"))]

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::mem::{self, MaybeUninit};
use std::os::unix::process::ExitStatusExt;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{EFAULT, ENOTSUP, SIG_DFL, SIG_IGN, SIGBUS, SIGSEGV, SIGUSR1, SIGUSR2, siginfo_t};
use tests::copies::stopped;
use tests::{in_a_child, in_threads, lacks, skip};
use unix_memory::{
    Access, MapOptions, Mechanism, ReadOnly, ReadWrite, Reason, SharedMapping,
    install_fault_handler, page_size,
};

/// What a child reports to its parent.
struct Told(SharedMapping<ReadWrite>);

impl Told {
    fn new() -> Self {
        let options = MapOptions::new().len(page_size());
        Self(options.map_anonymous_shared(ReadWrite).unwrap())
    }

    fn get(&self, index: usize) -> &AtomicUsize {
        self.0.atomic(index * size_of::<usize>()).unwrap()
    }

    fn value(&self, index: usize) -> usize {
        self.get(index).load(Ordering::SeqCst)
    }
}

/// Where handlers report it, since they take no arguments of ours.
static TOLD: AtomicUsize = AtomicUsize::new(0);

/// What handlers report, by its place in [`Told`].
const CALLS: usize = 0;
const SIGNAL: usize = 1;
const ADDRESS: usize = 2;
const MASK: usize = 3;
const ON_STACK: usize = 4;

fn tell(index: usize) -> &'static AtomicUsize {
    let told = ptr::with_exposed_provenance::<Told>(TOLD.load(Ordering::SeqCst));
    // SAFETY: it was put there by `watch`, whose caller keeps it until the process ends.
    let told = unsafe { &*told };
    told.get(index)
}

fn watch(told: &Told) {
    TOLD.store(ptr::from_ref(told).expose_provenance(), Ordering::SeqCst);
    // So that no memory has to be found in a handler.
    for index in 0..8 {
        told.get(index);
    }
}

/// The earlier handler: records what it is given, and lets the fault happen again.
extern "C" fn noting(signal: c_int, info: *mut siginfo_t, _: *mut c_void) {
    note(signal);
    // SAFETY: the kernel hands over what it knows of the signal.
    let info = unsafe { &*info };
    // SAFETY: a fault has an address.
    let address = unsafe { info.si_addr() };
    tell(ADDRESS).store(address.addr(), Ordering::SeqCst);
    set(signal, SIG_DFL, 0);
}

/// The same, with one argument.
extern "C" fn noting_less(signal: c_int) {
    note(signal);
    set(signal, SIG_DFL, 0);
}

/// Records, and returns as if nothing had happened.
extern "C" fn noting_only(signal: c_int, _: *mut siginfo_t, _: *mut c_void) {
    note(signal);
}

/// Records, and ends the process.
extern "C" fn exiting(signal: c_int, _: *mut siginfo_t, _: *mut c_void) {
    note(signal);
    // SAFETY: the call has no preconditions.
    unsafe { libc::_exit(33) };
}

fn note(signal: c_int) {
    tell(CALLS).fetch_add(1, Ordering::SeqCst);
    tell(SIGNAL).store(signal.unsigned_abs() as usize, Ordering::SeqCst);
    let mut mask = MaybeUninit::uninit();
    // SAFETY: the call writes the mask.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr()) };
    let bits = [SIGSEGV, SIGBUS, SIGUSR1, SIGUSR2]
        .into_iter()
        .enumerate()
        .fold(0, |bits, (i, signal)| {
            // SAFETY: the mask was written.
            let is = unsafe { libc::sigismember(mask.as_ptr(), signal) } == 1;
            bits | usize::from(is) << i
        });
    tell(MASK).store(bits, Ordering::SeqCst);
    let mut stack = MaybeUninit::<libc::stack_t>::uninit();
    // SAFETY: the call writes the stack.
    unsafe { libc::sigaltstack(ptr::null(), stack.as_mut_ptr()) };
    // SAFETY: it was written.
    let on_stack = unsafe { stack.assume_init() }.ss_flags & libc::SS_ONSTACK != 0;
    tell(ON_STACK).store(usize::from(on_stack), Ordering::SeqCst);
}

/// Sets the disposition of `signal`, and returns the old one.
fn set(signal: c_int, action: usize, flags: c_int) -> libc::sigaction {
    set_masked(signal, action, flags, &[])
}

fn set_masked(signal: c_int, action: usize, flags: c_int, mask: &[c_int]) -> libc::sigaction {
    // SAFETY: it holds only integers.
    let mut new: libc::sigaction = unsafe { mem::zeroed() };
    new.sa_sigaction = action;
    new.sa_flags = flags;
    for &blocked in mask {
        // SAFETY: the mask is whole.
        unsafe { libc::sigaddset(&raw mut new.sa_mask, blocked) };
    }
    let mut old = MaybeUninit::uninit();
    // SAFETY: the disposition is one of those above.
    let result = unsafe { libc::sigaction(signal, &raw const new, old.as_mut_ptr()) };
    assert_eq!(result, 0);
    // SAFETY: it was written.
    unsafe { old.assume_init() }
}

/// Follows a null pointer, in C, which does not look at it first.
fn follow_null() {
    let null = black_box(ptr::null());
    // SAFETY: none: this is the crash.
    black_box(unsafe { libc::strlen(null) });
}

/// A mapping whose only page is gone.
fn gone<A: Access>(access: A) -> SharedMapping<A> {
    let file = tempfile::tempfile().unwrap();
    file.set_len(page_size() as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, access).unwrap();
    file.set_len(0).unwrap();
    mapping
}

/// A copy over memory that is gone, by the handler, is an error.
fn copies_are_errors(mapping: &SharedMapping<ReadWrite>) {
    let fault = stopped(0, 0);
    let handler = Mechanism::Handler;
    let error = mapping.read_at_with(handler, 0, &mut [1; 99]).unwrap_err();
    assert_eq!((error.errno(), error.reason()), (EFAULT, fault));
    let error = mapping.write_at_with(handler, 0, &[1; 99]).unwrap_err();
    assert_eq!((error.errno(), error.reason()), (EFAULT, fault));
    assert_eq!(mapping.fill(.., 0).unwrap_err().reason(), fault);
}

/// Whether a handler can be installed here; it is, in a child.
fn can_install() -> bool {
    let ended = in_a_child(|| match install_fault_handler() {
        Ok(()) => {}
        // SAFETY: the call has no preconditions.
        Err(error) if error.reason() == Reason::Unsupported => unsafe { libc::_exit(44) },
        Err(error) => panic!("{error}"),
    });
    match ended.code() {
        Some(0) => true,
        Some(44) => {
            skip(
                "the handler of faults",
                "none for this system and architecture",
            );
            false
        }
        _ => panic!("{ended}"),
    }
}

/// A disposition, what happens then, and what comes of it.
struct Case {
    before: usize,
    flags: c_int,
    /// The signal that ends the process; or the code with which it exits.
    ends: Result<c_int, c_int>,
    calls: usize,
}

/// Runs `crash` in a child in which `case.before` was installed before the handler of faults, and
/// the handler was used; checks how it ends, and returns what was told.
fn crash(case: &Case, signal: c_int, crash: impl FnOnce()) -> Told {
    let told = Told::new();
    let mapping = gone(ReadWrite);
    let ended = in_a_child(|| {
        watch(&told);
        set_masked(signal, case.before, case.flags, &[SIGUSR1]);
        install_fault_handler().unwrap();
        copies_are_errors(&mapping);
        crash();
        copies_are_errors(&mapping);
    });
    let expected = (case.ends.ok(), case.ends.err());
    assert_eq!((ended.signal(), ended.code()), expected, "{ended}");
    assert_eq!(told.value(CALLS), case.calls);
    if case.calls > 0 {
        assert_eq!(told.value(SIGNAL), signal.unsigned_abs() as usize);
    }
    told
}

fn address(handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void)) -> usize {
    handler as *const () as usize
}

/// A signal that a process sends with `kill` is no fault: it ends this one, as it would without the handler.
#[test]
fn a_signal_that_is_sent_ends_the_process() {
    for signal in [SIGBUS, SIGSEGV] {
        let ended = in_a_child(|| {
            // In place of Rust's handler, to which the first one is lost.
            // SAFETY: no handler is installed.
            unsafe { libc::signal(signal, SIG_DFL) };
            if let Err(error) = install_fault_handler() {
                skip("signals that are sent to the handler", &error.to_string());
            }
            let us = libc::pid_t::try_from(std::process::id()).unwrap();
            // SAFETY: the call takes integers.
            unsafe { libc::kill(us, signal) };
            // An emulator may deliver it late.
            std::thread::sleep(std::time::Duration::from_secs(5));
        });
        assert_eq!(ended.signal(), Some(signal), "{ended}");
    }
}

#[test]
fn a_null_dereference_is_a_crash() {
    if !can_install() {
        return;
    }
    // With what Rust's own runtime, or nobody, has installed.
    let ended = in_a_child(|| {
        install_fault_handler().unwrap();
        copies_are_errors(&gone(ReadWrite));
        follow_null();
    });
    assert_eq!(ended.signal(), Some(SIGSEGV), "{ended}");
    for before in [SIG_DFL, SIG_IGN] {
        let case = Case {
            before,
            flags: 0,
            ends: Ok(SIGSEGV),
            calls: 0,
        };
        crash(&case, SIGSEGV, follow_null);
    }
}

#[test]
fn the_handler_before_is_called() {
    if !can_install() {
        return;
    }
    let mut case = Case {
        before: address(noting),
        flags: libc::SA_SIGINFO,
        ends: Ok(SIGSEGV),
        calls: 1,
    };
    let no_masks = lacks::masks_of_handlers("the mask of the handler before");
    let is_mask = |told: Told, mask| assert!(no_masks || told.value(MASK) == mask);
    let told = crash(&case, SIGSEGV, follow_null);
    assert!(told.value(ADDRESS) < page_size());
    // Its own signal is blocked while it runs, and what its mask says.
    is_mask(told, 0b0101);

    case.flags |= libc::SA_NODEFER;
    is_mask(crash(&case, SIGSEGV, follow_null), 0b0100);

    case.flags = 0;
    case.before = noting_less as *const () as usize;
    is_mask(crash(&case, SIGSEGV, follow_null), 0b0101);

    case.flags = libc::SA_SIGINFO;
    case.before = address(exiting);
    case.ends = Err(33);
    crash(&case, SIGSEGV, follow_null);
}

#[test]
fn a_handler_for_one_signal_is_called_once() {
    if !can_install() {
        return;
    }
    // It returns, and the fault happens again, for which there is no handler any more.
    let case = Case {
        before: address(noting_only),
        flags: libc::SA_SIGINFO | libc::SA_RESETHAND,
        ends: Ok(SIGSEGV),
        calls: 1,
    };
    crash(&case, SIGSEGV, follow_null);
}

/// Sends the process a signal.
fn send(signal: c_int) {
    // SAFETY: the call has no preconditions.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

#[test]
fn signals_that_are_sent() {
    if !can_install() {
        return;
    }
    for signal in [SIGSEGV, SIGBUS] {
        let send = || send(signal);
        let mut case = Case {
            before: SIG_DFL,
            flags: 0,
            ends: Ok(signal),
            calls: 0,
        };
        crash(&case, signal, send);
        // Ignored or handled: the process continues, and copies still return errors.
        case.before = SIG_IGN;
        case.ends = Err(0);
        crash(&case, signal, send);
        case.before = address(noting_only);
        case.flags = libc::SA_SIGINFO;
        case.calls = 1;
        crash(&case, signal, send);
    }
}

#[test]
fn atomics_and_slices_over_what_is_gone_are_crashes() {
    if lacks::own_pages("touching pages past the end of a file") {
        return;
    }
    if !can_install() {
        return;
    }
    let mapping = gone(ReadWrite);
    let case = Case {
        before: address(noting),
        flags: libc::SA_SIGINFO,
        ends: Ok(SIGBUS),
        calls: 1,
    };
    let told = crash(&case, SIGBUS, || {
        let atomic: &AtomicUsize = mapping.atomic(16).unwrap();
        atomic.load(Ordering::Relaxed);
    });
    assert_eq!(told.value(ADDRESS), mapping.as_ptr().addr() + 16);
}

/// Whether a handler was on the alternate stack, when a thread that had one crashed.
fn ran_on_the_alternate_stack(flags: c_int) -> bool {
    let case = Case {
        before: address(noting),
        flags: libc::SA_SIGINFO | flags,
        ends: Ok(SIGSEGV),
        calls: 1,
    };
    let told = crash(&case, SIGSEGV, || {
        let in_a_thread = || {
            let mut stack = vec![0u8; 1 << 16];
            let new = libc::stack_t {
                ss_sp: stack.as_mut_ptr().cast(),
                ss_flags: 0,
                ss_size: stack.len(),
            };
            // SAFETY: the memory lives as long as the thread, which does not come back.
            let result = unsafe { libc::sigaltstack(&raw const new, ptr::null_mut()) };
            assert_eq!(result, 0);
            copies_are_errors(&gone(ReadWrite));
            follow_null();
        };
        in_threads([in_a_thread]);
    });
    told.value(ON_STACK) == 1
}

#[test]
fn the_handler_before_has_its_stack() {
    if !can_install() {
        return;
    }
    assert!(ran_on_the_alternate_stack(libc::SA_ONSTACK));
    assert!(!ran_on_the_alternate_stack(0));
}

/// What a later handler hands on to.
static EARLIER: AtomicUsize = AtomicUsize::new(0);

extern "C" fn later(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
    tell(CALLS).fetch_add(1, Ordering::SeqCst);
    // SAFETY: it was told so by `sigaction`.
    let earlier: Handler = unsafe { mem::transmute(EARLIER.load(Ordering::SeqCst)) };
    earlier(signal, info, context);
}

#[test]
fn a_later_handler_that_hands_on() {
    if !can_install() {
        return;
    }
    let told = Told::new();
    let mapping = gone(ReadWrite);
    let ended = in_a_child(|| {
        watch(&told);
        install_fault_handler().unwrap();
        for signal in [SIGBUS, SIGSEGV] {
            let old = set(signal, address(later), libc::SA_SIGINFO | libc::SA_ONSTACK);
            assert_ne!(old.sa_flags & libc::SA_SIGINFO, 0);
            EARLIER.store(old.sa_sigaction, Ordering::SeqCst);
        }
        copies_are_errors(&mapping);
        let calls = told.value(CALLS);
        // A copy may fault twice: in its wide part, then byte by byte. After a write, reading the byte
        // faults too.
        assert!((5..=10).contains(&calls), "{calls}");
        // On top again, its own faults go to nobody else.
        install_fault_handler().unwrap();
        copies_are_errors(&mapping);
        assert_eq!(told.value(CALLS), calls);
        told.get(CALLS).store(0, Ordering::SeqCst);
        follow_null();
    });
    assert_eq!(ended.signal(), Some(SIGSEGV), "{ended}");
    assert_eq!(told.value(CALLS), 1);
}

#[test]
fn installed_once() {
    if !can_install() {
        return;
    }
    let ended = in_a_child(|| {
        in_threads((0..8).map(|_| {
            || {
                install_fault_handler().unwrap();
                copies_are_errors(&gone(ReadWrite));
            }
        }));
        let ours = set(SIGBUS, SIG_DFL, 0);
        set(SIGBUS, ours.sa_sigaction, ours.sa_flags);
        install_fault_handler().unwrap();
        let now = set(SIGBUS, SIG_DFL, 0);
        assert_eq!(now.sa_sigaction, ours.sa_sigaction);
        // A child has it too.
        set(SIGBUS, ours.sa_sigaction, ours.sa_flags);
        let ended = in_a_child(|| copies_are_errors(&gone(ReadWrite)));
        assert_eq!(ended.code(), Some(0));
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

#[test]
fn a_thread_that_blocks_the_signals() {
    if !can_install() {
        return;
    }
    let mapping = gone(ReadOnly);
    let ended = in_a_child(|| {
        install_fault_handler().unwrap();
        let blocking = || {
            let mut all = MaybeUninit::uninit();
            // SAFETY: the call writes the mask.
            unsafe { libc::sigfillset(all.as_mut_ptr()) };
            // SAFETY: the mask was written.
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), ptr::null_mut()) };
            let error = mapping
                .read_at_with(Mechanism::Handler, 0, &mut [1])
                .unwrap_err();
            assert_eq!(
                (error.errno(), error.reason()),
                (ENOTSUP, Reason::NoHandler)
            );
            let error = mapping.read_at(0, &mut [1]).unwrap_err();
            assert_eq!(error.reason(), stopped(0, 0));
        };
        in_threads([blocking]);
        copies_are_errors(&gone(ReadWrite));
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}
