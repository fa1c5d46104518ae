//! Memory that others may change: copies, atomics, rings.

use std::hint::black_box;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};

use ringbuf::traits::{Consumer as _, Producer as _, Split};
use unix_memory::ring::{SharedRing, pair};
use unix_memory::{Cursor, MapOptions, ReadWrite, SharedMapping, install_fault_handler, page_size};

use crate::operation::operations;

/// A page that children share.
fn page() -> SharedMapping<ReadWrite> {
    let options = MapOptions::new().len(page_size());
    options.map_anonymous_shared(ReadWrite).unwrap()
}

operations! {
    /// Those of memory that others may change.
    "8 bytes read" => {
        "libc (pread)" => |n| {
            let file = tempfile::tempfile().unwrap();
            file.set_len(4096).unwrap();
            let mut buffer = [0_u8; 8];
            for _ in 0..n {
                let (to, fd) = (black_box(&mut buffer).as_mut_ptr().cast(), file.as_raw_fd());
                // SAFETY: there is room for so many bytes.
                assert_eq!(unsafe { libc::pread(fd, to, 8, 8) }, 8);
            }
        },
        "unix-memory, by the handler" => |n| {
            install_fault_handler().unwrap();
            let mapping = page();
            let mut buffer = [0; 8];
            for _ in 0..n {
                mapping.read_at(black_box(8), black_box(&mut buffer)).unwrap();
            }
        },
        "unix-memory, by the kernel" => |n| {
            let mapping = page();
            let mut buffer = [0; 8];
            for _ in 0..n {
                mapping.read_at(black_box(8), black_box(&mut buffer)).unwrap();
            }
        },
    },
    "8 bytes compared" => {
        "memcmp" => |n| {
            let bytes = [1_u8; 64];
            for _ in 0..n {
                black_box(black_box(&bytes[8..16]) == black_box(&[1_u8; 8][..]));
            }
        },
        "unix-memory, by the handler" => |n| {
            install_fault_handler().unwrap();
            let mapping = page();
            for _ in 0..n {
                black_box(mapping.eq_at(black_box(8), black_box(&[0; 8])).unwrap());
            }
        },
    },
    "64 bytes by the cursor" => {
        "unix-memory, by the handler" => |n| {
            install_fault_handler().unwrap();
            let options = MapOptions::new().len(64 * n);
            let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
            let mut cursor = Cursor::new(&mapping);
            let mut buffer = [0; 64];
            for _ in 0..n {
                std::io::Read::read_exact(&mut cursor, black_box(&mut buffer)).unwrap();
            }
        },
        "unix-memory, by the kernel" => |n| {
            let options = MapOptions::new().len(64 * n);
            let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
            let mut cursor = Cursor::new(&mapping);
            let mut buffer = [0; 64];
            for _ in 0..n {
                std::io::Read::read_exact(&mut cursor, black_box(&mut buffer)).unwrap();
            }
        },
    },
    "an atomic of the mapping added to" => {
        "a kept reference" => |n| {
            let mapping = page();
            let atomic: &AtomicU64 = mapping.atomic(8).unwrap();
            for _ in 0..n {
                black_box(atomic).fetch_add(1, Ordering::Relaxed);
            }
        },
        "unix-memory" => |n| {
            let mapping = page();
            for _ in 0..n {
                let atomic: &AtomicU64 = black_box(&mapping).atomic(8).unwrap();
                atomic.fetch_add(1, Ordering::Relaxed);
            }
        },
    },
    "1,000 atomics as a slice" => {
        "unix-memory" => |n| {
            let options = MapOptions::new().len(8000);
            let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
            for _ in 0..n {
                let atomics: &[AtomicU64] = black_box(&mapping).atomics(0, 1000).unwrap();
                black_box(atomics);
            }
        },
    },
    "16 bytes through a ring" => {
        "ringbuf" => |n| {
            let (mut producer, mut consumer) = ringbuf::HeapRb::<u8>::new(65536).split();
            let mut buffer = [0; 16];
            for _ in 0..n {
                assert_eq!(producer.push_slice(black_box(&[1; 16])), 16);
                assert_eq!(consumer.pop_slice(black_box(&mut buffer)), 16);
            }
        },
        "rtrb" => |n| {
            let (mut producer, mut consumer) = rtrb::RingBuffer::<u8>::new(65536);
            let mut buffer = [0; 16];
            for _ in 0..n {
                producer.push_entire_slice(black_box(&[1; 16])).unwrap();
                consumer.pop_entire_slice(black_box(&mut buffer)).unwrap();
            }
        },
        "unix-memory, pair" => |n| {
            let (mut producer, mut consumer) = pair(65536).unwrap();
            let mut buffer = [0; 16];
            for _ in 0..n {
                assert_eq!(producer.push_slice(black_box(&[1; 16])), 16);
                assert_eq!(consumer.pop_slice(black_box(&mut buffer)), 16);
            }
        },
        "unix-memory, shared" => |n| {
            install_fault_handler().unwrap();
            let ring = SharedRing::create(65536).unwrap();
            let other = SharedRing::open(&ring).unwrap();
            let mut producer = ring.into_producer().unwrap();
            let mut consumer = other.into_consumer().unwrap();
            let mut buffer = [0; 16];
            for _ in 0..n {
                assert_eq!(producer.push_slice(black_box(&[1; 16])).unwrap(), 16);
                assert_eq!(consumer.pop_slice(black_box(&mut buffer)).unwrap(), 16);
            }
        },
    },
    "a ring made and dropped" => {
        "unix-memory, pair" => |n| for _ in 0..n {
            drop(black_box(pair(4096).unwrap()));
        },
        "unix-memory, shared" => |n| for _ in 0..n {
            drop(black_box(SharedRing::create(4096).unwrap()));
        },
    },
}
