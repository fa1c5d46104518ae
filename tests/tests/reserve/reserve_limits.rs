//! What limits a process can have on addresses and data: each in a child.
// Emscripten enforces no protections: nothing can be reserved there.
#![cfg(not(target_os = "emscripten"))]

use libc::ENOMEM;
use tests::kernel::resident_size;
use tests::{in_a_child, is_memory_limit, limit_address_space, limit_data, skip};
use unix_memory::reserve::{Reservation, ReservedVec};
use unix_memory::{Call, Mapping};

const MIB: usize = 1 << 20;

/// Whether the system keeps to a limit on data, of `bytes`, that the calling process has from now on.
fn limits_data(bytes: u64) -> bool {
    if let Err(error) = limit_data(bytes) {
        skip("a limit on data", &error.to_string());
        return false;
    }
    if Mapping::anonymous(4 * usize::try_from(bytes).unwrap()).is_ok() {
        skip("a limit on data", "it does not count private memory here");
        return false;
    }
    true
}

#[test]
fn the_limit_on_addresses_is_that_of_reserving() {
    let status = in_a_child(|| {
        let mut reservation = Reservation::new(256 * MIB).unwrap();
        let mut vec: ReservedVec<u8> = ReservedVec::with_max_capacity(64 * MIB).unwrap();
        // No more addresses than there are, but for a little.
        if let Err(error) = limit_address_space(1 << 20) {
            return skip("a limit on addresses", &error.to_string());
        }
        let Err(error) = Reservation::new(256 * MIB) else {
            return skip("a limit on addresses", "an emulator does not keep to it");
        };
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
        assert!(is_memory_limit(error.reason()), "{error}");
        assert!(ReservedVec::<u64>::with_max_capacity(32 * MIB).is_err());
        // What is reserved can be committed all the same.
        reservation.commit(..).unwrap();
        reservation.get_mut(..MIB).unwrap().fill(1);
        vec.extend((0..MIB).map(|_| 2));
        assert!(vec.len() == MIB && vec.iter().all(|&byte| byte == 2));
    });
    assert!(status.success(), "{status}");
}

#[test]
fn the_limit_on_data_is_that_of_committing() {
    let status = in_a_child(|| {
        let mut reservation = Reservation::new(1024 * MIB).unwrap();
        let mut vec: ReservedVec<u8> = ReservedVec::with_max_capacity(1024 * MIB).unwrap();
        reservation.commit(..MIB).unwrap();
        reservation.get_mut(..MIB).unwrap().fill(1);
        vec.extend((0..MIB).map(|_| 2));
        if !limits_data(128 * MIB as u64) {
            return;
        }
        // To reserve is no data.
        assert!(Reservation::new(1024 * MIB).is_ok());
        let error = reservation.commit(..).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
        assert!(is_memory_limit(error.reason()), "{error}");
        assert!(reservation.committed().eq(std::iter::once(0..MIB)));
        assert!(reservation.get(..).is_none());
        let bytes = reservation.get(..MIB).unwrap();
        assert!(bytes.iter().all(|&byte| byte == 1));

        let (len, capacity) = (vec.len(), vec.capacity());
        let error = vec.try_reserve(512 * MIB).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
        assert_eq!((vec.len(), vec.capacity()), (len, capacity));
        // A part of it may still be had: up to what the limit leaves, one by one.
        let mut pushed = len;
        let refused = loop {
            match vec.try_push(3) {
                Ok(()) => pushed += 1,
                Err(failed) => break failed.into_parts(),
            }
        };
        assert_eq!((refused.0.errno(), refused.1), (ENOMEM, 3));
        assert_eq!(vec.len(), pushed);
        assert!(pushed > 32 * MIB, "{pushed}");
        assert!(vec[..MIB].iter().all(|&byte| byte == 2));
        assert!(vec[MIB..].iter().all(|&byte| byte == 3));
        // What goes back can be had again.
        vec.clear();
        vec.shrink_to_fit().unwrap();
        reservation.commit(..32 * MIB).unwrap();
        assert_eq!(reservation.get(MIB - 1..=MIB), Some(&[1, 0][..]));
    });
    assert!(status.success(), "{status}");
}

#[test]
fn memory_comes_when_it_is_used_and_goes_when_it_is_decommitted() {
    let status = in_a_child(|| {
        let resident = || resident_size().get();
        let Some(before) = resident() else { return };
        let mut reservation = Reservation::new(512 * MIB).unwrap();
        reservation.commit(..).unwrap();
        let committed = resident().unwrap();
        assert!(committed < before + 16 * MIB, "{before} {committed}");
        reservation.get_mut(..64 * MIB).unwrap().fill(1);
        let used = resident().unwrap();
        assert!(used >= before + 60 * MIB, "{before} {used}");
        reservation.decommit(..).unwrap();
        let after = resident().unwrap();
        assert!(after < before + 16 * MIB, "{before} {after}");

        let mut vec: ReservedVec<u64> = ReservedVec::with_max_capacity(64 * MIB).unwrap();
        vec.extend(0..8 * MIB as u64);
        assert!(resident().unwrap() >= before + 60 * MIB);
        vec.truncate(10);
        vec.shrink_to_fit().unwrap();
        assert!(resident().unwrap() < before + 16 * MIB);
        assert!(vec.iter().copied().eq(0..10));
    });
    assert!(status.success(), "{status}");
}
