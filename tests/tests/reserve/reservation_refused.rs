//! `Reservation` if the kernel refuses a call.
// Emscripten enforces no protections: nothing can be reserved there.
#![cfg(not(target_os = "emscripten"))]

mod pages;

use libc::{EINVAL, ENOMEM, PROT_READ, PROT_WRITE};
use tests::seccomp::{SYS_MADVISE, SYS_MPROTECT};
use tests::{Permissions, can_be_read, is_memory_limit, permissions, refusing, refusing_argument};
use unix_memory::reserve::Reservation;
use unix_memory::{Call, page_size};

use self::pages::{assert_committed, holds, page_of, pages};

#[test]
fn a_commit_that_is_refused_changes_nothing() {
    let page = page_size();
    let mut reservation = pages(8, &[2, 4]);
    let (first, second) = (page_of(&reservation, 1), page_of(&reservation, 3));
    for address in [first, second] {
        let error = refusing(SYS_MPROTECT, address, ENOMEM, || {
            reservation.commit(page..6 * page).unwrap_err()
        });
        let Some(error) = error else { return };
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
        assert_committed(&reservation, &[2, 4]);
        assert!(holds(&reservation, 2, 2) && holds(&reservation, 4, 4));
    }
    // What cannot be closed again stays committed, and usable.
    refusing(SYS_MPROTECT, second, ENOMEM, || {
        let refused = refusing_argument(SYS_MPROTECT, 2, 0, ENOMEM, || {
            reservation.commit(page..6 * page).unwrap_err()
        });
        assert!(refused.is_some());
    });
    assert_committed(&reservation, &[1, 2, 4]);
    assert!(holds(&reservation, 1, 0) && holds(&reservation, 2, 2));
    reservation.commit(..).unwrap();
    assert_committed(&reservation, &[0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_decommit_that_is_refused_changes_nothing() {
    let page = page_size();
    let mut reservation = pages(6, &[0, 1, 3, 5]);
    let second = page_of(&reservation, 3);
    for address in [page_of(&reservation, 1), second] {
        let error = refusing(SYS_MPROTECT, address, ENOMEM, || {
            reservation.decommit(page..).unwrap_err()
        });
        let Some(error) = error else { return };
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
        assert_committed(&reservation, &[0, 1, 3, 5]);
        for (number, byte) in [(0, 0), (1, 1), (3, 3), (5, 5)] {
            assert!(holds(&reservation, number, byte), "page {number}");
        }
    }
    // What cannot be opened again stays decommitted, and is zeros later.
    let open = u64::from((PROT_READ | PROT_WRITE).unsigned_abs());
    refusing(SYS_MPROTECT, second, ENOMEM, || {
        let refused = refusing_argument(SYS_MPROTECT, 2, open, ENOMEM, || {
            reservation.decommit(page..).unwrap_err()
        });
        assert!(refused.is_some());
    });
    assert_committed(&reservation, &[0, 3, 5]);
    reservation.commit(..).unwrap();
    for (number, byte) in [(0, 0), (1, 0), (2, 0), (3, 3), (4, 0), (5, 5)] {
        assert!(holds(&reservation, number, byte), "page {number}");
    }
}

/// As on a system that cannot drop pages at once.
#[test]
fn zeros_though_the_kernel_keeps_the_memory() {
    let page = page_size();
    let mut reservation = pages(6, &[0, 1, 3, 4, 5]);
    let [from_one, from_four] = [1, 4].map(|number| page_of(&reservation, number));
    let done = refusing(SYS_MADVISE, from_one, EINVAL, || {
        reservation.decommit(page..4 * page).unwrap();
    });
    if done.is_none() {
        return;
    }
    assert_committed(&reservation, &[0, 4, 5]);
    refusing(SYS_MADVISE, from_four, EINVAL, || {
        reservation.decommit(4 * page..5 * page).unwrap();
    });
    reservation.commit(3 * page..4 * page).unwrap();
    assert!(holds(&reservation, 3, 0));
    reservation.get_mut(3 * page..4 * page).unwrap().fill(8);
    // Only what comes new is cleared.
    reservation.commit(..).unwrap();
    for (number, byte) in [(0, 0), (1, 0), (2, 0), (3, 8), (4, 0), (5, 5)] {
        assert!(holds(&reservation, number, byte), "page {number}");
    }
    reservation.get_mut(..).unwrap().fill(9);
    reservation.commit(..).unwrap();
    assert!((0..6).all(|number| holds(&reservation, number, 9)));
}

/// Where the kernel has no guards of its own, they are pages that stay closed.
#[test]
fn guards_of_closed_pages() {
    let page = page_size();
    let install = 102;
    let reservation = refusing_argument(SYS_MADVISE, 2, install, EINVAL, || {
        let mut reservation = Reservation::new(3 * page).unwrap();
        reservation.commit(..).unwrap();
        reservation.decommit(page..2 * page).unwrap();
        reservation.commit(..).unwrap();
        reservation
    });
    let Some(reservation) = reservation else {
        return;
    };
    for number in [-1, 3] {
        let guard = page_of(&reservation, number);
        assert_eq!(permissions(guard), Permissions::PRIVATE);
        assert!(!can_be_read(guard));
    }
    assert_committed(&reservation, &[0, 1, 2]);
}

/// An error names its bytes, from the start of the reservation.
#[test]
fn errors_name_the_place() {
    let page = page_size();
    let mut reservation = pages(6, &[1]);
    let third = page_of(&reservation, 3);
    let error = refusing(SYS_MPROTECT, third, ENOMEM, || {
        reservation.commit(3 * page..5 * page).unwrap_err()
    });
    let Some(error) = error else { return };
    assert!(is_memory_limit(error.reason()), "{error}");
    let text = error.to_string();
    let place = format!(
        "mprotect of {} bytes at {}: Cannot allocate memory (",
        2 * page,
        3 * page
    );
    assert!(text.starts_with(&place), "{text}");
    let error = refusing(SYS_MPROTECT, page_of(&reservation, 1), ENOMEM, || {
        reservation.decommit(page..2 * page).unwrap_err()
    });
    assert_eq!(
        error.unwrap().to_string(),
        format!("mprotect of {page} bytes at {page}: Cannot allocate memory")
    );
}
