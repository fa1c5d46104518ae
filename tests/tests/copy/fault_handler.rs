//! The fault handler among those of others: queried, replaced, put on top again, in a circle,
//! uninstalled. Each of these happens in a child of its own.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::mem::{self, MaybeUninit};
use std::os::unix::process::ExitStatusExt;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{EFAULT, ENOTSUP, EPERM, SIG_DFL, SIG_IGN, SIGBUS, SIGSEGV, SIGUSR1, siginfo_t};
use tests::copies::stopped;
use tests::seccomp::SYS_RT_SIGACTION;
use tests::{in_a_child, in_threads, lacks, seccomp, skip};
use unix_memory::{
    Call, FaultHandler, MapOptions, Mechanism, ReadWrite, Reason, SharedMapping, fault_handler,
    install_fault_handler, page_size, uninstall_fault_handler,
};

const SIGNALS: [c_int; 2] = [SIGBUS, SIGSEGV];

type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// Which handlers were called: a decimal digit for each, in their order.
static CALLED: AtomicUsize = AtomicUsize::new(0);

fn note(who: usize) {
    let add = |called| Some(called * 10 + who);
    let _last = CALLED.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
}

/// What was called since this was asked last.
fn called() -> usize {
    CALLED.swap(0, Ordering::SeqCst)
}

/// What each handler of a library hands signals on to, by its number.
static EARLIER: [AtomicUsize; 4] = [const { AtomicUsize::new(SIG_DFL) }; 4];

/// The handler of library `N`, which hands signals on to what it found.
extern "C" fn library<const N: usize>(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    note(N);
    let earlier = EARLIER[N].load(Ordering::SeqCst);
    if earlier == SIG_DFL {
        // The end: the process continues after a signal that was sent, and a fault is fatal.
        set(signal, SIG_DFL, 0);
        return;
    }
    // SAFETY: it was installed so, or is ours.
    let earlier: Handler = unsafe { mem::transmute(earlier) };
    earlier(signal, info, context);
}

/// Installs the handler of library `N` for `signal`, as libraries do.
fn install_library<const N: usize>(signal: c_int) {
    let old = set(signal, address(library::<N>), libc::SA_SIGINFO);
    EARLIER[N].store(old.sa_sigaction, Ordering::SeqCst);
}

/// Writes what was called, and exits.
extern "C" fn exiting(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the call has no preconditions.
    unsafe { libc::_exit(33) };
}

extern "C" fn exiting_less(_: c_int) {
    // SAFETY: the call has no preconditions.
    unsafe { libc::_exit(34) };
}

fn address(handler: Handler) -> usize {
    handler as *const () as usize
}

/// Sets the disposition of `signal`, and returns the old one.
fn set(signal: c_int, action: usize, flags: c_int) -> libc::sigaction {
    // SAFETY: it holds only integers.
    let mut new: libc::sigaction = unsafe { mem::zeroed() };
    new.sa_sigaction = action;
    new.sa_flags = flags;
    // SAFETY: the mask is whole.
    unsafe { libc::sigaddset(&raw mut new.sa_mask, SIGUSR1) };
    disposition(signal, &raw const new)
}

/// What is done at `signal`.
fn get(signal: c_int) -> libc::sigaction {
    disposition(signal, ptr::null())
}

fn disposition(signal: c_int, new: *const libc::sigaction) -> libc::sigaction {
    let mut old = MaybeUninit::uninit();
    // SAFETY: the new one is null, or one of those above.
    let result = unsafe { libc::sigaction(signal, new, old.as_mut_ptr()) };
    assert_eq!(result, 0);
    // SAFETY: it was written.
    unsafe { old.assume_init() }
}

/// The action, the flags that matter, and whether the mask has what `set` puts there.
fn facts(disposition: &libc::sigaction) -> (usize, c_int, bool) {
    let flags = libc::SA_SIGINFO | libc::SA_RESETHAND | libc::SA_NODEFER | libc::SA_ONSTACK;
    // SAFETY: the mask is whole.
    let masks = unsafe { libc::sigismember(&raw const disposition.sa_mask, SIGUSR1) } == 1;
    (
        disposition.sa_sigaction,
        disposition.sa_flags & flags,
        masks,
    )
}

/// Mappings whose bytes cannot be reached: copies fault by SIGBUS, and by SIGSEGV.
struct Faulty([SharedMapping<ReadWrite>; 2]);

impl Faulty {
    fn new() -> Self {
        let file = tempfile::tempfile().unwrap();
        file.set_len(page_size() as u64).unwrap();
        let [gone, closed] =
            [0, 1].map(|_| MapOptions::new().map_shared(&file, ReadWrite).unwrap());
        file.set_len(0).unwrap();
        let start = closed.as_mut_ptr().cast();
        // SAFETY: the pages are the mapping's, and only copies reach for them.
        let result = unsafe { libc::mprotect(start, page_size(), libc::PROT_NONE) };
        assert_eq!(result, 0);
        Self([gone, closed])
    }

    /// Copies return errors, with the handler if `handler`.
    fn is_error(&self, handler: bool) {
        let fault = stopped(0, 0);
        for mapping in &self.0 {
            for error in [
                mapping.read_at(0, &mut [1; 99]).unwrap_err(),
                mapping.write_at(0, &[1; 99]).unwrap_err(),
                mapping.fill(.., 0).unwrap_err(),
            ] {
                assert_eq!((error.errno(), error.reason()), (EFAULT, fault));
            }
            let by = Mechanism::Handler;
            let error = mapping.read_at_with(by, 0, &mut [1]).unwrap_err();
            let expected = if handler {
                (EFAULT, fault)
            } else {
                (ENOTSUP, Reason::NoHandler)
            };
            assert_eq!((error.errno(), error.reason()), expected);
        }
    }
}

/// Whether a handler can be installed here.
fn can_install() -> bool {
    if lacks::own_pages("the handler of faults among others") {
        return false;
    }
    let can = in_a_child(|| install_fault_handler().unwrap()).success();
    if !can {
        skip(
            "the handler of faults",
            "none for this system and architecture",
        );
    }
    can
}

/// `f`, in a child which it must end successfully.
fn well(f: impl FnOnce()) {
    let ended = in_a_child(f);
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// Follows a null pointer, in C, which does not look at it first.
fn follow_null() {
    let null = black_box(ptr::null());
    // SAFETY: none: this is the crash.
    black_box(unsafe { libc::strlen(null) });
}

fn send(signal: c_int) {
    // SAFETY: the call has no preconditions.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

#[test]
fn the_kernel_is_asked() {
    assert_eq!(fault_handler(), Ok(FaultHandler::Absent));
    uninstall_fault_handler().unwrap();
    if !can_install() {
        return;
    }
    well(|| {
        install_fault_handler().unwrap();
        assert_eq!(fault_handler(), Ok(FaultHandler::Installed));
        for signal in SIGNALS {
            let ours = set(signal, SIG_DFL, 0);
            assert_eq!(fault_handler(), Ok(FaultHandler::Replaced));
            well(|| assert_eq!(fault_handler(), Ok(FaultHandler::Replaced)));
            disposition(signal, &raw const ours);
            assert_eq!(fault_handler(), Ok(FaultHandler::Installed));
            set(signal, address(exiting), libc::SA_SIGINFO);
            assert_eq!(fault_handler(), Ok(FaultHandler::Replaced));
            install_fault_handler().unwrap();
            assert_eq!(fault_handler(), Ok(FaultHandler::Installed));
            assert_eq!(facts(&get(signal)).0, facts(&ours).0);
        }
        uninstall_fault_handler().unwrap();
        assert_eq!(fault_handler(), Ok(FaultHandler::Absent));
    });
    assert_eq!(fault_handler(), Ok(FaultHandler::Absent));
}

/// A handler that hands signals on to nobody takes them: it gets the faults of copies until ours is
/// on top again.
#[test]
fn after_one_that_hands_on_to_nobody() {
    if !can_install() {
        return;
    }
    let faulty = Faulty::new();
    let others = [
        (address(exiting), libc::SA_SIGINFO, Ok(33)),
        (exiting_less as *const () as usize, 0, Ok(34)),
        (SIG_DFL, 0, Err(())),
        (SIG_IGN, 0, Err(())),
    ];
    for (action, flags, ends) in others {
        for signal in SIGNALS {
            let check = |again: bool, then: &dyn Fn()| {
                in_a_child(|| {
                    install_fault_handler().unwrap();
                    faulty.is_error(true);
                    set(signal, action, flags);
                    if again {
                        install_fault_handler().unwrap();
                    }
                    then();
                })
            };
            let ends_so = |ended: std::process::ExitStatus, signal| match ends {
                Ok(code) => assert_eq!(ended.code(), Some(code), "{ended}"),
                Err(()) => assert_eq!(ended.signal(), Some(signal), "{ended}"),
            };
            // Without, a copy is what any access to the memory is.
            if action != SIG_IGN || signal != SIGBUS || !lacks::ends_by_ignored_faults("SIG_IGN") {
                ends_so(check(false, &|| faulty.is_error(true)), signal);
            }
            let ended = check(true, &|| {
                faulty.is_error(true);
                well(|| faulty.is_error(true));
            });
            assert_eq!(ended.code(), Some(0), "{ended}");
            // A fault of other code goes to the other handler.
            if signal == SIGSEGV {
                ends_so(check(true, &follow_null), SIGSEGV);
            }
            if action == SIG_IGN {
                let ended = check(true, &|| send(signal));
                assert_eq!(ended.code(), Some(0), "{ended}");
            } else {
                ends_so(check(true, &|| send(signal)), signal);
            }
        }
    }
}

/// Theirs and ours by turns, each over the one before: every one is called once, the last first.
#[test]
fn handlers_in_a_circle() {
    if !can_install() {
        return;
    }
    let faulty = Faulty::new();
    for signal in SIGNALS {
        well(|| {
            install_library::<1>(signal);
            EARLIER[1].store(SIG_DFL, Ordering::SeqCst);
            install_fault_handler().unwrap();
            install_library::<2>(signal);
            install_fault_handler().unwrap();
            install_library::<3>(signal);
            assert_eq!(fault_handler(), Ok(FaultHandler::Replaced));
            for (on_top, order) in [(false, 321), (true, 321)] {
                if on_top {
                    install_fault_handler().unwrap();
                }
                called();
                faulty.is_error(true);
                // Ours on top keeps its faults to itself.
                assert_eq!(called() == 0, on_top);
                let before = get(signal);
                send(signal);
                assert_eq!(called(), order);
                disposition(signal, &raw const before);
                // And the next one is handed on in the same way.
                send(signal);
                assert_eq!(called(), order);
                disposition(signal, &raw const before);
            }
            if signal == SIGSEGV {
                let ended = in_a_child(follow_null);
                assert_eq!(ended.signal(), Some(SIGSEGV), "{ended}");
            }
        });
    }
}

/// A handler that installs itself again, over ours, forgets what it found first: the two then have
/// only each other, and still come to an end.
#[test]
fn a_handler_that_forgets() {
    if !can_install() {
        return;
    }
    let faulty = Faulty::new();
    for signal in SIGNALS {
        for again in [false, true] {
            well(|| {
                install_library::<1>(signal);
                install_fault_handler().unwrap();
                install_library::<1>(signal);
                if again {
                    install_fault_handler().unwrap();
                }
                faulty.is_error(true);
                let ended = in_a_child(|| send(signal));
                assert_eq!(ended.signal(), Some(signal), "{ended}");
                if signal == SIGSEGV {
                    let ended = in_a_child(follow_null);
                    assert_eq!(ended.signal(), Some(signal), "{ended}");
                }
            });
        }
    }
}

#[test]
fn uninstalled() {
    if !can_install() {
        return;
    }
    let faulty = Faulty::new();
    let befores = [
        (SIG_DFL, 0),
        (SIG_IGN, 0),
        (address(exiting), libc::SA_SIGINFO | libc::SA_NODEFER),
        (address(exiting), libc::SA_SIGINFO | libc::SA_RESETHAND),
        (exiting_less as *const () as usize, libc::SA_ONSTACK),
    ];
    for (action, flags) in befores {
        well(|| {
            for signal in SIGNALS {
                set(signal, action, flags);
            }
            let before = SIGNALS.map(|signal| facts(&get(signal)));
            for _ in 0..40 {
                install_fault_handler().unwrap();
                faulty.is_error(true);
                uninstall_fault_handler().unwrap();
                uninstall_fault_handler().unwrap();
                assert_eq!(fault_handler(), Ok(FaultHandler::Absent));
                for (signal, before) in SIGNALS.into_iter().zip(before) {
                    let mut now = facts(&get(signal));
                    if action == SIG_DFL || action == SIG_IGN {
                        // It has no meaning there.
                        now.1 &= !libc::SA_ONSTACK;
                    }
                    assert_eq!(now, before);
                }
                // By the kernel.
                faulty.is_error(false);
            }
        });
    }
}

/// What was spent under the handler stays so.
#[test]
fn uninstalled_after_a_handler_for_one_signal() {
    if !can_install() {
        return;
    }
    well(|| {
        EARLIER[1].store(address(noting_only), Ordering::SeqCst);
        let once = libc::SA_SIGINFO | libc::SA_RESETHAND;
        set(SIGBUS, address(library::<1>), once);
        install_fault_handler().unwrap();
        send(SIGBUS);
        assert_eq!(called(), 19);
        uninstall_fault_handler().unwrap();
        assert_eq!(get(SIGBUS).sa_sigaction, SIG_DFL);
    });
}

extern "C" fn noting_only(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    note(9);
}

/// If another one is on top, the signal is left alone, and whatever it hands on works as before.
#[test]
fn uninstalled_under_another() {
    if !can_install() {
        return;
    }
    let faulty = Faulty::new();
    for signal in SIGNALS {
        well(|| {
            install_library::<1>(signal);
            EARLIER[1].store(address(noting_only), Ordering::SeqCst);
            install_fault_handler().unwrap();
            install_library::<2>(signal);
            uninstall_fault_handler().unwrap();
            assert_eq!(fault_handler(), Ok(FaultHandler::Absent));
            assert_eq!(get(signal).sa_sigaction, address(library::<2>));
            faulty.is_error(false);
            send(signal);
            assert_eq!(called(), 219);

            // On top again, and away again: the other one is back, and hands on to what was first.
            install_fault_handler().unwrap();
            faulty.is_error(true);
            uninstall_fault_handler().unwrap();
            assert_eq!(get(signal).sa_sigaction, address(library::<2>));
            faulty.is_error(false);
            send(signal);
            assert_eq!(called(), 219);
            install_fault_handler().unwrap();
            faulty.is_error(true);
            send(signal);
            assert_eq!(called(), 219);
        });
    }
}

/// Whatever a child does, its parent keeps what it has.
#[test]
fn in_a_child_of_fork() {
    if !can_install() {
        return;
    }
    let faulty = Faulty::new();
    well(|| {
        install_fault_handler().unwrap();
        well(|| {
            assert_eq!(fault_handler(), Ok(FaultHandler::Installed));
            uninstall_fault_handler().unwrap();
            faulty.is_error(false);
            install_fault_handler().unwrap();
            faulty.is_error(true);
            set(SIGBUS, SIG_IGN, 0);
        });
        assert_eq!(fault_handler(), Ok(FaultHandler::Installed));
        faulty.is_error(true);
    });
}

/// Many threads at once, some of which put others on top.
#[test]
fn at_once() {
    if !can_install() {
        return;
    }
    let faulty = Faulty::new();
    well(|| {
        // Both hand on, and neither's address is ever found twice in a row.
        in_threads((0..4).map(|i| {
            let faulty = &faulty;
            move || {
                for round in 0..200 {
                    if (i + round) % 5 == 0 {
                        install_library::<1>(SIGBUS);
                    }
                    install_fault_handler().unwrap();
                    for mapping in &faulty.0[1..] {
                        assert!(mapping.read_at(0, &mut [0; 20]).is_err());
                    }
                }
            }
        }));
        install_fault_handler().unwrap();
        faulty.is_error(true);
    });
}

/// If one of the two signals is refused, nothing changes for the other.
#[test]
fn what_is_refused_changes_nothing() {
    if !can_install() {
        return;
    }
    let faulty = Faulty::new();
    well(|| {
        let before = facts(&get(SIGBUS));
        let second = SIGSEGV.unsigned_abs().into();
        if let Err(error) = seccomp::refuse(SYS_RT_SIGACTION, Some((0, second)), EPERM) {
            return skip("a refused handler", &format!("no seccomp filters: {error}"));
        }
        let error = install_fault_handler().unwrap_err();
        let told = (error.call(), error.errno(), error.reason());
        assert_eq!(told, (Call::Sigaction, EPERM, Reason::Kernel));
        assert_eq!(error.to_string(), "sigaction: Operation not permitted");
        let mut now = facts(&get(SIGBUS));
        if before.0 == SIG_DFL {
            now.1 &= !libc::SA_ONSTACK;
        }
        assert_eq!(now, before);
        assert_eq!(fault_handler(), Ok(FaultHandler::Absent));
        faulty.is_error(false);
    });
    // If it is installed, and can no longer be queried.
    well(|| {
        install_fault_handler().unwrap();
        let first = SIGBUS.unsigned_abs().into();
        if seccomp::refuse(SYS_RT_SIGACTION, Some((0, first)), EPERM).is_err() {
            return;
        }
        assert_eq!(fault_handler().unwrap_err().errno(), EPERM);
        assert_eq!(install_fault_handler().unwrap_err().errno(), EPERM);
        faulty.is_error(true);
        assert_eq!(uninstall_fault_handler().unwrap_err().errno(), EPERM);
        assert_eq!(fault_handler(), Ok(FaultHandler::Absent));
        faulty.is_error(false);
    });
}
