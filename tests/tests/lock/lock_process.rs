//! Locks on the whole process. One test: what it does concerns every mapping of its process.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use libc::EINVAL;
use tests::{Reported, is_true_in_a_child, lacks, lock_states, skip};
use unix_memory::{Call, LockPages, Mapping, ProcessLock, ReadWrite, page_size};

/// New memory of two pages.
fn map() -> Mapping<ReadWrite> {
    Mapping::anonymous(2 * page_size()).unwrap()
}

fn states(mapping: &Mapping<ReadWrite>) -> Reported<String> {
    lock_states(mapping.as_ptr(), 2)
}

#[test]
fn the_process_is_locked_as_guards_ask() {
    if lacks::own_process("locks of the whole process") {
        return;
    }
    // None, and one that is not a full lock's: MCL_ONFAULT.
    let others = LockPages::CURRENT | LockPages::from_bits_retain(4);
    for pages in [LockPages::empty(), LockPages::from_bits_retain(4), others] {
        let error = ProcessLock::new(pages).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mlockall, EINVAL));
    }
    if lacks::own_pages("locks on the process") {
        return;
    }
    let (old, held) = (map(), map());
    if let Err(error) = ProcessLock::new(LockPages::CURRENT) {
        skip("locks on the process", &error.to_string());
        #[cfg(any(target_os = "linux", target_os = "android"))]
        over_the_limit();
        return;
    }
    assert_eq!(states(&old), "..", "it went at once");

    // What is mapped now, and what guards hold beside it.
    let guard = held.lock_range(..1).unwrap();
    let first = ProcessLock::new(LockPages::CURRENT).unwrap();
    let second = ProcessLock::new(LockPages::CURRENT).unwrap();
    let new = map();
    assert_eq!([&old, &new].map(states), ["xx", ".."]);
    drop(first);
    drop(old.lock().unwrap());
    assert_eq!(states(&old), "xx", "another guard has it all");
    drop(second);
    assert_eq!(states(&old), "..");
    assert_eq!(states(&held), "x.", "its own guard lives");
    drop(guard);
    assert_eq!(states(&held), "..");
    #[cfg(any(target_os = "linux", target_os = "android"))]
    refused(&held);

    // Future mappings, as long as somebody asks for that.
    let both = ProcessLock::new(LockPages::CURRENT | LockPages::FUTURE).unwrap();
    let current = ProcessLock::new(LockPages::CURRENT).unwrap();
    assert_eq!(states(&map()), "xx", "the future is not forgotten");
    drop(both);
    assert_eq!(states(&map()), "..", "nobody asks for the future");
    assert!(
        states(&old).is(|states| states.starts_with(['x', 'f'])),
        "but for what is there"
    );
    // What came in between, which nobody asked for, stays as it is.
    let between = map();
    let guard = held.lock_range(..1).unwrap();
    drop(ProcessLock::new(LockPages::FUTURE).unwrap());
    assert_eq!(states(&between), "..");
    assert_eq!(states(&map()), "..");
    assert!(
        states(&held).is(|states| states.starts_with('x')),
        "its guard lives"
    );
    assert!(states(&old).is(|states| states.starts_with(['x', 'f'])));
    drop(guard);
    drop(current);
    assert_eq!(states(&old), "..");

    #[cfg(any(target_os = "linux", target_os = "android"))]
    on_fault(&old, &held);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    held_without_its_pages(&old);
    children(&old);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    over_the_limit();
}

/// One that was refused counts for nothing: guards that go unlock their pages.
// Only Linux has filters.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn refused(held: &Mapping<ReadWrite>) {
    let flags = u64::from(LockPages::CURRENT.bits().unsigned_abs());
    let lock = || ProcessLock::new(LockPages::CURRENT).unwrap_err();
    let refused = tests::refusing_argument(libc::SYS_mlockall, 0, flags, libc::EAGAIN, lock);
    let Some(error) = refused else { return };
    assert_eq!(
        (error.call(), error.errno()),
        (Call::Mlockall, libc::EAGAIN)
    );
    let guard = held.lock().unwrap();
    assert_eq!(states(held), "xx");
    drop(guard);
    assert_eq!(states(held), "..");
}

/// Locks on pages that cannot come in are no reason to keep all of the process locked.
// Only Linux has locks on fault, which show that there was room.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn held_without_its_pages(old: &Mapping<ReadWrite>) {
    use unix_memory::{MapOptions, NoAccess};

    let kept = map();
    kept.mlock(..).unwrap();
    let kept = kept.protect(NoAccess).unwrap();
    let file = tempfile::tempfile().unwrap();
    file.set_len(2 * page_size() as u64).unwrap();
    let shared = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    let guard = shared.lock().unwrap();
    file.set_len(page_size() as u64).unwrap();
    let states_of_both = || [kept.as_ptr(), shared.as_ptr()].map(|first| lock_states(first, 2));

    let process = ProcessLock::new(LockPages::CURRENT).unwrap();
    assert_eq!(states(old), "xx");
    drop(process);
    assert_eq!(states(old), "..");
    assert_eq!(states_of_both(), ["xx", "xx"]);
    drop(guard);
    kept.munlock(..).unwrap();
    assert_eq!(states_of_both(), ["..", ".."]);
}

// Only Linux has locks on fault.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn on_fault(old: &Mapping<ReadWrite>, held: &Mapping<ReadWrite>) {
    use tests::as_told;

    let first = match ProcessLock::on_fault(LockPages::CURRENT | LockPages::FUTURE) {
        Ok(lock) => lock,
        Err(error) => return skip("locks on fault", &error.to_string()),
    };
    // There is more than one call for it.
    if let Err(error) = held.lock_on_fault() {
        return skip("locks on fault", &error.to_string());
    }
    let new = map();
    assert_eq!([old, &new].map(states), [as_told("ff"), as_told("ff")]);
    let guard = held.lock_range(page_size()..).unwrap();
    assert_eq!(states(held), as_told("fx"));
    // The full lock wins, for what comes too, and the other takes over.
    let full = ProcessLock::new(LockPages::FUTURE).unwrap();
    assert_eq!(states(&map()), "xx");
    let third = ProcessLock::on_fault(LockPages::CURRENT).unwrap();
    assert_eq!(states(&map()), "xx");
    assert_eq!(states(held), as_told("fx"), "a guard is not weakened");
    drop(full);
    assert_eq!(states(&map()), as_told("ff"));
    drop(first);
    drop(third);
    assert_eq!([old, &new].map(states), ["..", ".."]);
    assert_eq!(states(held), ".x");
    drop(guard);
    let guard = held.lock_on_fault().unwrap();
    drop(ProcessLock::new(LockPages::CURRENT).unwrap());
    assert_eq!(states(held), as_told("ff"));
    drop(guard);
}

/// A child has no locks, and its copy of a guard undoes none of its own.
fn children(old: &Mapping<ReadWrite>) {
    let lock = ProcessLock::new(LockPages::CURRENT).unwrap();
    assert!(is_true_in_a_child(|| {
        let none = states(old) == "..";
        let guard = old.lock();
        drop(lock);
        none && guard.is_ok() && states(old) == "xx"
    }));
    // The parent's is still counted: that of the child was a copy.
    drop(ProcessLock::new(LockPages::CURRENT).unwrap());
}

// Only Linux has a privilege to lock more that a thread can give up.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn over_the_limit() {
    use libc::{ENOMEM, EPERM};
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    use unix_memory::Reason;

    let old = getrlimit(Resource::Memlock);
    let limit = 4 * page_size() as u64;
    let current = Some(limit);
    setrlimit(Resource::Memlock, Rlimit { current, ..old }).unwrap();
    let mut sets = capabilities(None).unwrap();
    sets.effective -= CapabilitySet::IPC_LOCK;
    set_capabilities(None, sets).unwrap();
    let error = ProcessLock::new(LockPages::CURRENT).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mlockall, ENOMEM));
    let Reason::LockLimit {
        asked, limit: told, ..
    } = error.reason()
    else {
        panic!("{error}");
    };
    assert!(asked > limit && told == limit, "{error}");
    let current = Some(0);
    setrlimit(Resource::Memlock, Rlimit { current, ..old }).unwrap();
    let error = ProcessLock::new(LockPages::FUTURE).unwrap_err();
    assert_eq!(error.errno(), EPERM);
}
