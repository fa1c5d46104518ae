//! Atomics in a `SharedMapping`: where they may be, who sees them, and copies next to them.

use std::sync::atomic::{AtomicI8, AtomicU8, AtomicU16, AtomicU32, AtomicUsize, Ordering};

use libc::{EBUSY, EINVAL, ENOMEM};
use tests::seccomp::SYS_MMAP;
use tests::{kernel, lacks, limit_address_space};
use unix_memory::{
    Atomic, Call, MapOptions, ReadWrite, Reason, SharedMapping, SharedMemory, page_size,
};

/// The widest atomics that the target has, and those of half their size.
#[cfg(target_has_atomic = "64")]
mod sizes {
    pub use std::sync::atomic::{AtomicI64 as WideSigned, AtomicU32 as Half, AtomicU64 as Wide};
    pub type Number = u64;
}
#[cfg(not(target_has_atomic = "64"))]
mod sizes {
    pub use std::sync::atomic::{AtomicI32 as WideSigned, AtomicU16 as Half, AtomicU32 as Wide};
    pub type Number = u32;
}
use sizes::{Half, Number, Wide, WideSigned};

const WIDE: usize = size_of::<Wide>();
const HALF: usize = size_of::<Half>();

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
    assert!(anonymous(0).atomics::<Wide>(0, 0).unwrap().is_empty());
}

#[test]
fn alignment_is_that_of_the_address() {
    let mapping = anonymous(100);
    for offset in 0..8 {
        let aligned = offset % WIDE == 0;
        assert_eq!(mapping.atomic::<Wide>(16 + offset).is_ok(), aligned);
    }
    assert_eq!(
        refused::<AtomicU16>(&mapping, 1, 1),
        (EINVAL, Reason::Unaligned(2))
    );
    let error = mapping.atomic::<AtomicU32>(6).unwrap_err().to_string();
    assert_eq!(
        error,
        "atomics of 4 bytes at 6: Invalid argument (the address of byte 6 is not a multiple of 4)"
    );

    // A mapping may begin anywhere in a page: the address of its byte 3 is what counts.
    let file = tempfile::tempfile().unwrap();
    file.set_len(100).unwrap();
    let mapping = MapOptions::new()
        .offset(5)
        .map_private(&file, ReadWrite)
        .unwrap();
    assert!(mapping.atomic::<Wide>(0).is_err());
    let atomic = mapping.atomic::<Wide>(3).unwrap();
    atomic.store(Number::MAX, Ordering::Relaxed);
    let mut expected = [0; 12];
    expected[3..3 + WIDE].fill(0xff);
    assert_eq!(mapping.to_vec().unwrap()[..12], expected);
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten maps copies of files")]
fn bytes_keep_the_size_of_their_atomic() {
    let mapping = anonymous(3 * page_size());
    mapping.atomic::<Half>(8).unwrap();
    assert_eq!(refused::<Wide>(&mapping, 8, 1), (EBUSY, Reason::AtomicSize));
    let last = 8 + HALF - 1;
    assert_eq!(
        mapping.atomic::<AtomicU8>(last).unwrap_err().to_string(),
        format!(
            "atomics of 1 byte at {last}: Device or resource busy (atomics of another size are in \
             use at these bytes)"
        )
    );
    // Beside it, and in the same size, all is free; so is a refused slice's other part.
    assert!(mapping.atomics::<Wide>(0, 16 / WIDE).is_err());
    mapping.atomic::<AtomicU16>(12).unwrap();
    mapping.atomic::<AtomicU8>(14).unwrap();
    mapping.atomic::<AtomicI8>(14).unwrap();
    mapping.atomics::<AtomicU16>(0, 4).unwrap();
    mapping.atomics::<Wide>(16, 100).unwrap();
    mapping.atomics::<WideSigned>(16, 101).unwrap();
    assert!(mapping.atomics::<AtomicU32>(4, 4).is_err());
    if size_of::<usize>() == WIDE {
        mapping.atomic::<AtomicUsize>(16).unwrap();
    }

    // Another mapping, and this one after it was vouched for, start afresh.
    let mapping = mapping.protect(ReadWrite).unwrap();
    assert!(mapping.atomic::<Wide>(8).is_err());
    let file = tempfile::tempfile().unwrap();
    file.set_len(8).unwrap();
    let [one, two] = [(), ()].map(|()| MapOptions::new().map_shared(&file, ReadWrite).unwrap());
    let parts = one.atomics::<Wide>(0, 8 / WIDE).unwrap();
    for (part, bytes) in parts.iter().zip(b"in eight".chunks_exact(WIDE)) {
        let number = Number::from_ne_bytes(bytes.try_into().unwrap());
        part.store(number, Ordering::Relaxed);
    }
    let two = two.atomics::<AtomicU8>(0, 8).unwrap();
    let two: Vec<u8> = two
        .iter()
        .map(|byte| byte.load(Ordering::Relaxed))
        .collect();
    assert_eq!(two, b"in eight");
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no threads")]
fn one_size_wins_where_threads_ask_for_several() {
    for _ in 0..200 {
        let mapping = anonymous(64);
        let won = std::thread::scope(|scope| {
            let wide = scope.spawn(|| mapping.atomics::<Wide>(0, 64 / WIDE).is_ok());
            let half = scope.spawn(|| mapping.atomics::<Half>(0, 64 / HALF).is_ok());
            (wide.join().unwrap(), half.join().unwrap())
        });
        assert_ne!(won, (true, true));
    }
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no threads")]
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
// Only Linux resizes shared mappings.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_mapping_that_was_resized() {
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(100 * page as u64).unwrap();
    let mut mapping = MapOptions::new()
        .len(page)
        .map_shared(&file, ReadWrite)
        .unwrap();
    mapping.atomics::<Half>(0, page / HALF).unwrap();
    mapping.resize(100 * page).unwrap();
    let all = mapping.atomics::<Wide>(0, 100 * page / WIDE).unwrap();
    all[all.len() - 1].store(1, Ordering::Relaxed);
    assert!(mapping.atomic::<Half>(100 * page - WIDE).is_err());
}

/// How many bytes of addresses the process has. (If that is not reported, `lacks::own_process` prints so.)
fn address_space() -> usize {
    kernel::virtual_size().get().unwrap()
}

/// The longest mapping that there can be of a file that has no pages.
fn longest() -> SharedMapping<ReadWrite> {
    for shift in [46, 40, 36, 29] {
        let Some(len) = 1usize.checked_shl(shift) else {
            continue;
        };
        let memory = SharedMemory::unnamed(len as u64);
        if let Ok(mapping) = memory.and_then(|memory| memory.map(ReadWrite)) {
            return mapping;
        }
    }
    panic!("no room for 512 MiB");
}

/// Leaves 1 MiB of addresses beside those that the process has, where that is known.
fn leave_little_room() {
    if let Some(used) = kernel::virtual_size().get() {
        limit_address_space((used + (1 << 20)) as u64).unwrap();
    }
}

#[test]
fn a_long_mapping_takes_memory_where_it_is_claimed() {
    if lacks::own_process("the address space that claims take") {
        return;
    }
    let good = tests::is_true_in_a_child(|| {
        let mapping = longest();
        leave_little_room();
        let before = address_space();
        let last = mapping.len() - WIDE;
        for offset in [0, mapping.len() / 2, last] {
            let atomic = mapping.atomic::<Wide>(offset).unwrap();
            atomic.store(Number::MAX, Ordering::Relaxed);
            assert_eq!(
                refused::<Half>(&mapping, offset, 1),
                (EBUSY, Reason::AtomicSize)
            );
            assert!(mapping.atomic::<Wide>(offset).is_ok());
        }
        mapping.atomic::<Half>(last - WIDE).unwrap();
        let taken = address_space() - before;
        assert!(taken > 0 && taken < 1 << 20, "{taken} bytes");
        // No part of it is left behind.
        let len = mapping.len();
        drop(mapping);
        assert_eq!(address_space(), before - len);
        true
    });
    assert!(good);
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no processes")]
fn a_long_mapping_is_claimed_as_a_whole() {
    let good = tests::is_true_in_a_child(|| {
        let mapping = longest();
        leave_little_room();
        let len = mapping.len();
        mapping.atomic::<Half>(WIDE).unwrap();
        // What is beside it, and all at once.
        let count = len / WIDE - 2;
        assert_eq!(
            mapping.atomics::<Wide>(2 * WIDE, count).unwrap().len(),
            count
        );
        assert!(mapping.atomics::<Wide>(2 * WIDE, count).is_ok());
        assert!(mapping.atomics::<Wide>(0, len / WIDE).is_err());
        for offset in [2 * WIDE, len / 2, len - WIDE] {
            mapping.atomic::<Wide>(offset).unwrap();
            mapping.atomics::<Wide>(offset, 1).unwrap();
            assert!(mapping.atomic::<Half>(offset).is_err());
            assert!(mapping.atomics::<AtomicU8>(offset, WIDE).is_err());
        }
        assert!(mapping.atomic::<Wide>(WIDE).is_err());
        mapping.atomic::<Half>(WIDE).unwrap();
        mapping.atomic::<Wide>(0).unwrap();
        true
    });
    assert!(good);
}

/// Threads that make the same parts of the table at once leave none behind.
#[test]
fn what_threads_make_twice_is_unmapped() {
    const LEN: usize = 4 << 20;
    if lacks::own_process("the address space that claims take") {
        return;
    }
    let good = tests::is_true_in_a_child(|| {
        let round = || {
            let mapping = anonymous(LEN);
            let ready = AtomicUsize::new(0);
            let ask = |thread: usize| {
                ready.fetch_add(1, Ordering::Relaxed);
                while ready.load(Ordering::Relaxed) < 4 {
                    std::hint::spin_loop();
                }
                for offset in (0..LEN).step_by(LEN / 8) {
                    mapping.atomic::<Wide>(offset + thread * WIDE).unwrap();
                }
            };
            let ask = &ask;
            tests::in_threads((0..4).map(|thread| move || ask(thread)));
        };
        // The C library keeps stacks.
        round();
        let before = address_space();
        for _ in 0..tests::effort(200) {
            round();
        }
        let more = address_space().saturating_sub(before);
        assert!(more < 64 << 10, "{more} bytes");
        true
    });
    assert!(good);
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no threads")]
fn the_whole_or_a_part_wins_where_threads_ask_for_both() {
    const LEN: usize = 1 << 20;
    for round in 0..tests::effort(200) {
        let mapping = anonymous(LEN);
        let offset = round * (LEN / 256) % LEN;
        let won = std::thread::scope(|scope| {
            let whole = scope.spawn(|| mapping.atomics::<Wide>(0, LEN / WIDE).is_ok());
            let part = scope.spawn(|| mapping.atomic::<Half>(offset).is_ok());
            (whole.join().unwrap(), part.join().unwrap())
        });
        assert_ne!(won, (true, true));
        assert!(won.0 || won.1);
    }
}

#[test]
fn no_memory_to_remember_the_size() {
    if cfg!(target_arch = "s390x") {
        return tests::skip(
            "no memory for a table",
            "mmap has its arguments in memory here, where a filter does not look",
        );
    }
    // A page for a small one; for a larger one also a part of the table.
    for (len, refused) in [(page_size(), page_size()), (1 << 20, 64 << 10)] {
        let mapping = anonymous(len);
        let _or_skipped = tests::refusing_argument(SYS_MMAP, 1, refused as u64, ENOMEM, || {
            let error = mapping.atomic::<AtomicU32>(0).unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
            assert_eq!(
                error.to_string(),
                format!("mmap of {refused} bytes: Cannot allocate memory")
            );
        });
        // And nothing is broken by that.
        mapping.atomic::<AtomicU32>(0).unwrap();
        let other = anonymous(len);
        other.atomic::<AtomicU16>(0).unwrap();
        let done = tests::refusing_argument(SYS_MMAP, 1, refused as u64, ENOMEM, || {
            // The last part cannot be had: the first is not claimed either.
            let all = other.atomics::<AtomicU16>(8, (len - 10) / 2);
            assert_eq!(all.is_ok(), len == page_size());
        });
        if done.is_some() {
            assert_eq!(other.atomic::<AtomicU32>(8).is_ok(), len > page_size());
        }
    }
}
