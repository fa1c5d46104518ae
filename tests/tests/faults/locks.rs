//! What is tried with locks.

use unix_memory::{LockPages, Mapping, ProcessLock, ReadWrite, page_size};

use super::mappings::{filled, is_as_it_was, is_filled};
use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    lock lock_on_fault unlock lock_over_on_fault mlock munlock into_locked unlock_owned process_lock
    process_lock_on_fault process_unlock process_unlock_held process_unlock_future unmap_held
];

fn is_unlocked(mapping: &Mapping<ReadWrite>) {
    for page in 0..3 {
        assert!(tests::is_unlocked(
            mapping.as_ptr().wrapping_add(page * page_size())
        ));
    }
}

fn lock(trial: &Trial<'_>) {
    let mapping = filled();
    let guard = trial.twice(|| mapping.lock(), || is_unlocked(&mapping));
    assert!(tests::is_locked(mapping.as_ptr()));
    drop(guard);
    is_unlocked(&mapping);
}

fn lock_on_fault(trial: &Trial<'_>) {
    let mapping = filled();
    let guard = trial.twice(|| mapping.lock_on_fault(), || is_unlocked(&mapping));
    drop(guard);
    is_unlocked(&mapping);
}

fn unlock(trial: &Trial<'_>) {
    let mapping = filled();
    let guard = mapping.lock().unwrap();
    trial.does(|| drop(guard));
    // If it was refused, it is tried again now.
    drop(mapping.lock().unwrap());
    is_unlocked(&mapping);
}

fn lock_over_on_fault(trial: &Trial<'_>) {
    let (mapping, page) = (filled(), page_size());
    let on_fault = mapping.lock_range_on_fault(..page).unwrap();
    let full = mapping.lock().unwrap();
    trial.does(|| drop(full));
    drop(on_fault);
    drop(mapping.lock().unwrap());
    is_unlocked(&mapping);
}

fn mlock(trial: &Trial<'_>) {
    let mapping = filled();
    trial.twice(|| mapping.mlock(..), || is_unlocked(&mapping));
    assert!(tests::is_locked(mapping.as_ptr()));
    mapping.munlock(..).unwrap();
    is_unlocked(&mapping);
}

fn munlock(trial: &Trial<'_>) {
    let mapping = filled();
    mapping.mlock(..).unwrap();
    trial.twice(
        || mapping.munlock(..),
        || assert!(tests::is_locked(mapping.as_ptr())),
    );
    // If it was refused, it is tried again now.
    drop(mapping.lock().unwrap());
    is_unlocked(&mapping);
}

fn into_locked(trial: &Trial<'_>) {
    let locked = trial.twice_with(filled(), Mapping::into_locked, |it| {
        is_as_it_was(it);
        is_unlocked(it);
    });
    is_filled(&locked);
}

fn unlock_owned(trial: &Trial<'_>) {
    let locked = filled().into_locked().unwrap();
    let mut mapping = None;
    trial.does(|| mapping = Some(locked.unlock()));
    let mapping = mapping.unwrap();
    drop(mapping.lock().unwrap());
    is_unlocked(&mapping);
}

fn process_lock(trial: &Trial<'_>) {
    let mapping = filled();
    let lock = trial.twice(
        || ProcessLock::new(LockPages::CURRENT),
        || is_unlocked(&mapping),
    );
    assert!(tests::is_locked(mapping.as_ptr()));
    drop(lock);
    is_unlocked(&mapping);
}

fn process_lock_on_fault(trial: &Trial<'_>) {
    let mapping = filled();
    let held = mapping.lock_range(..1).unwrap();
    let lock = trial.twice(|| ProcessLock::on_fault(LockPages::CURRENT), || ());
    assert!(tests::is_locked(mapping.as_ptr()));
    drop(lock);
    assert!(tests::is_locked(mapping.as_ptr()));
    drop(held);
    is_unlocked(&mapping);
}

fn process_unlock(trial: &Trial<'_>) {
    let mapping = filled();
    let lock = ProcessLock::new(LockPages::CURRENT).unwrap();
    trial.does(|| drop(lock));
    drop(ProcessLock::new(LockPages::CURRENT).unwrap());
    is_unlocked(&mapping);
}

/// What guards hold stays locked, whatever is refused.
fn process_unlock_held(trial: &Trial<'_>) {
    let (mapping, page) = (filled(), page_size());
    let held = mapping.lock_range(page..2 * page).unwrap();
    let on_fault = mapping.lock_range_on_fault(..page).unwrap();
    let lock = ProcessLock::new(LockPages::CURRENT).unwrap();
    trial.does(|| drop(lock));
    assert!(tests::is_locked(mapping.as_ptr()));
    assert!(tests::is_locked(mapping.as_ptr().wrapping_add(page)));
    drop((held, on_fault));
    drop(ProcessLock::new(LockPages::CURRENT).unwrap());
    is_unlocked(&mapping);
}

fn process_unlock_future(trial: &Trial<'_>) {
    let mapping = filled();
    let held = mapping.lock_range(..1).unwrap();
    let current = ProcessLock::on_fault(LockPages::CURRENT).unwrap();
    let future = ProcessLock::new(LockPages::FUTURE).unwrap();
    trial.does(|| drop(future));
    assert!(tests::is_locked(mapping.as_ptr()));
    drop(current);
    assert!(tests::is_locked(mapping.as_ptr()));
    drop(held);
    is_unlocked(&mapping);
}

fn unmap_held(trial: &Trial<'_>) {
    let mapping = filled();
    std::mem::forget(mapping.lock().unwrap());
    trial.twice_with(mapping, Mapping::unmap, |it| {
        is_as_it_was(it);
        assert!(tests::is_locked(it.as_ptr()));
    });
}
