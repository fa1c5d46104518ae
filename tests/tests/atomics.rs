//! Atomics in a `SharedMapping`: where they may be, who sees them, what copies do beside them.

use std::sync::atomic::{
    AtomicI8, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};

use libc::{EBUSY, EINVAL, ENOMEM};
use tests::seccomp::SYS_MMAP;
use unix_memory::{Atomic, Call, MapOptions, ReadWrite, Reason, SharedMapping, page_size};

fn anonymous(len: usize) -> SharedMapping<ReadWrite> {
    MapOptions::new()
        .len(len)
        .map_anonymous_shared(ReadWrite)
        .unwrap()
}

/// The error of asking for `count` of them at `offset`.
fn refused<T: Atomic>(
    mapping: &SharedMapping<ReadWrite>,
    offset: usize,
    count: usize,
) -> (i32, Reason) {
    let Err(error) = mapping.atomics::<T>(offset, count) else {
        panic!("{count} atomics at {offset} were not refused");
    };
    assert_eq!(error.call(), Call::Atomics);
    (error.errno(), error.reason())
}

#[test]
fn bounds() {
    let mapping = anonymous(100);
    for (offset, count) in [
        (100, 1),
        (96, 2),
        (97, 1),
        (101, 0),
        (usize::MAX, 1),
        (0, usize::MAX),
        (usize::MAX - 3, usize::MAX),
        (4, usize::MAX / 4 + 1),
    ] {
        assert_eq!(
            refused::<AtomicU32>(&mapping, offset, count),
            (EINVAL, Reason::MappingLength(100))
        );
    }
    assert_eq!(mapping.atomics::<AtomicU32>(0, 25).unwrap().len(), 25);
    assert!(mapping.atomics::<AtomicU32>(100, 0).unwrap().is_empty());
    assert!(anonymous(0).atomics::<AtomicU64>(0, 0).unwrap().is_empty());
}

#[test]
fn alignment_is_that_of_the_address() {
    let mapping = anonymous(100);
    for offset in 0..8 {
        let expect = |size: usize| offset % size == 0;
        assert_eq!(mapping.atomic::<AtomicU64>(16 + offset).is_ok(), expect(8));
    }
    assert_eq!(
        refused::<AtomicU16>(&mapping, 1, 1),
        (EINVAL, Reason::Unaligned(2))
    );
    let error = mapping.atomic::<AtomicU32>(6).unwrap_err().to_string();
    assert_eq!(
        error,
        "atomics of 4 bytes at 6: Invalid argument (it must be a multiple of 4)"
    );

    // A mapping may begin anywhere in a page: the address of its byte 3 is what counts.
    let file = tempfile::tempfile().unwrap();
    file.set_len(100).unwrap();
    let mapping = MapOptions::new()
        .offset(5)
        .map_shared(&file, ReadWrite)
        .unwrap();
    assert!(mapping.atomic::<AtomicU64>(0).is_err());
    let atomic = mapping.atomic::<AtomicU64>(3).unwrap();
    atomic.store(u64::MAX, Ordering::Relaxed);
    assert_eq!(
        mapping.to_vec().unwrap()[..12],
        *b"\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0"
    );
}

#[test]
fn bytes_keep_the_size_of_their_atomic() {
    let mapping = anonymous(3 * page_size());
    mapping.atomic::<AtomicU32>(8).unwrap();
    assert_eq!(
        refused::<AtomicU64>(&mapping, 8, 1),
        (EBUSY, Reason::AtomicSize)
    );
    assert_eq!(
        mapping.atomic::<AtomicU8>(11).unwrap_err().to_string(),
        "atomics of 1 bytes at 11: Device or resource busy (atomics of another size are in use \
         there)"
    );
    // Beside it, and in the same size, all is free; so is a refused slice's other part.
    assert!(mapping.atomics::<AtomicU64>(0, 2).is_err());
    mapping.atomic::<AtomicU16>(12).unwrap();
    mapping.atomic::<AtomicU8>(14).unwrap();
    mapping.atomic::<AtomicI8>(14).unwrap();
    mapping.atomics::<AtomicU16>(0, 4).unwrap();
    mapping.atomics::<AtomicU64>(16, 100).unwrap();
    mapping.atomics::<AtomicI64>(16, 101).unwrap();
    assert!(mapping.atomics::<AtomicU32>(4, 4).is_err());
    if size_of::<usize>() == 8 {
        mapping.atomic::<AtomicUsize>(16).unwrap();
    }

    // Another mapping, and this one once it was vouched for, start anew.
    let mapping = mapping.protect(ReadWrite).unwrap();
    assert!(mapping.atomic::<AtomicU64>(8).is_err());
    let file = tempfile::tempfile().unwrap();
    file.set_len(8).unwrap();
    let [one, two] = [(), ()].map(|()| MapOptions::new().map_shared(&file, ReadWrite).unwrap());
    one.atomic::<AtomicU64>(0)
        .unwrap()
        .store(u64::from_ne_bytes(*b"in eight"), Ordering::Relaxed);
    let two = two.atomics::<AtomicU8>(0, 8).unwrap();
    let two: Vec<u8> = two
        .iter()
        .map(|byte| byte.load(Ordering::Relaxed))
        .collect();
    assert_eq!(two, b"in eight");
}

#[test]
fn one_size_wins_where_threads_ask_for_several() {
    for _ in 0..200 {
        let mapping = anonymous(64);
        let won = std::thread::scope(|scope| {
            let eight = scope.spawn(|| mapping.atomics::<AtomicU64>(0, 8).is_ok());
            let four = scope.spawn(|| mapping.atomics::<AtomicU32>(0, 16).is_ok());
            (eight.join().unwrap(), four.join().unwrap())
        });
        assert_ne!(won, (true, true));
    }
}

#[test]
fn counting_in_threads_while_others_copy() {
    const ROUNDS: u32 = 20_000;
    let mapping = anonymous(page_size());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let counter = mapping.atomic::<AtomicU32>(4).unwrap();
                for _ in 0..ROUNDS {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Copies of the bytes around it, and of it, disturb nothing.
        scope.spawn(|| {
            let mut bytes = [0; 12];
            for round in 0..ROUNDS {
                mapping.write_at(1, &round.to_ne_bytes()[..3]).unwrap();
                mapping.write_at(8, &round.to_ne_bytes()).unwrap();
                mapping.read_at(0, &mut bytes).unwrap();
                assert_eq!(bytes[8..], round.to_ne_bytes());
            }
        });
    });
    let count = mapping.atomic::<AtomicU32>(4).unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 2 * ROUNDS);
}

/// The claims are on the mapping as it is: what it becomes has none, and room for its own.
#[test]
fn a_mapping_that_was_resized() {
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(100 * page as u64).unwrap();
    let mut mapping = MapOptions::new()
        .len(page)
        .map_shared(&file, ReadWrite)
        .unwrap();
    mapping.atomics::<AtomicU32>(0, page / 4).unwrap();
    mapping.resize(100 * page).unwrap();
    let all = mapping.atomics::<AtomicU64>(0, 100 * page / 8).unwrap();
    all[all.len() - 1].store(1, Ordering::Relaxed);
    assert!(mapping.atomic::<AtomicU32>(100 * page - 8).is_err());
}

#[test]
fn no_memory_to_remember_the_size() {
    let mapping = anonymous(page_size());
    // The length in bytes of the table: its own length first, then two for each eight.
    let len = size_of::<usize>() + page_size() / 4;
    let _or_skipped = tests::refusing_argument(SYS_MMAP, 1, len as u64, ENOMEM, || {
        let error = mapping.atomic::<AtomicU32>(0).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
    });
    // And nothing is broken by that.
    mapping.atomic::<AtomicU32>(0).unwrap();
}
