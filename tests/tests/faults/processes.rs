//! What is tried with the map of a process, and with pages that no guard owns.

use libc::{PROT_NONE, PROT_READ, PROT_WRITE};
use tests::Others;
use unix_memory::foreign::{ForeignPages, ProtectionGuard};
use unix_memory::process_map::{ProcessMap, Smaps, Usage};
use unix_memory::{Protection, page_size};

use super::mappings::filled;
use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    open_map open_map_of containing regions smaps smaps_of usage foreign_of foreign_protect
    protect_for_now restore end_protect_for_now foreign_lock foreign_unlock
];

fn open_map(trial: &Trial<'_>) {
    let mut map = trial.twice(ProcessMap::of_self, || ());
    assert!(map.regions().next().is_some());
}

fn open_map_of(trial: &Trial<'_>) {
    let mut map = trial.twice(|| ProcessMap::of(std::process::id()), || ());
    assert!(map.regions().next().is_some());
}

fn containing(trial: &Trial<'_>) {
    let (mapping, mut map) = (filled(), ProcessMap::of_self().unwrap());
    let address = mapping.as_ptr().addr() as u64;
    let region = trial.twice_in(&mut map, |it| it.containing(address), |_| ());
    // If the kernel says that nothing is there, it is true.
    assert!(region.is_none_or(|region| region.addresses.contains(&address)));
    let region = map.containing(address).unwrap().expect("it is mapped");
    assert!(region.addresses.contains(&address));
}

fn regions(trial: &Trial<'_>) {
    let mut map = ProcessMap::of_self().unwrap();
    let count = |it: &mut ProcessMap| {
        it.regions()
            .try_fold(0, |count, next| next.map(|_| count + 1))
    };
    trial.twice_in(&mut map, count, |_| ());
    assert!(count(&mut map).unwrap() > 1);
}

/// How many there are.
fn count(smaps: unix_memory::Result<Smaps>) -> unix_memory::Result<usize> {
    smaps?.try_fold(0, |count, next| next.map(|_| count + 1))
}

fn smaps(trial: &Trial<'_>) {
    assert!(trial.twice(|| count(Smaps::of_self()), || ()) > 1);
}

fn smaps_of(trial: &Trial<'_>) {
    assert!(trial.twice(|| count(Smaps::of(std::process::id())), || ()) > 1);
}

fn usage(trial: &Trial<'_>) {
    assert!(trial.twice(Usage::of_self, || ()).rss > 0);
}

/// Three pages that can be read, written, and neither.
fn others() -> (Others, ForeignPages) {
    let others = Others::anonymous(3);
    others.protect(0, PROT_READ | PROT_WRITE);
    others.protect(1, PROT_READ);
    others.protect(2, PROT_NONE);
    let pages = ForeignPages::new(others.page(0), 3 * page_size()).unwrap();
    (others, pages)
}

/// Whether they are as they were.
fn are_as_they_were(others: &Others) {
    let letters = others.letters();
    assert!(letters.is_none_or(|letters| letters == ["rw", "r", "-"]));
}

fn foreign_of(trial: &Trial<'_>) {
    let mapping = filled();
    let find = || {
        let found = ProcessMap::of_self()?.containing(mapping.as_ptr().addr() as u64)?;
        found.map(|region| ForeignPages::of(&region)).transpose()
    };
    trial.twice(find, || ());
}

fn foreign_protect(trial: &Trial<'_>) {
    let (others, pages) = others();
    // SAFETY: nothing refers to the pages.
    let protect = || unsafe { pages.protect(Protection::READ) };
    // (A refusal in the middle may leave some of them changed, which cannot be here.)
    trial.twice(protect, || are_as_they_were(&others));
    let letters = others.letters();
    assert!(letters.is_none_or(|letters| letters == ["r"; 3]));
}

fn protect_for_now(trial: &Trial<'_>) {
    let (others, pages) = others();
    // SAFETY: nothing refers to the pages.
    let protect = || unsafe { pages.protect_for_now(Protection::READ) };
    drop(trial.twice(protect, || are_as_they_were(&others)));
    are_as_they_were(&others);
}

fn readable(pages: ForeignPages) -> ProtectionGuard {
    // SAFETY: nothing refers to the pages.
    unsafe { pages.protect_for_now(Protection::READ) }.unwrap()
}

fn restore(trial: &Trial<'_>) {
    let (others, pages) = others();
    trial.twice_with(readable(pages), ProtectionGuard::restore, |_| ());
    are_as_they_were(&others);
}

fn end_protect_for_now(trial: &Trial<'_>) {
    let (others, pages) = others();
    let guard = readable(pages);
    trial.does(|| drop(guard));
    drop(others);
}

fn foreign_lock(trial: &Trial<'_>) {
    let others = Others::anonymous(3);
    let pages = ForeignPages::new(others.page(0), 3 * page_size()).unwrap();
    // SAFETY: the pages stay mapped for as long.
    let lock = || unsafe { pages.lock() };
    let guard = trial.twice(lock, || assert!(tests::is_unlocked(others.page(0))));
    assert!(tests::is_locked(others.page(0)));
    drop(guard);
    assert!(tests::is_unlocked(others.page(0)));
}

fn foreign_unlock(trial: &Trial<'_>) {
    let others = Others::anonymous(3);
    let pages = ForeignPages::new(others.page(0), 3 * page_size()).unwrap();
    let start = others.page(0).cast();
    // SAFETY: a lock changes no content.
    let locked = unsafe { libc::mlock(start, 3 * page_size()) };
    assert_eq!(locked, 0);
    // SAFETY: nobody relies on the lock.
    let unlock = || unsafe { pages.unlock() };
    trial.twice(unlock, || assert!(tests::is_locked(others.page(0))));
    assert!(tests::is_unlocked(others.page(0)));
}
