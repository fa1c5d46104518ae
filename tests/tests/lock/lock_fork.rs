//! Lock guards and fork: what a child does with them. Each test forks, and locks in the child alone or
//! under one lock.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tests::{
    effort, here_and_as_the_first_process, in_a_child, in_a_child_of_the_same_number, is_locked,
    is_true_in_a_child, is_unlocked, skip,
};
use unix_memory::{LockPages, Mapping, ProcessLock, page_size};

/// A `ProcessLock` of one test concerns the others.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn a_child_has_no_locks_and_can_lock() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mapping = Mapping::anonymous(4 * page_size()).unwrap();
    let busy = Mapping::anonymous(page_size()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // So that some forks come while the table is in use.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                drop(busy.lock().unwrap());
            }
        });
        for round in 0..effort(200) {
            let guard = mapping.lock().unwrap();
            let ok = is_true_in_a_child(|| {
                drop(guard);
                let again = mapping.lock_range(..page_size());
                let locks = again.is_ok() && is_locked(mapping.as_ptr());
                drop(again);
                locks && is_unlocked(mapping.as_ptr())
            });
            if !ok {
                done.store(true, Ordering::Relaxed);
            }
            assert!(ok, "round {round}");
        }
        done.store(true, Ordering::Relaxed);
    });
    // The children's drops did nothing to the parent's own.
    let guard = mapping.lock().unwrap();
    assert!(is_locked(mapping.as_ptr()));
    drop(guard);
    assert!(is_unlocked(mapping.as_ptr()));
}

#[test]
fn a_child_that_unlocks_what_its_parent_locked_keeps_its_own() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mapping = Mapping::anonymous(2 * page_size()).unwrap();
    mapping.mlock(..).unwrap();
    assert!(is_true_in_a_child(|| {
        let inherits_none = is_unlocked(mapping.as_ptr());
        let guard = mapping.lock_range(..1);
        inherits_none && mapping.munlock(..).is_ok() && guard.is_ok() && is_locked(mapping.as_ptr())
    }));
    assert!(is_locked(mapping.as_ptr()));
    mapping.munlock(..).unwrap();
    assert!(is_unlocked(mapping.as_ptr()));
}

/// What a child does with its copies of all that its parent has locked by, and with its own.
fn own_and_inherited() {
    let mapping = Mapping::anonymous(4 * page_size()).unwrap();
    // (The child takes its copies: the parent keeps its own.)
    // Only Linux has locks on fault.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let second = mapping.lock_on_fault().ok();
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let second = mapping.lock().ok();
    let inherited = Cell::new(Some((mapping.lock().unwrap(), second)));
    let locked = Mapping::anonymous(page_size()).unwrap().into_locked();
    let locked = Cell::new(locked.ok());
    assert!(is_locked(mapping.as_ptr()));
    let child = || {
        assert!(is_unlocked(mapping.as_ptr()), "no locks are inherited");
        let own = mapping.lock().unwrap();
        drop(inherited.take());
        assert!(is_locked(mapping.as_ptr()), "{own:?} is the child's own");
        let locked = locked.take().unwrap();
        let lent = locked.mapping().lock().unwrap();
        assert!(is_locked(locked.as_ptr()));
        drop(lent);
        assert!(is_unlocked(locked.as_ptr()));
        let unlocked = locked.unlock();
        let _own = unlocked.lock().unwrap();
        assert!(is_locked(unlocked.as_ptr()));
        drop(own);
        assert!(is_unlocked(mapping.as_ptr()));
    };
    assert!(in_a_child_of_the_same_number(child).success());
    assert!(is_locked(mapping.as_ptr()), "the parent's are its own");
}

#[test]
fn a_child_that_drops_what_it_inherited_keeps_its_own() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    here_and_as_the_first_process(own_and_inherited);
}

#[test]
fn a_child_that_drops_a_lock_of_the_process_keeps_its_own() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    here_and_as_the_first_process(|| {
        let mapping = Mapping::anonymous(page_size()).unwrap();
        let all = match ProcessLock::new(LockPages::CURRENT) {
            Ok(all) => Cell::new(Some(all)),
            Err(error) => return skip("locks on the process", &error.to_string()),
        };
        let child = || {
            let own = ProcessLock::new(LockPages::CURRENT).unwrap();
            drop(all.take());
            assert!(is_locked(mapping.as_ptr()), "{own:?} is the child's own");
            drop(own);
            assert!(is_unlocked(mapping.as_ptr()));
        };
        assert!(in_a_child_of_the_same_number(child).success());
    });
}

/// Each has its own, down to the third.
#[test]
fn children_of_children() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mapping = Mapping::anonymous(page_size()).unwrap();
    let first = Cell::new(mapping.lock().ok());
    let status = in_a_child(|| {
        let second = Cell::new(mapping.lock().ok());
        let status = in_a_child(|| {
            let third = mapping.lock().unwrap();
            drop((first.take(), second.take()));
            assert!(is_locked(mapping.as_ptr()));
            drop(third);
            assert!(is_unlocked(mapping.as_ptr()));
        });
        assert!(status.success() && is_locked(mapping.as_ptr()));
    });
    assert!(status.success() && is_locked(mapping.as_ptr()));
}
