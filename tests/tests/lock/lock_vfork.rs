//! Children of `vfork`, which use the memory of their parent until they call `exec`: what they map, lock and
//! release is the parent's.
// Other systems call it obsolete, or make it a `fork`.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::cell::Cell;
use std::mem;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use tests::{is_locked, is_unlocked, lacks, skip};
use unix_memory::{Mapping, ReadOnly, page_size};

/// What `f` is called with in such a child, and whether it was.
struct Call<'a> {
    body: &'a dyn Fn(),
    was_there: AtomicBool,
}

/// Calls `f` in a child that shares this process's memory, while the calling thread waits; false where an
/// emulator gives the child memory of its own.
fn in_the_same_memory(f: &dyn Fn()) -> bool {
    extern "C" fn child(call: *mut libc::c_void) -> libc::c_int {
        // SAFETY: it is the parent's, which waits.
        let call = unsafe { &*call.cast::<Call<'_>>() };
        call.was_there.store(true, Ordering::Relaxed);
        (call.body)();
        0
    }
    // (As a fork, amid other threads, it may wait for one that it does not have.)
    if lacks::own_process("vfork") {
        return false;
    }
    let call = Call {
        body: f,
        was_there: AtomicBool::new(false),
    };
    let mut stack = Mapping::anonymous(1 << 18).expect("a stack");
    let top = stack.as_mut_ptr().wrapping_add(1 << 18);
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let argument = std::ptr::from_ref(&call).cast_mut().cast();
    // SAFETY: the stack is the child's alone; the parent waits until it has ended.
    let pid = unsafe { libc::clone(child, top.cast(), flags, argument) };
    if pid == -1 {
        skip("vfork", &std::io::Error::last_os_error().to_string());
        return false;
    }
    let mut status = 0;
    // SAFETY: the call writes the status.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    assert_eq!(status, 0);
    assert!(call.was_there.load(Ordering::Relaxed), "other memory");
    true
}

/// Each lock is the address space's: a child that drops its guard does not unlock what the parent holds, and
/// what it keeps locked, the parent finds locked.
#[test]
fn locks_are_those_of_the_memory() {
    let mapping = Mapping::anonymous(4 * page_size()).expect("pages");
    let guard = match mapping.lock_range(..page_size()) {
        Ok(guard) => guard,
        Err(error) => return skip("locks of a child of vfork", &error.to_string()),
    };
    let shares = in_the_same_memory(&|| {
        drop(mapping.lock().expect("a lock"));
        mem::forget(mapping.lock_range(2 * page_size()..3 * page_size()));
    });
    if !shares {
        return;
    }
    assert!(is_locked(mapping.as_ptr()));
    assert!(is_unlocked(mapping.as_ptr().wrapping_add(page_size())));
    assert!(is_locked(mapping.as_ptr().wrapping_add(2 * page_size())));
    drop(guard);
    assert!(is_unlocked(mapping.as_ptr()));
    // A lock beside the child's does not end it.
    drop(mapping.lock().expect("a lock"));
    assert!(is_locked(mapping.as_ptr().wrapping_add(2 * page_size())));
}

/// What the child maps is the parent's, and can be unmapped by it.
#[test]
fn mappings_are_those_of_the_memory() {
    let made = Cell::new(None);
    let shares = in_the_same_memory(&|| {
        let mut mapping = Mapping::anonymous(2 * page_size()).expect("pages");
        mapping.fill(7);
        made.set(Some(mapping));
    });
    if !shares {
        return;
    }
    let mapping = made.take().expect("what the child has made");
    assert!(mapping.iter().all(|&byte| byte == 7));
    drop(mapping.protect(ReadOnly).expect("another protection"));
}

/// Other programs are started so, from a process that has guards of all kinds.
#[test]
fn programs_that_are_started_leave_the_guards_alone() {
    let mapping = Mapping::anonymous(2 * page_size()).expect("pages");
    let guard = mapping.lock_range(..page_size());
    for _ in 0..tests::effort(20) {
        let ended = Command::new("true").status().expect("a program");
        assert!(ended.success());
    }
    if guard.is_ok() {
        assert!(is_locked(mapping.as_ptr()));
    }
    drop(guard);
    assert!(is_unlocked(mapping.as_ptr()));
}
