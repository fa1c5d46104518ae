//! What is tried with reservations, vectors that do not move, and stacks.

use unix_memory::reserve::{Reservation, ReservedVec};
use unix_memory::{Stack, page_size};

use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    reserve commit commit_between decommit decommit_several lock_committed unmap_reservation reserve_vec
    try_reserve shrink_to_fit stack unmap_stack
];

fn reserve(trial: &Trial<'_>) {
    drop(trial.twice(|| Reservation::new(9 * page_size()), || ()));
}

/// Nine pages, of which those at 3 and 6 are committed and filled.
fn reservation() -> Reservation {
    let page = page_size();
    let mut reservation = Reservation::new(9 * page).unwrap();
    for number in [3, 6] {
        let range = number * page..(number + 1) * page;
        reservation.commit(range.clone()).unwrap();
        reservation.get_mut(range).unwrap().fill(7);
    }
    reservation
}

fn has_both(reservation: &Reservation) {
    let page = page_size();
    for number in [3, 6] {
        let bytes = reservation.get(number * page..(number + 1) * page).unwrap();
        assert!(bytes.iter().all(|&byte| byte == 7));
    }
}

/// Those, and no others.
fn has_no_more(reservation: &Reservation) {
    has_both(reservation);
    assert_eq!(reservation.committed_bytes(), 2 * page_size());
}

fn commit(trial: &Trial<'_>) {
    let mut reservation = Reservation::new(9 * page_size()).unwrap();
    trial.twice_in(
        &mut reservation,
        |it| it.commit(..1),
        |it| assert_eq!(it.committed_bytes(), 0),
    );
    reservation.get_mut(..1).unwrap().fill(7);
}

fn commit_between(trial: &Trial<'_>) {
    let mut reservation = reservation();
    trial.twice_in(
        &mut reservation,
        |it| it.commit(..),
        |it| {
            if trial.refuses_for_good() {
                // What was opened between the two may stay.
                has_both(it);
            } else {
                has_no_more(it);
            }
        },
    );
    has_both(&reservation);
    let zeros = &reservation.get(..3 * page_size()).unwrap();
    assert!(zeros.iter().all(|&byte| byte == 0));
}

fn decommit(trial: &Trial<'_>) {
    let (mut reservation, page) = (reservation(), page_size());
    trial.twice_in(
        &mut reservation,
        |it| it.decommit(3 * page..4 * page),
        has_no_more,
    );
    reservation.commit(3 * page..4 * page).unwrap();
    let zeros = reservation.get(3 * page..4 * page).unwrap();
    assert!(zeros.iter().all(|&byte| byte == 0));
}

fn decommit_several(trial: &Trial<'_>) {
    let mut reservation = reservation();
    trial.twice_in(
        &mut reservation,
        |it| it.decommit(..),
        |it| {
            if !trial.refuses_for_good() {
                // Else some may stay decommitted.
                has_no_more(it);
            }
        },
    );
    assert_eq!(reservation.committed_bytes(), 0);
    reservation.commit(..).unwrap();
    assert!(reservation.get(..).unwrap().iter().all(|&byte| byte == 0));
}

fn lock_committed(trial: &Trial<'_>) {
    let (reservation, page) = (reservation(), page_size());
    let lock = || reservation.lock_range(3 * page..4 * page);
    drop(trial.twice(lock, || has_no_more(&reservation)));
}

fn unmap_reservation(trial: &Trial<'_>) {
    trial.twice_with(reservation(), Reservation::unmap, has_no_more);
}

fn reserve_vec(trial: &Trial<'_>) {
    drop(trial.twice(|| ReservedVec::<u64>::with_max_capacity(10_000), || ()));
}

fn vec() -> ReservedVec<u64> {
    let mut vec = ReservedVec::with_max_capacity(10_000).unwrap();
    vec.extend(0..1000);
    vec
}

fn has_all(vec: &ReservedVec<u64>) {
    assert!(vec.iter().copied().eq(0..1000));
}

fn try_reserve(trial: &Trial<'_>) {
    let mut vec = vec();
    trial.twice_in(&mut vec, |it| it.try_reserve(5000), has_all);
    assert!(vec.capacity() >= 6000);
}

fn shrink_to_fit(trial: &Trial<'_>) {
    let mut vec = vec();
    vec.try_reserve(5000).unwrap();
    trial.twice_in(&mut vec, ReservedVec::shrink_to_fit, has_all);
    has_all(&vec);
}

fn stack(trial: &Trial<'_>) {
    let stack = trial.twice(|| Stack::new(1 << 16), || ());
    assert!(stack.size() >= 1 << 16);
}

fn unmap_stack(trial: &Trial<'_>) {
    trial.twice_with(Stack::new(1 << 16).unwrap(), Stack::unmap, |_| ());
}
