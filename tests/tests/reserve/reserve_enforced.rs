//! Reservations and stacks where protections are enforced, and where they are not.

use libc::ENOSYS;
use unix_memory::reserve::{Reservation, ReservedVec};
use unix_memory::{Call, Protection, Reason, Stack};

#[test]
fn only_where_protections_are_enforced() {
    for error in [
        Reservation::new(1).err(),
        ReservedVec::<u8>::with_max_capacity(1).err(),
        Stack::new(1).err(),
    ] {
        assert_eq!(error.is_none(), Protection::is_enforced());
        if let Some(error) = error {
            assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOSYS));
            assert_eq!(error.reason(), Reason::NotEnforced);
        }
    }
}

#[test]
fn what_has_no_bytes_is_everywhere() {
    let mut reservation = Reservation::new(0).unwrap();
    reservation.commit(..).unwrap();
    assert_eq!(reservation.get(..), Some(&[][..]));
    let mut units: ReservedVec<()> = ReservedVec::with_max_capacity(0).unwrap();
    units.extend([(); 3]);
    assert_eq!(units.into_iter().count(), 3);
    let none: ReservedVec<u64> = ReservedVec::with_max_capacity(0).unwrap();
    assert_eq!(none.max_capacity(), 0);
}
