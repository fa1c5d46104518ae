//! Lock guards, compared with the kernel's flags.

use std::sync::atomic::{AtomicBool, Ordering};

use libc::{EACCES, EAGAIN, EINVAL};
use tests::copies::stopped;
use tests::seccomp::{SYS_MLOCK, SYS_MPROTECT};
use tests::{Reported, effort, is_locked, is_unlocked, lacks, lock_states, refusing};
use unix_memory::{
    Call, LockGuard, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, Reason, page_size,
};

/// Which of the first `count` pages of `mapping` are locked, as `x`.
fn locked(mapping: &Mapping<ReadWrite>, count: usize) -> Reported<String> {
    lock_states(mapping.as_ptr(), count)
}

#[test]
fn locks_while_it_lives() {
    let mapping = Mapping::anonymous(3 * page_size() - 1).unwrap();
    let guard = mapping.lock().unwrap();
    assert_eq!(guard.len(), 3 * page_size());
    assert!(!guard.is_empty());
    assert_eq!(locked(&mapping, 3), "xxx");
    drop(guard);
    assert_eq!(locked(&mapping, 3), "...");
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten does not report what is in memory"
)]
fn locked_pages_are_in_memory() {
    if lacks::own_pages("residency of locked pages") {
        return;
    }
    let mapping = Mapping::anonymous(3 * page_size() - 1).unwrap();
    let _guard = mapping.lock().unwrap();
    assert_eq!(mapping.residency().resident().unwrap(), 3);
}

#[test]
fn a_range_is_rounded_outward() {
    let page = page_size();
    let mapping = Mapping::anonymous(5 * page).unwrap();
    let guard = mapping.lock_range(2 * page - 1..=2 * page).unwrap();
    assert_eq!(locked(&mapping, 5), ".xx..");
    drop(guard);
    let empty = mapping.lock_range(page..page).unwrap();
    assert!(empty.is_empty());
    assert_eq!(locked(&mapping, 5), ".....");
}

/// Guards over these pages, dropped in every order: a page is locked as long as one holds it.
#[test]
fn guards_nest_in_any_order() {
    let page = page_size();
    let mapping = Mapping::anonymous(8 * page).unwrap();
    let ranges = [0..5, 3..8, 2..4, 0..5];
    for order in orders(ranges.len()) {
        let mut guards: Vec<Option<LockGuard<'_>>> = ranges
            .iter()
            .map(|range| {
                mapping
                    .lock_range(range.start * page..range.end * page)
                    .ok()
            })
            .collect();
        assert_eq!(locked(&mapping, 8), "xxxxxxxx");
        for &next in &order {
            assert!(guards[next].take().is_some());
            let held = |i| {
                guards
                    .iter()
                    .zip(&ranges)
                    .any(|(g, r)| g.is_some() && r.contains(&i))
            };
            let expected: String = (0..8).map(|i| if held(i) { 'x' } else { '.' }).collect();
            assert_eq!(locked(&mapping, 8), expected, "{order:?} after {next}");
        }
    }
}

/// Every order of the numbers below `count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![vec![]];
    };
    let shorter = orders(last);
    let insert = |order: &Vec<usize>, at| {
        let mut order = order.clone();
        order.insert(at, last);
        order
    };
    shorter
        .iter()
        .flat_map(|order| (0..=last).map(move |at| insert(order, at)))
        .collect()
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no threads")]
fn threads_do_not_unlock_each_other() {
    let page = page_size();
    let mapping = Mapping::anonymous(4 * page).unwrap();
    let whole = mapping.lock_range(page..3 * page).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let mapping = &mapping;
            scope.spawn(move || {
                for _ in 0..500 {
                    let guard = mapping.lock_range(thread * page..).unwrap();
                    assert_eq!(guard.len(), (4 - thread) * page);
                }
            });
        }
    });
    assert_eq!(locked(&mapping, 4), ".xx.");
    drop(whole);
    assert_eq!(locked(&mapping, 4), "....");
}

// Only Linux has a privilege to lock more that a thread can give up.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn over_the_limit_says_so_and_locks_nothing() {
    use libc::ENOMEM;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    let limit = 8 << 20;
    let old = getrlimit(Resource::Memlock);
    if old.current.is_none_or(|current| current > limit) {
        // No other test of this file needs more.
        setrlimit(
            Resource::Memlock,
            Rlimit {
                current: Some(limit),
                ..old
            },
        )
        .unwrap();
    }
    let limit = getrlimit(Resource::Memlock).current.unwrap();
    // The privilege belongs to the thread; only this one does without.
    let thread = std::thread::spawn(move || {
        let mut sets = capabilities(None).unwrap();
        sets.effective -= CapabilitySet::IPC_LOCK;
        set_capabilities(None, sets).unwrap();

        let len = usize::try_from(limit).unwrap() + page_size();
        let mapping = Mapping::anonymous(len).unwrap();
        let error = mapping.lock().unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mlock, ENOMEM));
        let Reason::LockLimit {
            asked,
            limit: told,
            locked,
        } = error.reason()
        else {
            panic!("{error}");
        };
        // (Other tests lock at the same time.)
        assert_eq!((asked, told), (len as u64, limit));
        assert_eq!(
            error.to_string(),
            format!(
                "mlock of {len} bytes at 0: Cannot allocate memory (this process may lock {limit} bytes \
                 (RLIMIT_MEMLOCK): {locked} are locked, and {len} were requested)"
            )
        );
        if has_on_fault() {
            let error = mapping.lock_on_fault().unwrap_err();
            assert!(
                matches!(error.reason(), Reason::LockLimit { .. }),
                "{error}"
            );
        }
        let failed = mapping.into_locked().unwrap_err();
        assert!(matches!(failed.error().reason(), Reason::LockLimit { .. }));
        let mapping = failed.into_mapping();
        assert!(is_unlocked(mapping.as_ptr()));
        // A part of it may still be locked. The error reports what is locked already.
        let part = mapping.lock_range(..16 * page_size()).unwrap();
        assert_eq!(part.len(), 16 * page_size());
        let Reason::LockLimit { locked, .. } = mapping.lock().unwrap_err().reason() else {
            panic!("over the limit still");
        };
        assert!(locked >= part.len() as u64, "{locked}");
    });
    thread.join().unwrap();
}

/// A limit that leaves just enough room is not the reason.
// Only Linux has filters, and a privilege to lock more that a thread can give up.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_limit_that_is_kept_is_not_the_reason() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    let check = "a limit that is kept";
    if lacks::own_process(check) || lacks::own_pages(check) {
        return;
    }
    let ended = tests::in_a_child(|| {
        let len = 4 * page_size();
        tests::limit_locked_memory(len as u64).unwrap();
        let mut sets = capabilities(None).unwrap();
        sets.effective -= CapabilitySet::IPC_LOCK;
        set_capabilities(None, sets).unwrap();
        let mapping = Mapping::anonymous(len + 1).unwrap();
        let over = mapping.lock().unwrap_err().reason();
        assert!(matches!(over, Reason::LockLimit { .. }), "{over:?}");
        let lock = || mapping.lock_range(..len).map(drop).unwrap_err();
        let refused = tests::refusing_argument(SYS_MLOCK, 1, len as u64, libc::ENOMEM, lock);
        let Some(error) = refused else { return };
        assert_eq!(
            (error.errno(), error.reason()),
            (libc::ENOMEM, Reason::Kernel)
        );
        assert_eq!(mapping.lock_range(..len).unwrap().len(), len);
    });
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_failure_keeps_what_was_locked() {
    let page = page_size();
    let mapping = Mapping::anonymous(3 * page).unwrap();
    let first = mapping.lock_range(..page).unwrap();
    for (errno, reason) in [(EAGAIN, None), (EINVAL, Some(Reason::Kernel))] {
        let lock = || mapping.lock().map(drop);
        let Some(result) = refusing(SYS_MLOCK, mapping.as_ptr(), errno, lock) else {
            return;
        };
        let error = result.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mlock, errno));
        assert!(reason.is_none_or(|reason| error.reason() == reason));
        assert_eq!(locked(&mapping, 3), "x..");
    }
    drop(first);
    assert_eq!(locked(&mapping, 3), "...");
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten locks nothing")]
fn pages_that_cannot_come_in_are_not_left_locked() {
    // The kernel marks the pages before it finds that the file does not have them.
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(3 * page as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    file.set_len(page as u64).unwrap();
    let says_why = !lacks::advice("pages that keep a lock from coming");
    for range in [0..3 * page, page..3 * page, 2 * page..3 * page, 1..page + 1] {
        let at = range.start.max(page);
        for result in [
            mapping.lock_range(range.clone()).map(drop),
            mapping.mlock(range.clone()),
        ] {
            let error = result.unwrap_err();
            assert_eq!(error.call(), Call::Mlock);
            if says_why {
                let reason = stopped(0, at);
                assert_eq!(error.reason(), reason, "{range:?}: {error}");
            }
            for i in 0..3 {
                assert!(is_unlocked(mapping.as_ptr().wrapping_add(i * page)));
            }
        }
    }
}

/// A mapping that its owner locks and unlocks at different times.
struct Owner {
    mapping: Mapping<ReadWrite>,
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten locks nothing")]
fn a_lock_beside_its_mapping() {
    let page = page_size();
    let owner = Owner {
        mapping: Mapping::anonymous(4 * page).unwrap(),
    };
    let mapping = &owner.mapping;
    assert_eq!(mapping.munlock(..), Ok(()), "nothing is locked");
    mapping.mlock(page..).unwrap();
    mapping.mlock(..2 * page).unwrap();
    mapping.mlock(page..page).unwrap();
    assert_eq!(locked(mapping, 4), "xxxx");
    // A guard neither takes it away nor is taken away by it.
    drop(mapping.lock().unwrap());
    assert_eq!(locked(mapping, 4), "xxxx");
    let guard = mapping.lock_range(2 * page..).unwrap();
    mapping.munlock(1..3 * page).unwrap();
    assert_eq!(locked(mapping, 4), "..xx");
    drop(guard);
    assert_eq!(locked(mapping, 4), "...x");
    mapping.munlock(..).unwrap();
    mapping.munlock(..).unwrap();
    assert_eq!(locked(mapping, 4), "....");
    // What was forgotten, or made with the mapping, is not its own.
    std::mem::forget(mapping.lock_range(..1).unwrap());
    mapping.mlock(..).unwrap();
    mapping.munlock(..).unwrap();
    assert_eq!(locked(mapping, 4), "x...");
    for range in [0..4 * page + 1, usize::MAX..usize::MAX] {
        let error = mapping.mlock(range.clone()).unwrap_err();
        assert_eq!(error.reason(), Reason::MappingLength(4 * page));
        let error = mapping.munlock(range).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Munlock, EINVAL));
    }
    // It goes with its mapping.
    mapping.mlock(..).unwrap();
    let address = mapping.as_ptr().addr();
    drop(owner);
    let options = MapOptions::new().len(4 * page).hint(address);
    let again = options.map_anonymous(ReadWrite).unwrap();
    drop(again.lock().unwrap());
    assert_eq!(locked(&again, 4), "....");
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten locks nothing")]
fn a_lock_beside_its_mapping_that_fails_keeps_what_was_locked() {
    let page = page_size();
    let mapping = Mapping::anonymous(3 * page).unwrap();
    mapping.mlock(..page).unwrap();
    let lock = || mapping.mlock(..);
    if let Some(result) = refusing(SYS_MLOCK, mapping.as_ptr(), EAGAIN, lock) {
        let error = result.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mlock, EAGAIN));
        assert_eq!(locked(&mapping, 3), "x..");
    }
    mapping.munlock(..).unwrap();
    assert_eq!(locked(&mapping, 3), "...");
}

#[test]
fn a_range_beyond_the_end_is_refused() {
    let mapping = Mapping::anonymous(10).unwrap();
    let error = mapping.lock_range(..11).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mlock, EINVAL));
    assert_eq!(error.reason(), Reason::MappingLength(10));
}

#[test]
fn a_forgotten_guard_goes_with_its_mapping() {
    let page = page_size();
    let mapping = Mapping::anonymous(2 * page).unwrap();
    let address = mapping.as_ptr().addr();
    std::mem::forget(mapping.lock().unwrap());
    drop(mapping);
    // The address may come back; a guard over it counts for itself alone.
    let again = MapOptions::new()
        .len(2 * page)
        .hint(address)
        .map_anonymous(ReadWrite)
        .unwrap();
    drop(again.lock().unwrap());
    assert_eq!(locked(&again, 2), "..");
}

/// Whether pages can be locked as they are brought in; if not, prints so, and checks that the error
/// is clear.
// Only Linux has locks on fault.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_on_fault() -> bool {
    use libc::ENOSYS;
    use tests::skip;

    let mapping = Mapping::anonymous(page_size()).unwrap();
    match mapping.lock_on_fault() {
        Ok(_) => true,
        Err(error) => {
            assert_eq!((error.call(), error.errno()), (Call::Mlock, ENOSYS));
            skip("locks on fault", "this kernel has no mlock2");
            false
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_lock_beside_its_mapping_that_goes_leaves_what_is_on_fault() {
    if !has_on_fault() {
        return;
    }
    let page = page_size();
    let mapping = Mapping::anonymous(4 * page).unwrap();
    let on_fault = mapping.lock_range_on_fault(..2 * page).unwrap();
    mapping.mlock(page..).unwrap();
    assert_eq!(locked(&mapping, 4), tests::as_told("fxxx"));
    mapping.munlock(..3 * page).unwrap();
    assert_eq!(locked(&mapping, 4), tests::as_told("ff.x"));
    drop(on_fault);
    assert_eq!(locked(&mapping, 4), "...x");
}

// Only Linux has locks on fault.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn on_fault_no_page_comes_before_it_is_used() {
    use tests::as_told;

    if !has_on_fault() {
        return;
    }
    let page = page_size();
    let mapping = MapOptions::new()
        .len(4 * page)
        .map_anonymous_shared(ReadWrite)
        .unwrap();
    let guard = mapping.lock_range_on_fault(page..).unwrap();
    assert_eq!(guard.len(), 3 * page);
    assert_eq!(lock_states(mapping.as_ptr(), 4), as_told(".fff"));
    assert_eq!(mapping.residency().resident(), Ok(0));
    mapping.write_at(2 * page, &[1]).unwrap();
    assert_eq!(mapping.residency().resident(), Ok(1));
    drop(guard);
    assert_eq!(lock_states(mapping.as_ptr(), 4), "....");
    let error = mapping.lock_range_on_fault(..=4 * page).unwrap_err();
    assert_eq!(error.reason(), Reason::MappingLength(4 * page));
}

// Only Linux has locks on fault.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn the_full_lock_wins_over_that_on_fault() {
    use tests::as_told;

    if !has_on_fault() {
        return;
    }
    let page = page_size();
    let mapping = Mapping::anonymous(6 * page).unwrap();
    let states = || lock_states(mapping.as_ptr(), 6);
    let full = mapping.lock_range(page..3 * page).unwrap();
    let on_fault = mapping.lock_range_on_fault(2 * page..5 * page).unwrap();
    assert_eq!(states(), as_told(".xxff."));
    drop(full);
    assert_eq!(states(), as_told("..fff."), "as the other holds them");
    let full = mapping.lock().unwrap();
    assert_eq!(states(), "xxxxxx");
    drop(on_fault);
    assert_eq!(states(), "xxxxxx");
    drop(full);
    assert_eq!(states(), "......");
}

// Only Linux has locks on fault.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn an_old_kernel_is_clear_about_locks_on_fault() {
    use libc::ENOSYS;
    use tests::seccomp::SYS_MLOCK2;

    let mapping = Mapping::anonymous(page_size()).unwrap();
    let lock = || mapping.lock_on_fault().map(drop);
    if let Some(result) = refusing(SYS_MLOCK2, mapping.as_ptr(), ENOSYS, lock) {
        let error = result.unwrap_err();
        let page = page_size();
        assert_eq!(
            error.to_string(),
            format!(
                "mlock of {page} bytes at 0: Function not implemented (this system does not support it)"
            )
        );
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn an_owned_lock_can_be_written() {
    let page = page_size();
    let mut locked = Mapping::anonymous(3 * page - 1)
        .unwrap()
        .into_locked()
        .unwrap();
    locked[7] = 1;
    assert_eq!(locked.as_mut().len(), 3 * page - 1);
    assert_eq!(lock_states(locked.as_ptr(), 3), "xxx");
    // It is one more that nests.
    drop(locked.mapping().lock_range(..page).unwrap());
    assert_eq!(lock_states(locked.as_ptr(), 3), "xxx");
    let locked = locked.protect(ReadOnly).unwrap();
    assert_eq!(lock_states(locked.as_ptr(), 3), "xxx");
    assert_eq!(locked[7], 1);
    let locked = locked.protect(NoAccess).unwrap();
    assert_eq!(lock_states(locked.mapping().as_ptr(), 3), "xxx");
    let mapping = locked.protect(ReadWrite).unwrap().unlock();
    assert_eq!(lock_states(mapping.as_ptr(), 3), "...");
    assert_eq!(mapping[7], 1);
    assert_eq!(
        Mapping::anonymous(0)
            .unwrap()
            .into_locked()
            .unwrap()
            .as_ref(),
        [0; 0]
    );
}

#[test]
fn a_failed_protection_gives_the_owned_lock_back() {
    let locked = Mapping::anonymous(page_size())
        .unwrap()
        .into_locked()
        .unwrap();
    let address = locked.as_ptr();
    let protect = move || {
        let (error, mut locked) = locked.protect(ReadOnly).unwrap_err().into_parts();
        locked[0] = 1;
        (error, lock_states(locked.as_ptr(), 1))
    };
    if let Some((error, states)) = refusing(SYS_MPROTECT, address, EACCES, protect) {
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, EACCES));
        assert_eq!(states, "x");
    }
}

#[test]
fn what_was_unlocked_with_the_mapping_is_not_counted() {
    let page = page_size();
    let locked = Mapping::anonymous(2 * page).unwrap().into_locked().unwrap();
    let address = locked.as_ptr().addr();
    drop(locked);
    let again = MapOptions::new()
        .len(2 * page)
        .hint(address)
        .map_anonymous(ReadWrite)
        .unwrap();
    drop(again.lock().unwrap());
    assert_eq!(lock_states(again.as_ptr(), 2), "..");
}

/// What a page of the model is held by: guards of the full kind, and those on fault.
// Only Linux has locks on fault, and reports which pages are locked. (So too for what uses it.)
#[cfg(any(target_os = "linux", target_os = "android"))]
fn model(guards: &[(LockGuard<'_>, std::ops::Range<usize>, bool)], page: usize) -> char {
    let held = |full| {
        let holds = |g: &&(_, std::ops::Range<usize>, bool)| g.1.contains(&page) && g.2 == full;
        guards.iter().find(holds).is_some()
    };
    match (held(true), held(false)) {
        (true, _) => 'x',
        (false, true) => 'f',
        (false, false) => '.',
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: proptest::prelude::ProptestConfig::default().cases.min(40),
        failure_persistence: None,
        ..Default::default()
    })]

    /// Whatever guards are made and dropped, the kernel locks what those that live hold.
    #[test]
    fn guards_are_as_the_model(
        steps in proptest::collection::vec((0..16_usize, 0..16_usize, 0..3_usize), 1..24)
    ) {
        const PAGES: usize = 16;
        let page = page_size();
        let on_fault = has_on_fault();
        let mapping = Mapping::anonymous(PAGES * page).unwrap();
        let mut guards: Vec<(LockGuard<'_>, std::ops::Range<usize>, bool)> = Vec::new();
        for (a, b, what) in steps {
            let range = a.min(b)..a.max(b) + 1;
            let bytes = range.start * page..range.end * page;
            match what {
                0 => guards.push((mapping.lock_range(bytes).unwrap(), range, true)),
                1 if on_fault => {
                    guards.push((mapping.lock_range_on_fault(bytes).unwrap(), range, false));
                }
                _ if !guards.is_empty() => drop(guards.swap_remove(a % guards.len())),
                _ => {}
            }
            let expected: String = (0..PAGES).map(|page| model(&guards, page)).collect();
            proptest::prop_assert_eq!(
                lock_states(mapping.as_ptr(), PAGES),
                tests::as_told(&expected)
            );
        }
        drop(guards);
        proptest::prop_assert_eq!(lock_states(mapping.as_ptr(), PAGES), ".".repeat(PAGES));
    }
}

/// A mapping that moves gives its addresses up: another thread's lock over what is mapped there
/// next is independent.
#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no threads")]
fn a_move_takes_no_lock_of_another_thread() {
    let page = page_size();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..effort(20_000) {
                let options = MapOptions::new().len(4 * page).lock(true);
                let mut moving = options.map_anonymous(ReadWrite).unwrap();
                let wall = MapOptions::new().len(page);
                let wall = wall.at(moving.as_ptr().addr() + moving.len());
                let wall = wall.map_anonymous(ReadWrite);
                moving.resize(8 * page).unwrap();
                drop(wall);
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            let mapping = Mapping::anonymous(4 * page).unwrap();
            let lives = mapping.lock().unwrap();
            drop(mapping.lock().unwrap());
            assert!(is_locked(mapping.as_ptr()), "{lives:?} lives");
        }
    });
}
