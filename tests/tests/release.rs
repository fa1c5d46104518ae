//! What the kernel refuses to release at its limit of mappings, which a process reaches alone: each
//! check is in a child of its own.

use std::ops::Range;

use tests::{in_a_child, is_locked, lacks, skip};
use unix_memory::{
    Advice, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, SharedMapping, UncheckedAdvice,
    page_size,
};

/// The kernel's limit of mappings, where it can be reached in a moment.
fn limit() -> Option<usize> {
    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
    limit.trim().parse().ok().filter(|&limit| limit <= 1 << 20)
}

/// A number of /proc/self/status, in bytes.
fn status(key: &str) -> usize {
    let text = std::fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let line = text.lines().find(|line| line.starts_with(key));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.map(|kib: usize| kib << 10).expect("a number")
}

/// Mappings up to the kernel's limit: no two are one for the kernel.
struct Full {
    many: Vec<SharedMapping<ReadWrite>>,
}

impl Full {
    fn new() -> Self {
        let options = MapOptions::new().len(page_size());
        let mut many = Vec::with_capacity(2 << 20);
        while let Ok(mapping) = options.map_anonymous_shared(ReadWrite) {
            many.push(mapping);
        }
        Self { many }
    }

    /// Makes room for `count` mappings.
    fn give(&mut self, count: usize) {
        self.many.truncate(self.many.len() - count);
    }
}

/// Runs `check` in a child, if the limit can be reached.
fn at_the_limit(what: &str, check: fn()) {
    if lacks::own_process(what) {
        return;
    }
    if limit().is_none() {
        return skip(what, "the limit of mappings cannot be reached");
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

/// (To read /proc takes memory, which may come to lie there.)
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
        let before = status("VmRSS");
        drop(middle);
        let now = status("VmRSS");
        // (With the other figures of the process, some more or less.)
        assert!(now + len / 2 < before, "{before} bytes before, {now} now");
        full.give(100);
        assert!(!is_mapped(&gone), "it was tried again");
        assert!(is_mapped(&addresses(&first)) && is_mapped(&addresses(&last)));
        assert!(first.iter().chain(&*last).all(|&byte| byte == 1));
    });
}

#[test]
fn a_locked_drop_that_is_refused_gives_the_memory_back_too() {
    at_the_limit("a refused drop of locked pages", || {
        // The kernel's count of a process's pages lags behind by some 64.
        let len = 256 * page_size();
        let options = MapOptions::new().len(3 * len).lock(true);
        let Ok(whole) = options.map_anonymous(ReadWrite) else {
            return skip("locked pages", "the limit on locked memory");
        };
        let (first, rest) = whole.split_at(len).unwrap();
        let (middle, last) = rest.split_at(len).unwrap();
        let gone = addresses(&middle);
        let mut full = Full::new();
        let before = status("VmRSS");
        drop(middle);
        if UncheckedAdvice::DontNeedLocked.is_supported() {
            assert!(status("VmRSS") + len / 2 < before);
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
        let states = |page: usize| is_locked(mapping.as_ptr().wrapping_add(page * page_size()));
        assert!(states(0) && !states(1) && states(2));
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
        assert!(!is_locked(middle));
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
            let before = status("VmSize");
            if let Err(error) = options.map_guarded(page, page, ReadWrite) {
                let now = status("VmSize");
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
