//! Reservations of a process that has asked for all memory to be locked, in children: one test.
// Emscripten enforces no protections: nothing can be reserved there.
#![cfg(not(target_os = "emscripten"))]

use libc::{EAGAIN, ENOMEM, MCL_FUTURE};
use tests::kernel::resident_size;
use tests::{can_be_read, in_a_child, lacks, limit_locked_memory, skip};
use unix_memory::reserve::{Reservation, ReservedVec};
use unix_memory::{Call, Reason, Stack, page_size};

const MIB: usize = 1 << 20;

/// Locks all future memory, or prints that it cannot.
fn lock_future(check: &str) -> bool {
    // SAFETY: the call takes flags.
    let locks = unsafe { libc::mlockall(MCL_FUTURE) } == 0;
    if !locks {
        skip(check, &std::io::Error::last_os_error().to_string());
    }
    locks
}

#[test]
fn all_memory_that_comes_is_locked() {
    let status = in_a_child(with_room);
    assert!(status.success(), "{status}");
    let status = in_a_child(at_the_limit);
    assert!(status.success(), "{status}");
}

fn with_room() {
    let check = "reservations of locked memory";
    if !lock_future(check) {
        return;
    }
    let Ok(mut reservation) = Reservation::new(64 * MIB) else {
        return skip(check, "too little may be locked");
    };
    let Some(before) = resident_size().get() else {
        return;
    };
    // (A kernel brings committed pages in at once; an emulator may not.)
    reservation.commit(..32 * MIB).unwrap();
    reservation.get_mut(..32 * MIB).unwrap().fill(7);
    assert!(resident_size().get().unwrap() >= before + 30 * MIB);
    reservation.decommit(MIB..32 * MIB).unwrap();
    reservation.commit(..2 * MIB).unwrap();
    let bytes = reservation.get(..2 * MIB).unwrap();
    assert!(bytes[..MIB].iter().all(|&byte| byte == 7));
    assert!(bytes[MIB..].iter().all(|&byte| byte == 0));
    let guard = reservation.as_ptr().wrapping_sub(1);
    assert!(!can_be_read(guard));

    let mut vec: ReservedVec<u64> = ReservedVec::with_max_capacity(MIB).unwrap();
    vec.extend(0..100_000);
    vec.truncate(1);
    vec.shrink_to_fit().unwrap();
    vec.extend(1..100_000);
    assert!(vec.iter().copied().eq(0..100_000));

    let stack = Stack::new(64 << 10).unwrap();
    assert!(!can_be_read(stack.limit().as_ptr()));
    assert!(!can_be_read(stack.bottom().as_ptr().wrapping_sub(1)));
}

fn at_the_limit() {
    let check = "the limit on locked memory of a reservation";
    if let Err(error) = limit_locked_memory(4 * MIB as u64) {
        return skip(check, &error.to_string());
    }
    let reports_locks = cfg!(target_os = "linux") && !lacks::own_process("what is locked");
    // With the privilege, there is no limit.
    // SAFETY: the call takes a number; this process has no other thread.
    let _not_root = unsafe { libc::setuid(65534) };
    if !lock_future(check) {
        return;
    }
    let Err(error) = Reservation::new(256 * MIB) else {
        return skip(check, "the system does not keep to it");
    };
    assert_eq!(error.call(), Call::Mmap);
    assert!([EAGAIN, ENOMEM].contains(&error.errno()), "{error}");
    assert!(ReservedVec::<u8>::with_max_capacity(256 * MIB).is_err());
    let of_stack = Stack::new(256 * MIB).unwrap_err();
    // Linux reports what is locked.
    if reports_locks {
        for error in [error, of_stack] {
            assert!(
                matches!(error.reason(), Reason::LockLimit { limit, .. } if limit == 4 * MIB as u64),
                "{error}"
            );
        }
    }
    let Ok(mut reservation) = Reservation::new(8 * page_size()) else {
        return skip(check, "not even a few pages may be locked");
    };
    reservation.commit(..).unwrap();
    reservation.get_mut(..).unwrap().fill(7);
    assert!(Reservation::new(256 * MIB).is_err());
    assert!(reservation.get(..).unwrap().iter().all(|&byte| byte == 7));
    reservation.decommit(..page_size()).unwrap();
    reservation.commit(..).unwrap();
    assert_eq!(
        reservation.get(page_size() - 1..=page_size()),
        Some(&[0, 7][..])
    );
}
