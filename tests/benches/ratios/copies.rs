//! Bytes out of and into shared memory, by size.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::FileExt;

use unix_memory::{MapOptions, Mapping, Mechanism, ReadWrite, SharedMapping};

use crate::contest::{Contests, Way};

const SIZES: [usize; 6] = [8, 64, 512, 4 << 10, 64 << 10, 1 << 20];

/// A file of a mebibyte, mapped twice and brought in: as it is, and as if nobody else had it.
struct Mapped {
    file: File,
    shared: SharedMapping<ReadWrite>,
    unshared: Mapping<ReadWrite>,
}

fn mapped() -> Mapped {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![1; 1 << 20]).unwrap();
    let map = || MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    let (shared, other) = (map(), map());
    for mapping in [&shared, &other] {
        mapping.populate_write().unwrap();
    }
    Mapped {
        // SAFETY: the file has no name, and what this thread reads by one mapping it does not write by the
        // other meanwhile.
        unshared: unsafe { other.assume_unshared() },
        file,
        shared,
    }
}

/// Before the handler is installed.
pub fn by_the_kernel(contests: &Contests) {
    if !contests.has("bytes read, by the kernel") {
        return;
    }
    let Mapped {
        file,
        shared,
        unshared,
    } = mapped();
    for size in SIZES {
        let [mut a, mut b, mut c, mut d] = [0; 4].map(|_| vec![0; size]);
        contests.run(
            "bytes read, by the kernel",
            Some(size as u64),
            vec![
                Way::new("memcpy", || {
                    black_box(&mut a).copy_from_slice(&unshared[..size]);
                }),
                Way::new("pread", || {
                    file.read_exact_at(black_box(&mut b), 0).unwrap();
                }),
                Way::new("read_at", || shared.read_at(0, black_box(&mut c)).unwrap()),
                Way::new("by a pipe", || {
                    let buffer = black_box(&mut d);
                    shared.read_at_with(Mechanism::Pipe, 0, buffer).unwrap();
                }),
            ],
        );
    }
}

pub fn by_the_handler(contests: &Contests) {
    let Mapped {
        file,
        shared,
        mut unshared,
    } = mapped();
    for size in SIZES {
        let at = Some(size as u64);
        let [mut copied, mut read, mut ours, bytes] = [3; 4].map(|byte| vec![byte; size]);
        if contests.has("bytes read, by the handler") {
            contests.run(
                "bytes read, by the handler",
                at,
                vec![
                    Way::new("memcpy", || {
                        black_box(&mut copied).copy_from_slice(&unshared[..size]);
                    }),
                    Way::new("pread", || {
                        file.read_exact_at(black_box(&mut read), 0).unwrap();
                    }),
                    Way::new("read_at", || {
                        shared.read_at(0, black_box(&mut ours)).unwrap();
                    }),
                ],
            );
        }
        if contests.has("bytes written, by the handler") {
            let unshared = &mut unshared;
            contests.run(
                "bytes written, by the handler",
                at,
                vec![
                    Way::new("memcpy", || {
                        unshared[..size].copy_from_slice(black_box(&bytes));
                    }),
                    Way::new("pwrite", || {
                        file.write_all_at(black_box(&bytes), 0).unwrap();
                    }),
                    Way::new("write_at", || {
                        shared.write_at(0, black_box(&bytes)).unwrap();
                    }),
                ],
            );
        }
        if contests.has("bytes compared, by the handler") {
            shared.write_at(0, &bytes).unwrap();
            contests.run(
                "bytes compared, by the handler",
                at,
                vec![
                    Way::new("memcmp", || {
                        assert!(black_box(&unshared[..size]) == black_box(&bytes));
                    }),
                    Way::new("eq_at", || {
                        assert!(shared.eq_at(0, black_box(&bytes)).unwrap());
                    }),
                ],
            );
        }
        if contests.has("bytes filled, by the handler") {
            let unshared = &mut unshared;
            contests.run(
                "bytes filled, by the handler",
                at,
                vec![
                    Way::new("memset", || {
                        black_box(&mut unshared[..size]).fill(black_box(4));
                    }),
                    Way::new("fill", || shared.fill(..size, black_box(4)).unwrap()),
                ],
            );
        }
    }
}
