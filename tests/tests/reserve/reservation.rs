//! `Reservation`: what is committed, according to its own record and to the kernel.
// Emscripten enforces no protections: nothing can be reserved there.
#![cfg(not(target_os = "emscripten"))]

mod pages;

use libc::{EINVAL, ENOMEM};
use proptest::prelude::*;
use tests::{
    Flags, Permissions, can_be_read, flags, is_locked, is_true_in_a_child, is_unlocked, lacks,
    map_at, permissions, skip,
};
use unix_memory::reserve::Reservation;
use unix_memory::{Advice, Call, Reason, UncheckedAdvice, page_size};

use self::pages::{assert_committed, holds, page_of, pages};

#[test]
fn a_large_range_costs_nothing_and_ends_in_guards() {
    let page = page_size();
    // An emulator records each page of a mapping, which for a TiB takes it a minute.
    let len =
        usize::try_from(1_u64 << 40).map_or(1 << 28, |len| tests::effort(len).next_power_of_two());
    // And it may have fewer addresses.
    let reservation = Reservation::new(len).or_else(|_| Reservation::new(1 << 28));
    let mut reservation = reservation.unwrap();
    let len = reservation.len();
    assert_eq!(reservation.committed_bytes(), 0);
    let (start, last) = (reservation.as_ptr(), len - 1);
    for at in [0, len / 2, last] {
        reservation.commit(at..=at).unwrap();
        reservation.get_mut(at..=at).unwrap()[0] = 7;
    }
    assert!(
        reservation
            .committed()
            .eq([0..page, len / 2..len / 2 + page, len - page..len])
    );
    assert_eq!(reservation.as_ptr(), start);
    // Before and behind it.
    for address in [start.wrapping_sub(1), start.wrapping_add(len)] {
        assert!(!can_be_read(address));
    }
    assert_eq!(reservation.get(last..), Some(&[7][..]));
    assert!(format!("{reservation:?}").contains(&format!("committed_bytes: {}", 3 * page)));
    reservation.unmap().unwrap();
}

/// The guards cannot be reached whatever is committed beside them, in a child too.
#[test]
fn guards_stay_closed() {
    let page = page_size();
    let mut reservation = Reservation::new(3 * page).unwrap();
    let ends = [
        reservation.as_ptr().wrapping_sub(1),
        reservation.as_ptr().wrapping_add(3 * page),
    ];
    let are_closed = || ends.iter().all(|&end| !can_be_read(end));
    assert!(are_closed());
    for _ in 0..2 {
        reservation.commit(..page).unwrap();
        assert!(are_closed());
        reservation.commit(..).unwrap();
        assert!(are_closed() && is_true_in_a_child(are_closed));
        reservation.decommit(..page).unwrap();
        assert!(are_closed());
        reservation.decommit(..).unwrap();
        assert!(are_closed());
    }
}

/// What was used in many mappings of the kernel becomes one of them again: open as well as closed.
#[test]
fn pieces_become_one_mapping() {
    let page = page_size();
    let check = "pieces that become one mapping";
    if lacks::advice(check) {
        return;
    }
    if !UncheckedAdvice::GuardInstall.is_supported() {
        return skip(check, "this kernel does not make one of them");
    }
    let mut reservation = Reservation::new(100 * page).unwrap();
    let end = reservation.as_ptr().addr() + 100 * page;
    let first_ends = |reservation: &Reservation, check: fn(&usize, &usize) -> bool| {
        let map = map_at(reservation.as_ptr());
        map.is(|map| check(&map.as_ref().expect("it is mapped").addresses.end, &end))
    };
    for number in (10..90).step_by(2) {
        let range = number * page..(number + 1) * page;
        reservation.commit(range.clone()).unwrap();
        reservation.get_mut(range).unwrap()[0] = 1;
    }
    assert!(first_ends(&reservation, usize::lt));
    reservation.commit(..).unwrap();
    assert!(first_ends(&reservation, usize::ge));
    reservation.decommit(..).unwrap();
    assert!(first_ends(&reservation, usize::ge));
}

/// With guards of the kernel's own, what is committed and its guards are one mapping.
#[test]
fn one_mapping_where_the_kernel_has_guards() {
    let page = page_size();
    let check = "guards that are not mappings";
    if lacks::advice(check) {
        return;
    }
    if !UncheckedAdvice::GuardInstall.is_supported() {
        return skip(check, "this kernel has none");
    }
    let mut reservation = Reservation::new(4 * page).unwrap();
    let (start, end) = (
        reservation.as_ptr().addr(),
        reservation.as_ptr().addr() + 4 * page,
    );
    let mapping = |reservation: &Reservation| {
        let map = map_at(reservation.as_ptr()).get();
        map.flatten().map(|map| map.addresses)
    };
    reservation.commit(..page).unwrap();
    if let Some(map) = mapping(&reservation) {
        assert!(map.start <= start - page && map.end == start + page);
    }
    reservation.commit(..).unwrap();
    if let Some(map) = mapping(&reservation) {
        assert!(map.start <= start - page && map.end >= end + page);
    }
    reservation.decommit(..).unwrap();
    let guards = [page_of(&reservation, -1), page_of(&reservation, 4)];
    assert!(
        guards
            .map(permissions)
            .iter()
            .all(|guard| *guard == Permissions::PRIVATE)
    );
}

#[test]
fn no_space_is_set_aside() {
    if !lacks::no_reserve("space of a reservation") {
        assert!(flags(Reservation::new(1).unwrap().as_ptr()).contains(Flags::NR));
    }
}

#[test]
fn committing_rounds_outward_and_keeps_what_is_there() {
    let page = page_size();
    let mut reservation = pages(8, &[2, 4, 7]);
    reservation.commit(page..page).unwrap();
    reservation.commit(2 * page..3 * page).unwrap();
    assert_committed(&reservation, &[2, 4, 7]);
    reservation.commit(2 * page - 1..=5 * page).unwrap();
    assert_committed(&reservation, &[1, 2, 3, 4, 5, 7]);
    for (number, byte) in [(1, 0), (2, 2), (3, 0), (4, 4), (5, 0), (7, 7)] {
        assert!(holds(&reservation, number, byte), "page {number}");
    }
    reservation.commit(..).unwrap();
    assert!(reservation.committed().eq(std::iter::once(0..8 * page)));
    assert!(holds(&reservation, 4, 4) && holds(&reservation, 6, 0));
}

#[test]
fn what_is_not_committed_is_not_given_out() {
    let page = page_size();
    let mut reservation = pages(4, &[1, 2]);
    assert_eq!(reservation.get(page..3 * page).unwrap().len(), 2 * page);
    for range in [0..1, page - 1..page + 1, page..3 * page + 1, 0..4 * page] {
        assert!(reservation.get(range.clone()).is_none(), "{range:?}");
        assert!(reservation.get_mut(range.clone()).is_none(), "{range:?}");
        assert!(!reservation.is_committed(range.clone()), "{range:?}");
        let error = reservation.lock_range(range).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mlock, ENOMEM));
        assert_eq!(error.reason(), Reason::NotCommitted);
    }
    assert!(reservation.get(..=usize::MAX).is_none());
    assert!(reservation.get(4 * page + 1..).is_none());
    // Of no bytes, all are.
    assert_eq!(reservation.get(4 * page..), Some(&[][..]));
    for number in [0, 3] {
        assert!(!can_be_read(page_of(&reservation, number)));
    }
    assert!(can_be_read(page_of(&reservation, 1)));
}

#[test]
fn decommitted_memory_goes_back() {
    let page = page_size();
    // The ends stay closed: an open one may be one mapping with what other tests have beside it.
    let mut reservation = pages(66, &[]);
    reservation.commit(page..65 * page).unwrap();
    reservation.get_mut(page..65 * page).unwrap().fill(7);
    let start = page_of(&reservation, 1);
    let anonymous = |at: *const u8| map_at(at).map(|map| map.expect("mapped").anonymous);
    let emulated = lacks::own_pages("the memory of a reservation");
    if !emulated {
        assert!(anonymous(start).is(|&bytes| bytes.is_none_or(|bytes| bytes == 64 * page)));
    }
    reservation.decommit(2 * page..64 * page).unwrap();
    assert_committed(&reservation, &[1, 64]);
    let closed = page_of(&reservation, 2);
    if !emulated {
        assert!(anonymous(closed).is(|&bytes| bytes.is_none_or(|bytes| bytes == 0)));
        assert!(anonymous(start).is(|&bytes| bytes.is_none_or(|bytes| bytes == page)));
    }
    assert!(!can_be_read(closed));
    // Nothing is committed there, which is no mistake.
    reservation.decommit(3 * page..5 * page).unwrap();
    reservation.commit(..).unwrap();
    assert!(holds(&reservation, 1, 7) && holds(&reservation, 64, 7));
    assert!((2..64).all(|number| holds(&reservation, number, 0)));
}

#[test]
fn decommitting_several_ranges() {
    let page = page_size();
    let mut reservation = pages(10, &[1, 2, 4, 6, 7, 9]);
    reservation.decommit(2 * page..7 * page).unwrap();
    assert_committed(&reservation, &[1, 7, 9]);
    reservation.commit(..).unwrap();
    for number in 0..10 {
        let byte = if [1, 7, 9].contains(&number) {
            number
        } else {
            0
        };
        assert!(holds(&reservation, number, u8::try_from(byte).unwrap()));
    }
}

#[test]
fn ranges_that_are_refused() {
    let page = page_size();
    let mut reservation = pages(4, &[1]);
    for range in [0..4 * page + 1, 5 * page..6 * page, 0..usize::MAX] {
        for error in [
            reservation.commit(range.clone()).unwrap_err(),
            reservation.decommit(range.clone()).unwrap_err(),
        ] {
            assert_eq!((error.call(), error.errno()), (Call::Mprotect, EINVAL));
            assert_eq!(error.reason(), Reason::MappingLength(4 * page));
        }
        for error in [
            reservation.lock_range(range.clone()).unwrap_err(),
            reservation.advise_range(range, Advice::Normal).unwrap_err(),
        ] {
            assert_eq!(error.errno(), EINVAL);
            assert_eq!(error.reason(), Reason::MappingLength(4 * page));
        }
    }
    #[allow(clippy::reversed_empty_ranges, reason = "it is to be refused")]
    let reversed = page..0;
    assert!(reservation.commit(reversed.clone()).is_err());
    assert!(reservation.commit(..=usize::MAX).is_err());
    // Parts of pages are never rounded outward, nor silently kept.
    for range in [page + 1..2 * page, page..2 * page - 1, 0..1, 1..4 * page] {
        let error = reservation.decommit(range).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, EINVAL));
        assert_eq!(error.reason(), Reason::Unaligned(page));
    }
    assert_committed(&reservation, &[1]);
    assert!(holds(&reservation, 1, 1));
}

#[test]
fn lengths_and_alignments() {
    let page = page_size();
    assert_eq!(Reservation::new(1).unwrap().len(), page);
    assert_eq!(Reservation::new(page + 1).unwrap().len(), 2 * page);
    let mut none = Reservation::new(0).unwrap();
    assert!(none.is_empty());
    assert_eq!(none.len(), 0);
    none.commit(..).unwrap();
    none.decommit(..).unwrap();
    assert_eq!(none.get(..), Some(&[][..]));
    assert!(none.lock_range(..).unwrap().is_empty());
    none.unmap().unwrap();

    for alignment in [1, page, 4 * page, 2 << 20, 64 << 20] {
        let mut reservation = Reservation::with_alignment(3 * page, alignment).unwrap();
        assert_eq!(reservation.as_ptr().addr() % alignment, 0);
        assert_eq!(reservation.len(), 3 * page);
        reservation.commit(..).unwrap();
        assert!(!can_be_read(page_of(&reservation, -1)));
        assert!(!can_be_read(page_of(&reservation, 3)));
    }
    for alignment in [0, 3, page + 1] {
        let error = Reservation::with_alignment(page, alignment).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, EINVAL));
        assert_eq!(error.reason(), Reason::PowerOfTwo);
    }
    for (len, alignment) in [
        (usize::MAX, 1),
        (isize::MAX.unsigned_abs(), 1),
        (page, 1 << (usize::BITS - 1)),
        (page, 1 << (usize::BITS - 2)),
    ] {
        let error = Reservation::with_alignment(len, alignment).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
        match error.reason() {
            Reason::AlignmentLimit { asked, most } => {
                assert_eq!(asked, alignment, "{error}");
                assert!(most.is_power_of_two() && most < asked, "{error}");
            }
            // It is short of addresses, and not too large for them.
            Reason::FreeAddresses(_) | Reason::Kernel => {
                assert_eq!(alignment, 1 << (usize::BITS - 2));
            }
            reason => {
                assert!(matches!(reason, Reason::LengthLimit(_)), "{error}");
                assert_eq!(alignment, 1);
            }
        }
    }
}

#[test]
fn locks_and_advice() {
    let page = page_size();
    let mut reservation = pages(6, &[1, 2, 3]);
    let (middle, last) = (page_of(&reservation, 2), page_of(&reservation, 3));
    {
        let _guard = match reservation.lock_range(2 * page..=2 * page) {
            Ok(guard) => guard,
            Err(error) => return skip("locks of a reservation", &error.to_string()),
        };
        assert!(is_locked(middle) && is_unlocked(last));
    }
    assert!(is_unlocked(middle));
    reservation
        .advise_range(..3 * page, Advice::Random)
        .unwrap();
    if !lacks::advice("advice on a reservation") {
        assert!(flags(middle).contains(Flags::RR) && !flags(last).contains(Flags::RR));
    }
    // A guard that was forgotten does not keep memory from going.
    std::mem::forget(reservation.lock_range(2 * page..3 * page).unwrap());
    reservation.decommit(..).unwrap();
    assert_committed(&reservation, &[]);
    reservation.commit(..).unwrap();
    assert!((0..6).all(|number| holds(&reservation, number, 0)));
}

#[test]
fn a_child_has_its_own() {
    let page = page_size();
    let mut reservation = pages(4, &[1, 2]);
    assert!(is_true_in_a_child(|| {
        let was = holds(&reservation, 1, 1) && holds(&reservation, 2, 2);
        reservation.commit(..).unwrap();
        reservation.get_mut(..).unwrap().fill(9);
        reservation.decommit(page..2 * page).unwrap();
        was && holds(&reservation, 0, 9) && !reservation.is_committed(page..=page)
    }));
    assert_committed(&reservation, &[1, 2]);
    assert!(holds(&reservation, 1, 1) && holds(&reservation, 2, 2));
}

#[test]
fn other_threads_have_it() {
    let mut reservation = pages(2, &[0]);
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(holds(&reservation, 0, 0)));
        scope.spawn(|| assert!(holds(&reservation, 0, 0)));
    });
    let reservation = std::thread::spawn(move || {
        reservation.commit(..).unwrap();
        reservation
    });
    assert_committed(&reservation.join().unwrap(), &[0, 1]);
}

#[derive(Clone, Debug)]
enum Step {
    Commit(usize, usize),
    Decommit(usize, usize),
    Write(usize, u8),
}

const PAGES: usize = 24;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..PAGES, 1..6_usize).prop_map(|(page, count)| Step::Commit(page, count)),
        (0..PAGES, 1..6_usize).prop_map(|(page, count)| Step::Decommit(page, count)),
        (0..PAGES, 1..=u8::MAX).prop_map(|(page, byte)| Step::Write(page, byte)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(u32::try_from(tests::effort(100)).unwrap()))]

    /// Against the byte that each page holds, if it is committed; in the kernel's account at the end.
    #[test]
    fn any_steps(steps in prop::collection::vec(step(), 1..80)) {
        let page = page_size();
        let mut reservation = Reservation::new(PAGES * page).unwrap();
        let mut model = [None; PAGES];
        for step in steps {
            match step {
                Step::Commit(first, count) => {
                    let end = (first + count).min(PAGES);
                    // Any byte of the first page to any of the last.
                    reservation.commit(first * page + count..end * page - count).unwrap();
                    for page in &mut model[first..end] {
                        page.get_or_insert(0);
                    }
                }
                Step::Decommit(first, count) => {
                    let end = (first + count).min(PAGES);
                    reservation.decommit(first * page..end * page).unwrap();
                    model[first..end].fill(None);
                }
                Step::Write(number, byte) => {
                    let bytes = reservation.get_mut(number * page..(number + 1) * page);
                    prop_assert_eq!(bytes.is_some(), model[number].is_some());
                    if let Some(bytes) = bytes {
                        bytes.fill(byte);
                        model[number] = Some(byte);
                    }
                }
            }
        }
        let committed: Vec<usize> = (0..PAGES).filter(|&at| model[at].is_some()).collect();
        assert_committed(&reservation, &committed);
        for number in committed {
            prop_assert!(holds(&reservation, number, model[number].unwrap()));
        }
    }
}
