//! Locks on pages that no guard owns, compared with what the kernel reports about them.
// Emscripten locks nothing, and has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::ptr;

use tests::{Others, in_a_child, is_locked, is_unlocked, lacks, skip};
use unix_memory::foreign::ForeignPages;
use unix_memory::process_map::ProcessMap;
use unix_memory::{Call, LockPages, Mapping, ProcessLock, Reason, page_size};

fn pages(memory: &Others) -> ForeignPages {
    ForeignPages::new(memory.start, memory.len).expect("whole pages")
}

/// Whether pages can be locked here.
fn can_lock(check: &str) -> bool {
    // SAFETY: the memory outlives the guard, which is dropped at once.
    match unsafe { pages(&Others::anonymous(3)).lock() } {
        Ok(_) => true,
        Err(error) => {
            skip(check, &error.to_string());
            false
        }
    }
}

#[test]
fn locks_nest() {
    if !can_lock("locks on foreign pages") {
        return;
    }
    let memory = Others::anonymous(3);
    let part = ForeignPages::new(memory.page(1), page_size()).unwrap();
    // SAFETY: the pages stay mapped as long as the guards live.
    let outer = unsafe { pages(&memory).lock() }.unwrap();
    // SAFETY: as above.
    let inner = unsafe { part.lock() }.unwrap();
    assert_eq!((outer.len(), inner.len()), (memory.len, page_size()));
    assert!((0..3).all(|index| is_locked(memory.page(index))));
    drop(outer);
    assert!(
        is_unlocked(memory.page(0)) && is_locked(memory.page(1)) && is_unlocked(memory.page(2))
    );
    drop(inner);
    assert!(is_unlocked(memory.page(1)));

    // Also with those of a mapping.
    let mapping = Mapping::anonymous(page_size()).unwrap();
    let pages = ForeignPages::holding(mapping.as_ptr(), 1).unwrap();
    let ours = mapping.lock().unwrap();
    // SAFETY: the mapping outlives the guard.
    drop(unsafe { pages.lock() }.unwrap());
    assert!(is_locked(mapping.as_ptr()));
    drop(ours);
    assert!(is_unlocked(mapping.as_ptr()));
}

#[test]
fn locks_of_others_are_undone() {
    if !can_lock("foreign locks that are undone") {
        return;
    }
    let memory = Others::anonymous(3);
    // SAFETY: the pages are this test's own.
    assert_eq!(unsafe { libc::mlock(memory.start.cast(), memory.len) }, 0);
    assert!((0..3).all(|index| is_locked(memory.page(index))));
    let part = ForeignPages::new(memory.page(1), page_size()).unwrap();
    // SAFETY: the pages stay mapped as long as the guard lives.
    let guard = unsafe { part.lock() }.unwrap();
    // SAFETY: nobody relies on the pages being locked but the guard, whose stay so.
    unsafe { pages(&memory).unlock() }.unwrap();
    assert!(
        is_unlocked(memory.page(0)) && is_locked(memory.page(1)) && is_unlocked(memory.page(2))
    );
    drop(guard);
    assert!(is_unlocked(memory.page(1)));
    // What is not locked is no error, nor are no pages.
    // SAFETY: nobody relies on the pages being locked.
    unsafe { pages(&memory).unlock() }.unwrap();
    let none = ForeignPages::holding(memory.page(1), 0).unwrap();
    // SAFETY: there are no pages.
    unsafe { none.unlock() }.unwrap();
    // SAFETY: as above.
    assert!(unsafe { none.lock() }.unwrap().is_empty());
}

#[test]
fn a_lock_on_the_process_keeps_all() {
    if !can_lock("foreign pages under a lock on the process") {
        return;
    }
    // In a child: other tests would find their pages locked.
    let status = in_a_child(|| {
        let memory = Others::anonymous(3);
        let process = match ProcessLock::new(LockPages::CURRENT) {
            Ok(lock) => lock,
            Err(error) => {
                skip(
                    "foreign pages under a lock on the process",
                    &error.to_string(),
                );
                return;
            }
        };
        // SAFETY: the pages are this test's own.
        assert_eq!(unsafe { libc::mlock(memory.start.cast(), memory.len) }, 0);
        // SAFETY: nobody relies on the pages being locked but the lock on the process.
        unsafe { pages(&memory).unlock() }.unwrap();
        assert!(is_locked(memory.start));
        drop(process);
    });
    assert!(status.success());
}

#[test]
fn pages_that_are_not_mapped() {
    let (check, page) = ("locks on pages that are not mapped", page_size());
    if !can_lock(check) || lacks::own_process(check) {
        return;
    }
    let reason = match ProcessMap::of_self() {
        Ok(_) => Reason::NotMapped,
        Err(_) => Reason::Kernel,
    };
    // No process can map addresses so low.
    let nobodys = ForeignPages::new(ptr::without_provenance(page), page).unwrap();
    // SAFETY: it is refused.
    let error = unsafe { nobodys.lock() }.unwrap_err();
    assert_eq!(
        (error.call(), error.errno(), error.reason()),
        (Call::Mlock, libc::ENOMEM, reason)
    );
    // SAFETY: as above.
    let error = unsafe { nobodys.unlock() }.unwrap_err();
    assert_eq!(
        (error.call(), error.errno(), error.reason()),
        (Call::Munlock, libc::ENOMEM, reason)
    );
    // A hole. (In a child, where no other thread maps anything there.)
    let status = in_a_child(|| {
        let memory = Others::anonymous(3);
        memory.unmap(1);
        // SAFETY: it is refused.
        let error = unsafe { pages(&memory).lock() }.unwrap_err();
        assert_eq!((error.errno(), error.reason()), (libc::ENOMEM, reason));
        assert!(is_unlocked(memory.page(0)) && is_unlocked(memory.page(2)));
    });
    assert!(status.success());
}

// Only Linux has a privilege to lock more that a thread can give up.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn the_limit_is_reported() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    if !can_lock("the limit of locks on foreign pages") {
        return;
    }
    let status = in_a_child(|| {
        let (memory, page) = (Others::anonymous(4), page_size() as u64);
        let limit = Rlimit {
            current: Some(2 * page),
            maximum: Some(2 * page),
        };
        setrlimit(Resource::Memlock, limit).unwrap();
        let mut sets = capabilities(None).unwrap();
        sets.effective -= CapabilitySet::IPC_LOCK;
        set_capabilities(None, sets).unwrap();
        // SAFETY: it is refused.
        let error = unsafe { pages(&memory).lock() }.unwrap_err();
        let Reason::LockLimit { asked, limit, .. } = error.reason() else {
            panic!("{error}");
        };
        assert_eq!((asked, limit), (4 * page, 2 * page));
        assert!((0..4).all(|index| is_unlocked(memory.page(index))));
    });
    assert!(status.success());
}
