//! Lock guards, held against smaps.

use libc::{EAGAIN, EINVAL, ENOMEM, SYS_mlock};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use tests::{is_locked, lacks, refusing};
use unix_memory::{Call, LockGuard, MapOptions, Mapping, ReadWrite, Reason, page_size};

/// Which of the first `count` pages of `mapping` are locked, as `x`.
fn locked(mapping: &Mapping<ReadWrite>, count: usize) -> String {
    (0..count)
        .map(|i| is_locked(mapping.as_ptr().wrapping_add(i * page_size())))
        .map(|locked| if locked { 'x' } else { '.' })
        .collect()
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

#[test]
fn over_the_limit_says_so_and_locks_nothing() {
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
        assert_eq!(error.reason(), Reason::LockLimit(limit));
        assert_eq!(
            error.to_string(),
            format!(
                "mlock of {len} bytes at 0: Cannot allocate memory (without privilege this process may lock at most \
                 {limit} bytes)"
            )
        );
        assert!(!is_locked(mapping.as_ptr()));
        // A part of it may be locked all the same.
        assert_eq!(mapping.lock_range(..1).unwrap().len(), page_size());
    });
    thread.join().unwrap();
}

#[test]
fn a_failure_keeps_what_was_locked() {
    let page = page_size();
    let mapping = Mapping::anonymous(3 * page).unwrap();
    let first = mapping.lock_range(..page).unwrap();
    for (errno, reason) in [(EAGAIN, None), (EINVAL, Some(Reason::Kernel))] {
        let lock = || mapping.lock().map(drop);
        let Some(result) = refusing(SYS_mlock, mapping.as_ptr(), errno, lock) else {
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
fn pages_that_cannot_come_in_are_not_left_locked() {
    // The kernel marks the pages before it finds that the file does not have them.
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(3 * page as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    file.set_len(page as u64).unwrap();
    let error = mapping.lock().unwrap_err();
    assert_eq!(error.call(), Call::Mlock);
    for i in 0..3 {
        assert!(!is_locked(mapping.as_ptr().wrapping_add(i * page)));
    }
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
