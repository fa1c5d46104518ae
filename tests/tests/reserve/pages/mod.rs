//! Reservations of a few pages, each filled with its number, and what is asked of them.

use tests::Permissions;
use tests::kernel::permissions_of_all;
use unix_memory::page_size;
use unix_memory::reserve::Reservation;

/// What may be done with committed pages.
const OPEN: Permissions = Permissions::PRIVATE
    .union(Permissions::READ)
    .union(Permissions::WRITE);

/// Page `number` of `reservation`, which need not be in it.
pub fn page_of(reservation: &Reservation, number: isize) -> *const u8 {
    let page = page_size().cast_signed();
    reservation.as_ptr().wrapping_offset(number * page)
}

/// Pages of which those in `committed` are, each filled with its number.
pub fn pages(count: usize, committed: &[usize]) -> Reservation {
    let page = page_size();
    let mut reservation = Reservation::new(count * page).unwrap();
    for &number in committed {
        let range = number * page..(number + 1) * page;
        reservation.commit(range.clone()).unwrap();
        let bytes = reservation.get_mut(range).unwrap();
        bytes.fill(u8::try_from(number).unwrap());
    }
    reservation
}

/// Whether `committed`, and no other pages, are: for the reservation, and for the kernel.
pub fn assert_committed(reservation: &Reservation, committed: &[usize]) {
    let page = page_size();
    let numbers = 0..reservation.len() / page;
    let is = |number: &usize| committed.contains(number);
    for number in numbers.clone() {
        let range = number * page..(number + 1) * page;
        assert_eq!(
            reservation.is_committed(range),
            is(&number),
            "page {number}"
        );
    }
    let address = |number: usize| page_of(reservation, number.cast_signed());
    let addresses: Vec<_> = numbers.clone().map(address).collect();
    let expected = numbers.map(|number| {
        if is(&number) {
            OPEN
        } else {
            Permissions::PRIVATE
        }
    });
    assert_eq!(permissions_of_all(&addresses), expected.collect::<Vec<_>>());
    assert_eq!(reservation.committed_bytes(), committed.len() * page);
}

/// The page, if it is committed, holds `byte` everywhere.
pub fn holds(reservation: &Reservation, number: usize, byte: u8) -> bool {
    let page = page_size();
    let bytes = reservation.get(number * page..(number + 1) * page);
    bytes.unwrap().iter().all(|&there| there == byte)
}
