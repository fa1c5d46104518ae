//! The kernel's limit of mappings, which a process reaches alone: one test, one process.
// Emscripten enforces no protections: nothing can be reserved there.
#![cfg(not(target_os = "emscripten"))]

use libc::ENOMEM;
use tests::{
    Permissions, is_memory_limit, mappings_up_to_the_limit, permissions, reachable_mapping_limit,
    skip,
};
use unix_memory::reserve::{Reservation, ReservedVec};
use unix_memory::{Call, Error, MapOptions, NoAccess, page_size};

#[test]
fn committed_ranges_up_to_the_limit() {
    let page = page_size();
    let check = "committed ranges up to the limit";
    if tests::lacks::own_process(check) {
        return;
    }
    let Some(limit) = reachable_mapping_limit(check) else {
        return;
    };
    if limit.saturating_mul(page) > 1 << 30 {
        return skip(check, "with such large pages it takes too much memory");
    }
    let mut vec: ReservedVec<u8> = ReservedVec::with_max_capacity(1 << 20).unwrap();
    let mut grown: ReservedVec<u8> = ReservedVec::with_max_capacity(1 << 24).unwrap();
    grown.push(1);
    // Its ends stay closed: an open one could become one mapping with what is beside it.
    let mut other = Reservation::new(10 * page).unwrap();
    let inner = page..9 * page;
    other.commit(inner.clone()).unwrap();
    other.get_mut(inner.clone()).unwrap().fill(5);
    let Ok(mut reservation) = Reservation::new(2 * limit * page) else {
        return skip("committed ranges up to the limit", "no room for so many");
    };
    // Every second page: two mappings each.
    let range = |number: usize| 2 * number * page..(2 * number + 1) * page;
    let mut count = 0;
    let mut refusal: Option<Error> = None;
    while count < limit {
        if let Err(error) = reservation.commit(range(count)) {
            refusal = Some(error);
            break;
        }
        reservation.get_mut(range(count)).unwrap()[0] = 7;
        count += 1;
    }
    // No mapping is left at all, not even one that a refused call gave up.
    let mut many = mappings_up_to_the_limit(NoAccess);
    let one = MapOptions::new().len(page);
    let mut fill = || {
        while let Ok(mapping) = one.map_anonymous_shared(NoAccess) {
            many.push(mapping);
        }
    };
    let again = reservation.commit(range(count)).err();
    fill();
    let refused_decommit = other.decommit(2 * page..3 * page).err();
    fill();
    let refused_push = vec.try_push(3).map_err(unix_memory::Failed::into_parts);
    fill();
    // Beside what is committed there is room: it takes no mapping more.
    let further = grown.try_reserve(1 << 20);
    let wider = reservation.commit(..=page);
    let kept = (0..count).all(|number| reservation.get(range(number)).unwrap()[0] == 7);
    let all_of_other = other
        .get(inner)
        .is_some_and(|all| all.iter().all(|&byte| byte == 5));
    // Holes that are filled make room.
    let filled = reservation.commit(..100 * page);
    let decommitted = other.decommit(2 * page..3 * page);
    let pushed = vec.try_push(4);
    drop(many);
    let apart = reservation.committed().len();
    let others: Vec<_> = other.committed().collect();

    let places = [0, 99, 100, 101, 2 * count, 2 * count + 1].map(|number| {
        let committed = reservation.is_committed(number * page..(number + 1) * page);
        let address = reservation.as_ptr().wrapping_add(number * page);
        (number, committed, address)
    });
    let seen = places.map(|(number, committed, address)| {
        let open = permissions(address).map(|all| all.contains(Permissions::WRITE));
        (number, committed, open)
    });
    let vec_is_closed = vec.capacity();
    reservation.decommit(..).unwrap();
    let all_gone = reservation.committed_bytes() == 0;
    drop(reservation);

    let Some(error) = refusal else {
        return skip(
            "committed ranges up to the limit",
            "an emulator, or the kernel, does not keep to its limit",
        );
    };
    assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
    for error in [error, again.unwrap()] {
        assert!(is_memory_limit(error.reason()), "{error}");
    }
    assert_eq!((further, wider, filled), (Ok(()), Ok(()), Ok(())));
    assert!(kept && all_of_other);
    assert_eq!(refused_decommit.map(|error| error.errno()), Some(ENOMEM));
    let (error, value) = refused_push.unwrap_err();
    assert_eq!((error.errno(), value), (ENOMEM, 3));
    assert!(decommitted.is_ok() && pushed.is_ok() && vec_is_closed != 0);
    assert_eq!(others, [page..2 * page, 3 * page..9 * page]);
    // The first fifty are one, with the one that begins at page 100.
    assert_eq!(apart, count - 50);
    for (number, committed, open) in seen {
        assert_eq!(open, committed, "page {number}");
    }
    assert!(all_gone && *vec == [4] && *grown == [1]);
    let mut kept = other
        .committed()
        .flat_map(|range| other.get(range).unwrap());
    assert!(kept.all(|&byte| byte == 5));
}
