//! What growing costs, in system calls.
// Emscripten enforces no protections: nothing can be reserved there.
#![cfg(not(target_os = "emscripten"))]

use tests::kernel::system_calls;
use unix_memory::page_size;
use unix_memory::reserve::{Reservation, ReservedVec};

const GROWTHS: usize = 1000;

/// So much that its beginning is away from the stack of the main thread, where addresses have 64 bits:
/// near to that, the library asks in each growth how far it has come.
const LEN: usize = 1 << if usize::BITS > 32 { 36 } else { 28 };

/// How many system calls `f` makes for that many growths, beyond what it makes for one.
fn cost(f: impl Fn(usize)) -> Option<usize> {
    let one = system_calls(|| f(1)).get()?;
    let more = system_calls(|| f(1 + GROWTHS)).get()?;
    println!("{GROWTHS} more: {one} system calls became {more}");
    Some(more - one)
}

/// `expected` calls a growth; one more where the stack of the main thread may be near.
fn assert_cost(cost: Option<usize>, expected: usize) {
    let Some(cost) = cost else { return };
    let near = if usize::BITS > 32 { 0 } else { GROWTHS };
    let expected = GROWTHS * expected..=GROWTHS * expected + near;
    assert!(expected.contains(&cost), "{cost} calls, not {expected:?}");
}

#[test]
fn a_commit_is_one_call() {
    let page = page_size();
    let cost = cost(|growths| {
        let mut reservation = Reservation::new(LEN).unwrap();
        for number in 0..growths {
            reservation
                .commit(number * page..(number + 1) * page)
                .unwrap();
            reservation
                .get_mut(number * page..(number + 1) * page)
                .unwrap()[0] = 1;
        }
    });
    assert_cost(cost, 1);
}

#[test]
fn a_growth_of_a_vector_is_one_call() {
    let page = page_size();
    let cost = cost(|growths| {
        let mut bytes: ReservedVec<u8> = ReservedVec::with_max_capacity(LEN).unwrap();
        for number in 1..=growths {
            bytes
                .try_reserve_exact(number * page - bytes.len())
                .unwrap();
            assert_eq!(bytes.capacity(), number * page);
        }
    });
    assert_cost(cost, 1);
}

/// A commit, and then `mprotect` and `madvise`.
#[test]
fn a_decommit_is_two_calls() {
    let page = page_size();
    let cost = cost(|growths| {
        let mut reservation = Reservation::new(LEN).unwrap();
        for _ in 0..growths {
            reservation.commit(..page).unwrap();
            reservation.decommit(..page).unwrap();
        }
    });
    assert_cost(cost, 1 + 2);
}

#[test]
fn what_is_committed_costs_nothing_more() {
    let cost = cost(|growths| {
        let mut reservation = Reservation::new(LEN).unwrap();
        let mut bytes: ReservedVec<u8> = ReservedVec::with_max_capacity(LEN).unwrap();
        bytes.reserve(2 * GROWTHS);
        for _ in 0..growths {
            reservation.commit(..1).unwrap();
            bytes.push(1);
        }
    });
    assert_cost(cost.map(|cost| cost + GROWTHS), 1);
}
