//! What the kernel refuses to release at its limit of mappings, which a process can only reach alone:
//! each check is in a child of its own.

use std::ops::Range;

use tests::seccomp::SYS_MUNMAP;
use tests::{
    in_a_child, is_locked, is_unlocked, kernel, lacks, lock_states, mappings_up_to_the_limit,
    reachable_mapping_limit, refusing_argument, skip,
};
use unix_memory::{
    Advice, Call, LockPages, MapOptions, Mapping, NoAccess, ProcessLock, ReadOnly, ReadWrite,
    SharedMapping, UncheckedAdvice, page_size,
};

/// How many bytes of memory the process has. (No check is made where there is no limit of mappings.)
fn resident() -> usize {
    kernel::resident_size().get().unwrap()
}

/// Mappings up to the kernel's limit: no two are one for the kernel.
struct Full {
    many: Vec<SharedMapping<ReadWrite>>,
}

impl Full {
    fn new() -> Self {
        let many = mappings_up_to_the_limit(ReadWrite);
        Self { many }
    }

    /// Makes room for `count` mappings.
    fn give(&mut self, count: usize) {
        self.many.truncate(self.many.len() - count);
    }
}

/// Runs `check` in a child, if the limit can be reached.
fn at_the_limit(what: &str, check: fn()) {
    if lacks::own_process(what) || reachable_mapping_limit(what).is_none() {
        return;
    }
    assert!(in_a_child(check).success(), "{what}");
}

/// Three parts of what is one mapping for the kernel.
fn three(len: usize) -> [Mapping<ReadWrite>; 3] {
    let mut whole = Mapping::anonymous(3 * len).unwrap();
    whole.fill(1);
    let (first, rest) = whole.split_at(len).unwrap();
    let (second, third) = rest.split_at(len).unwrap();
    [first, second, third]
}

/// (To read what the kernel reports takes memory, which may come to lie there.)
fn is_mapped(addresses: &Range<usize>) -> bool {
    let start = std::ptr::without_provenance_mut(addresses.start);
    // SAFETY: advice on nothing but what is mapped, which it leaves as it is.
    unsafe { libc::madvise(start, page_size(), libc::MADV_NORMAL) == 0 }
}

fn addresses(mapping: &Mapping<ReadWrite>) -> Range<usize> {
    let start = mapping.as_ptr().addr();
    start..start + mapping.len()
}

#[test]
fn a_drop_that_is_refused_gives_the_memory_back_and_the_addresses_later() {
    at_the_limit("a refused drop", || {
        let len = 16 << 20;
        let [first, middle, last] = three(len);
        let gone = addresses(&middle);
        let mut full = Full::new();
        let before = resident();
        drop(middle);
        let now = resident();
        // (With the other figures of the process, some more or less.)
        assert!(now + len / 2 < before, "{before} bytes before, {now} now");
        full.give(100);
        assert!(!is_mapped(&gone), "it was tried again");
        assert!(is_mapped(&addresses(&first)) && is_mapped(&addresses(&last)));
        assert!(first.iter().chain(&*last).all(|&byte| byte == 1));
        // But not again and again: what lies there next is left alone.
        let options = MapOptions::new().at(gone.start).len(page_size());
        let mut next = options.map_anonymous(ReadWrite).unwrap();
        full.give(100);
        assert!(is_mapped(&gone));
        next.fill(2);
    });
}

#[test]
fn a_child_unmaps_nothing_at_addresses_that_its_parent_did_not_give_it() {
    if !UncheckedAdvice::DontFork.is_supported() {
        return skip("memory without children", "there is no such advice");
    }
    at_the_limit("a refused drop of memory that children do not have", || {
        let len = 16 * page_size();
        let whole = Mapping::anonymous(3 * len).unwrap();
        // SAFETY: no child uses the memory.
        unsafe { whole.advise_unchecked(.., UncheckedAdvice::DontFork) }.unwrap();
        let (first, rest) = whole.split_at(len).unwrap();
        let (middle, last) = rest.split_at(len).unwrap();
        let gone = addresses(&middle);
        let mut full = Full::new();
        drop(middle);
        assert!(is_mapped(&gone));
        // (Without the memory, the child is not at the limit.)
        let ended = in_a_child(|| {
            let options = MapOptions::new().at(gone.start).len(len);
            let mut here = options.map_anonymous(ReadWrite).unwrap();
            // After a drop, what was refused is tried again.
            full.give(1);
            assert!(is_mapped(&gone));
            here.fill(1);
        });
        assert!(ended.success());
        drop((first, last));
    });
}

#[test]
fn a_locked_drop_that_is_refused_gives_the_memory_back_too() {
    at_the_limit("a refused drop of locked pages", || {
        // The kernel's count of a process's pages lags behind by some 64, at each time that it is read.
        let len = 512 * page_size();
        let options = MapOptions::new().len(3 * len).lock(true);
        let Ok(whole) = options.map_anonymous(ReadWrite) else {
            return skip("locked pages", "the limit on locked memory");
        };
        let (first, rest) = whole.split_at(len).unwrap();
        let (middle, last) = rest.split_at(len).unwrap();
        let gone = addresses(&middle);
        let mut full = Full::new();
        let before = resident();
        drop(middle);
        if UncheckedAdvice::DontNeedLocked.is_supported() {
            assert!(resident() + len / 2 < before);
        } else {
            skip("memory of locked pages", "before Linux 5.18 it stays");
        }
        full.give(100);
        assert!(!is_mapped(&gone));
        // What is left is as locked as it was: guards that nest do not undo it.
        drop(first.lock().unwrap());
        drop(last.lock().unwrap());
        assert!(is_locked(first.as_ptr()) && is_locked(last.as_ptr()));
    });
}

#[test]
fn a_refused_unmap_forgets_nothing() {
    at_the_limit("a refused unmap", || {
        let page = page_size();
        let options = MapOptions::new().len(3 * page).lock(true).dont_dump(true);
        let Ok(whole) = options.map_anonymous(ReadWrite) else {
            return skip("locked pages", "the limit on locked memory");
        };
        let (first, rest) = whole.split_at(page).unwrap();
        let (middle, last) = rest.split_at(page).unwrap();
        let full = Full::new();
        let middle = middle.unmap().expect_err("at the limit").into_mapping();
        drop(full);
        for part in [&first, &middle, &last] {
            drop(part.lock().unwrap());
            assert!(is_locked(part.as_ptr()));
        }
        middle.unmap().unwrap();
        let mut last = last;
        last.resize(0).unwrap();
        last.resize(page).unwrap();
        assert!(is_locked(last.as_ptr()));
    });
}

#[test]
fn what_cannot_be_unlocked_is_unlocked_later() {
    at_the_limit("a refused munlock", || {
        let page = page_size();
        let mapping = Mapping::anonymous(3 * page).unwrap();
        let Ok(whole) = mapping.lock() else {
            return skip("locked pages", "the limit on locked memory");
        };
        // One mapping for the kernel, held by three guards from here on.
        let _first = mapping.lock_range(..page).unwrap();
        let middle = mapping.lock_range(page..2 * page).unwrap();
        let _last = mapping.lock_range(2 * page..).unwrap();
        drop(whole);
        let mut full = Full::new();
        drop(middle);
        full.give(100);
        assert_eq!(lock_states(mapping.as_ptr(), 3), "x.x");
    });
}

/// While the whole process is locked, nothing is unlocked, also not what could not be before.
#[test]
fn what_was_not_unlocked_stays_locked_with_the_process() {
    at_the_limit("a refused munlock under a lock on the process", || {
        let page = page_size();
        let mapping = Mapping::anonymous(3 * page).unwrap();
        let Ok(whole) = mapping.lock() else {
            return skip("locked pages", "the limit on locked memory");
        };
        let _ends = [
            mapping.lock_range(..page).unwrap(),
            mapping.lock_range(2 * page..).unwrap(),
        ];
        // Closed, so that a lock on the process does not bring them all in.
        let mut many = mappings_up_to_the_limit(NoAccess);
        drop(whole);
        let Ok(process) = ProcessLock::new(LockPages::CURRENT) else {
            return skip("a lock on the process", "the limit on locked memory");
        };
        many.truncate(many.len() - 100);
        let middle = mapping.as_ptr().wrapping_add(page);
        assert!(is_locked(middle), "{process:?} lives");
        drop(process);
        assert!(is_unlocked(middle));
    });
}

/// A lock that the kernel could not undo belongs to the next guard over these pages.
#[test]
fn what_was_not_unlocked_and_is_held_again_stays_locked() {
    at_the_limit("a refused munlock of what is held again", || {
        let page = page_size();
        let mapping = Mapping::anonymous(3 * page).unwrap();
        let Ok(whole) = mapping.lock() else {
            return skip("locked pages", "the limit on locked memory");
        };
        let _ends = [
            mapping.lock_range(..page).unwrap(),
            mapping.lock_range(2 * page..).unwrap(),
        ];
        let mut full = Full::new();
        drop(whole);
        let again = mapping.lock_range(page..2 * page).unwrap();
        full.give(100);
        let middle = mapping.as_ptr().wrapping_add(page);
        assert!(is_locked(middle), "{again:?} lives");
        drop(again);
        assert!(is_unlocked(middle));
    });
}

#[test]
fn guards_that_cannot_be_made_leave_nothing() {
    at_the_limit("guard pages", || {
        const LEN: usize = 1 << 30;
        let page = page_size();
        let options = MapOptions::new().len(LEN).no_reserve(true);
        let mut full = Full::new();
        for room in 1..4 {
            full.give(1);
            let before = kernel::virtual_size().get().unwrap();
            if let Err(error) = options.map_guarded(page, page, ReadWrite) {
                let now = kernel::virtual_size().get().unwrap();
                assert!(now < before + LEN / 2, "room for {room}: {error}: {now}");
            }
        }
    });
}

/// What was done of a change of protection merges with a neighbour, so that to undo it takes a mapping
/// more than there is room for.
#[test]
fn a_change_that_was_merged_is_undone() {
    for order in [false, true] {
        let check: fn() = if order {
            || merged_change(true)
        } else {
            || merged_change(false)
        };
        at_the_limit("half a change of protection", check);
    }
}

fn merged_change(advised_first: bool) {
    let page = page_size();
    let mapping = Mapping::anonymous(6 * page).unwrap();
    if advised_first {
        mapping.advise_range(2 * page.., Advice::Random).unwrap();
    }
    let (neighbour, rest) = mapping.split_at(page).unwrap();
    let neighbour = neighbour.protect(ReadOnly).unwrap();
    if !advised_first {
        rest.advise_range(page.., Advice::Random).unwrap();
    }
    let (part, behind) = rest.split_at(3 * page).unwrap();
    let full = Full::new();
    let failed = part.protect(ReadOnly).expect_err("at the limit");
    drop(full);
    assert_eq!(failed.error().errno(), libc::ENOMEM);
    let mut part = failed.into_mapping();
    part.fill(1);
    assert!(behind.iter().all(|&byte| byte == 0));
    drop(neighbour);
    let part = part.protect(ReadOnly).expect("there is room again");
    assert!(part.iter().all(|&byte| byte == 1));
}

/// The first refusal takes the mappings that are kept for going back. At the limit no more can be made,
/// so that the next change is refused before it begins.
#[test]
fn refused_again_and_again() {
    at_the_limit("changes of protection without room to go back", || {
        let page = page_size();
        let mut neighbours = Vec::new();
        let sets: Vec<_> = (0..3)
            .map(|_| {
                let mapping = Mapping::anonymous(8 * page).unwrap();
                let (closed, mapping) = mapping.split_at(page).unwrap();
                let (mapping, behind) = mapping.split_at(6 * page).unwrap();
                neighbours.push(closed.protect(NoAccess).unwrap());
                neighbours.push(behind.protect(NoAccess).unwrap());
                mapping.advise_range(2 * page.., Advice::Random).unwrap();
                let (before, rest) = mapping.split_at(page).unwrap();
                (before.protect(ReadOnly).unwrap(), rest)
            })
            .collect();
        let parts: Vec<_> = sets
            .into_iter()
            .map(|(before, rest)| (before, rest.split_at(3 * page).unwrap()))
            .collect();
        let mut full = Full::new();
        let mut kept = Vec::with_capacity(8);
        for (before, (part, behind)) in parts {
            while let Ok(mapping) = MapOptions::new().len(page).map_anonymous_shared(ReadWrite) {
                full.many.push(mapping);
            }
            let failed = part.protect(ReadOnly).expect_err("at the limit");
            assert_eq!(failed.error().errno(), libc::ENOMEM);
            let mut part = failed.into_mapping();
            part.fill(1);
            kept.push((before, part, behind));
        }
        drop(full);
        for (_, part, _) in kept {
            let part = part.protect(ReadOnly).expect("there is room again");
            assert!(part.iter().all(|&byte| byte == 1));
        }
    });
}

/// The same, of what cannot be accessed: growing by a copy has to look at it.
#[test]
fn growing_at_the_limit_loses_nothing() {
    at_the_limit("growth", || {
        let page = page_size();
        let mut mapping = Mapping::anonymous(4 * page).unwrap();
        mapping.fill(7);
        mapping
            .advise_range(page..2 * page, Advice::Random)
            .unwrap();
        let mut mapping = mapping.protect(NoAccess).unwrap();
        let full = Full::new();
        let grown = mapping.resize(64 * page);
        drop(full);
        assert_eq!(mapping.len(), if grown.is_ok() { 64 } else { 4 } * page);
        let mapping = mapping.protect(ReadOnly).unwrap();
        assert!(mapping[..4 * page].iter().all(|&byte| byte == 7));
    });
}

/// An aligned mapping takes more room first, which the kernel may be unable to cut out of a mapping that
/// it has made of it and its neighbours.
#[test]
fn room_that_cannot_be_given_up_is_given_up_later() {
    const UNIT: usize = 1 << 24;
    let check = "room that cannot be given up";
    if lacks::own_process(check) {
        return;
    }
    let ended = in_a_child(|| {
        let options = MapOptions::new().len(page_size()).alignment(UNIT);
        let map = || options.map_anonymous(ReadWrite).unwrap_err();
        let Some(error) = refusing_argument(SYS_MUNMAP, 1, UNIT as u64, libc::ENOMEM, map) else {
            return;
        };
        assert_eq!((error.call(), error.errno()), (Call::Mmap, libc::ENOMEM));
        let size = || kernel::virtual_size().get().unwrap();
        let before = size();
        // Something else is unmapped.
        drop(Mapping::anonymous(page_size()).unwrap());
        assert!(before - size() >= UNIT, "{before} before, and {}", size());
    });
    assert!(ended.success(), "{check}");
}
