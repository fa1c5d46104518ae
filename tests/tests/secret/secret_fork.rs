//! Secrets and fork: what a child finds of those of its parent, and does with them.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::cell::Cell;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{EPERM, SIGSEGV};
use tests::{
    effort, here_and_as_the_first_process, in_a_child, in_a_child_of_the_same_number, in_threads,
    is_locked, limit_address_space, skip,
};
use unix_memory::secret::{Protections, Secret, SecretOptions};
use unix_memory::{Call, LockPages, Mapping, ProcessLock, Reason};

/// Memory of either kind, if it exists, and locked if that is allowed.
fn kinds() -> Vec<SecretOptions> {
    let ordinary = SecretOptions::new().optional(Protections::LOCKED);
    let secret = ordinary.clone().demand(Protections::SECRET_MEMORY);
    let mut kinds = vec![ordinary];
    match secret.zeroed(1) {
        Ok(_) => kinds.push(secret),
        Err(error) => skip("secret memory", &error.to_string()),
    }
    kinds
}

fn key(options: &SecretOptions) -> Secret {
    options.new_with(40, |bytes| bytes.fill(0x5a)).unwrap()
}

#[track_caller]
fn assert_elsewhere<T>(result: unix_memory::Result<T>) {
    let error = result.err().expect("not in a child");
    let expected = (Call::Borrow, EPERM, Reason::OtherProcess);
    assert_eq!((error.call(), error.errno(), error.reason()), expected);
}

#[track_caller]
fn assert_ours(secret: &Secret) {
    assert!(secret.ct_eq(&[0x5a; 40]).unwrap());
}

/// Everything that a child can do with what it has inherited.
fn use_inherited(mut secret: Secret) {
    assert_elsewhere(secret.borrow());
    assert_elsewhere(secret.borrow_mut());
    assert_elsewhere(secret.with(|_| ()));
    assert_elsewhere(secret.with_mut(|_| ()));
    assert_elsewhere(secret.ct_eq(&[0; 40]));
    assert_elsewhere(secret.ct_eq(&[]));
    assert_elsewhere(secret.try_clone());
    assert_eq!(secret.len(), 40);
    assert!(format!("{secret:?}").contains("len: 40"));
    drop(secret);
}

#[test]
fn a_child_has_nothing_of_it() {
    for options in kinds() {
        here_and_as_the_first_process(|| {
            let secret = Cell::new(Some(key(&options)));
            let child = || {
                use_inherited(secret.take().unwrap());
                // What is mapped from here on is the child's own, wherever it comes to lie.
                let mine: Vec<_> = (0..64)
                    .map(|_| Mapping::anonymous(1 << 16).unwrap())
                    .collect();
                let zeros = |mapping: &Mapping<_>| mapping.iter().all(|&byte| byte == 0);
                assert!(mine.iter().all(zeros));
                // And so are its own secrets.
                assert_ours(&key(&options));
            };
            assert!(in_a_child_of_the_same_number(child).success());
            assert_ours(&secret.take().unwrap());
        });
    }
}

#[test]
fn children_of_children() {
    for options in kinds() {
        let ours = Cell::new(Some(key(&options)));
        let status = in_a_child(|| {
            let theirs = Cell::new(Some(key(&options)));
            let child = || {
                use_inherited(theirs.take().unwrap());
                use_inherited(ours.take().unwrap());
            };
            assert!(in_a_child(child).success());
            assert_ours(&theirs.take().unwrap());
            use_inherited(ours.take().unwrap());
            // What comes to lie there is not closed in its child.
            let mine: Vec<_> = (0..64)
                .map(|_| Mapping::anonymous(1 << 14).unwrap())
                .collect();
            let read = || {
                assert!(
                    mine.iter()
                        .all(|mapping| mapping.iter().all(|&byte| byte == 0))
                );
            };
            assert!(in_a_child(read).success());
        });
        assert!(status.success());
        assert_ours(&ours.take().unwrap());
    }
}

/// Guards that the forking thread has: using them panics, and dropping them does nothing.
#[test]
fn guards_in_a_child() {
    for options in kinds() {
        let mut secret = key(&options);
        {
            let writer = Cell::new(Some(secret.borrow_mut().unwrap()));
            let status = in_a_child(|| {
                let mut writer = writer.take().unwrap();
                let written = catch_unwind(AssertUnwindSafe(|| writer[0] = 1));
                assert!(written.is_err());
                let read = catch_unwind(AssertUnwindSafe(|| std::hint::black_box(writer[0])));
                assert!(read.is_err());
                drop(writer);
            });
            assert!(status.success());
            assert_eq!(writer.take().unwrap()[0], 0x5a);
        }
        let reader = Cell::new(Some(secret.borrow().unwrap()));
        let status = in_a_child(|| {
            let reader = reader.take().unwrap();
            let read = catch_unwind(AssertUnwindSafe(|| std::hint::black_box(reader[0])));
            assert!(read.is_err());
            drop(reader);
        });
        assert!(status.success());
        assert_eq!(reader.take().unwrap()[39], 0x5a);
        assert_ours(&secret);
    }
}

/// A slice that was borrowed before refers to nothing in the child: using it raises SIGSEGV.
#[test]
fn a_slice_does_not_reach_into_a_child() {
    for options in kinds() {
        let mut secret = key(&options);
        let mut guard = secret.borrow_mut().unwrap();
        let slice = Cell::new(Some(&mut guard[..]));
        let dies = |child: &dyn Fn(&mut [u8])| {
            let status = in_a_child(|| {
                // SAFETY: the default action is a safe one.
                unsafe { libc::signal(SIGSEGV, libc::SIG_DFL) };
                // So that something else could have come to lie there.
                let others: Vec<_> = (0..64)
                    .map(|_| Mapping::anonymous(1 << 12).unwrap())
                    .collect();
                child(slice.take().unwrap());
                drop(others);
            });
            assert_eq!(status.signal(), Some(SIGSEGV), "{status}");
        };
        dies(&|slice| assert_eq!(std::hint::black_box(&*slice)[0], 0x5a));
        dies(&|slice| slice.fill(1));
        assert_eq!(slice.take().unwrap()[0], 0x5a);
    }
}

/// Children are made while other threads make, borrow and drop secrets.
#[test]
fn forks_at_any_moment() {
    for options in kinds() {
        let done = AtomicBool::new(false);
        let ours = Cell::new(Some(key(&options)));
        std::thread::scope(|scope| {
            let shared = std::sync::Arc::new(key(&options));
            for _ in 0..2 {
                let (shared, done, options) = (shared.clone(), &done, &options);
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        assert_ours(&key(options));
                        assert_ours(&shared);
                    }
                });
            }
            for _ in 0..effort(200) {
                let status = in_a_child(|| {
                    use_inherited(ours.take().unwrap());
                    assert_elsewhere(shared.borrow());
                    let work = || assert_ours(&key(&options));
                    in_threads([work, work]);
                });
                if !status.success() {
                    done.store(true, Ordering::Relaxed);
                }
                assert!(status.success());
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_ours(&ours.take().unwrap());
    }
}

/// A child is made though nothing can be mapped in it, unless somebody refers to secret memory.
#[test]
fn a_child_lives_where_nothing_can_be_mapped() {
    for options in kinds() {
        let held = in_a_child(|| {
            let secret = key(&options);
            let set = limit_address_space(0).is_ok();
            // SAFETY: the child does nothing but end.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let refused = secret.borrow().is_err();
                // SAFETY: as above.
                unsafe { libc::_exit(if refused { 7 } else { 8 }) };
            }
            let mut status = 0;
            // SAFETY: the call writes the status.
            let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
            let code = libc::WEXITSTATUS(status);
            let fine = set && ended == child && libc::WIFEXITED(status) && code == 7;
            // SAFETY: the call has no preconditions. (To unwind takes memory.)
            unsafe { libc::_exit(i32::from(!fine)) };
        });
        assert!(held.success());
    }
}

/// In a child of `vfork` it is the parent's memory, and the parent's secret.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_child_that_shares_the_memory() {
    struct Shared {
        secret: Secret,
        was_there: AtomicBool,
    }
    extern "C" fn child(shared: *mut libc::c_void) -> libc::c_int {
        // SAFETY: it is the parent's, which waits.
        let shared = unsafe { &*shared.cast::<Shared>() };
        shared.was_there.store(true, Ordering::Relaxed);
        i32::from(shared.secret.ct_eq(&[0x5a; 40]) != Ok(true))
    }
    let secret = key(&SecretOptions::new().optional(Protections::LOCKED));
    let mut stack = Mapping::anonymous(1 << 18).unwrap();
    let top = stack.as_mut_ptr().wrapping_add(1 << 18);
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let shared = Shared {
        secret,
        was_there: AtomicBool::new(false),
    };
    let argument = std::ptr::from_ref(&shared).cast_mut().cast();
    // SAFETY: the stack is the child's alone; the parent waits until it has ended.
    let pid = unsafe { libc::clone(child, top.cast(), flags, argument) };
    if pid == -1 {
        return skip("vfork", &std::io::Error::last_os_error().to_string());
    }
    let mut status = 0;
    // SAFETY: the call writes the status.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    if shared.was_there.load(Ordering::Relaxed) {
        assert_eq!(status, 0);
    } else {
        skip("vfork", "an emulator makes a child with memory of its own");
    }
    assert_ours(&shared.secret);
}

/// The lock of a secret is one of the crate's: others that go leave it.
#[test]
fn it_stays_locked_when_other_locks_go() {
    let status = in_a_child(|| {
        let secret = match Secret::zeroed(8) {
            Ok(secret) => secret,
            Err(error) => return skip("locked secrets", &error.to_string()),
        };
        let address = std::ptr::without_provenance(secret.address());
        match ProcessLock::new(LockPages::CURRENT) {
            Ok(process) => drop(process),
            Err(error) => return skip("locks on the process", &error.to_string()),
        }
        assert!(is_locked(address));
        drop(secret.borrow().unwrap());
        assert!(is_locked(address));
    });
    assert!(status.success());
}
