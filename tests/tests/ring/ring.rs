//! Rings: their memory, their ends, peers that lie.
// Emscripten maps nothing at a given address, so it has no rings.
#![cfg(not(target_os = "emscripten"))]

use std::collections::VecDeque;
use std::io::{BufRead, ErrorKind, Read, Write};

use libc::{EINVAL, ENOMEM};
use proptest::prelude::*;
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tests::{Permissions, effort, kernel};
use unix_memory::ring::{Consumer, Producer, SharedRing, pair};
use unix_memory::{Call, Reason, page_size};

assert_impl_all!(Producer: Send, Sync, Write);
assert_impl_all!(Consumer: Send, Sync, Read, BufRead);
assert_not_impl_any!(Producer: Clone);
assert_not_impl_any!(Consumer: Clone);

#[test]
fn the_bytes_are_mapped_twice_in_a_row() {
    let (mut producer, _consumer) = pair(3 * page_size()).unwrap();
    let capacity = producer.capacity();
    let start = producer.slot().as_ptr();
    let Some(maps) = kernel::maps_of_file_at(start).get() else {
        return;
    };
    let start = start.addr();
    let [first, second] = &*maps else {
        panic!("{maps:?}");
    };
    assert_eq!(first.addresses.end, second.addresses.start);
    assert_eq!(first.addresses.end, start + capacity);
    assert_eq!(second.addresses.end, start + 2 * capacity);
    // The second has not got the header.
    assert_eq!(second.offset, (start - first.addresses.start) as u64);
    for map in maps {
        let expected = Permissions::READ | Permissions::WRITE | Permissions::SHARED;
        assert_eq!(map.permissions, expected);
    }
}

#[test]
fn what_is_written_over_the_seam_is_in_one_piece() {
    let (mut producer, mut consumer) = pair(1).unwrap();
    let capacity = producer.capacity();
    assert!(producer.push_slice(&vec![0; capacity - 3]) == capacity - 3);
    consumer.available();
    consumer.consume(capacity - 3).unwrap();

    let slot = producer.slot();
    assert_eq!(slot.len(), capacity);
    let at = slot.as_ptr().addr();
    slot[..10].copy_from_slice(b"0123456789");
    producer.commit(10).unwrap();
    let available = consumer.available();
    assert_eq!(available, b"0123456789");
    assert_eq!(available.as_ptr().addr(), at);
    consumer.consume(3).unwrap();
    // The rest of it lies at the start of the ring.
    assert_eq!(consumer.available(), b"3456789");
    assert_eq!(consumer.available().as_ptr().addr(), at + 3 - capacity);
}

#[test]
fn capacities_are_rounded_up() {
    for (asked, pages) in [
        (0, 1),
        (1, 1),
        (page_size(), 1),
        (page_size() + 1, 2),
        (5 * page_size(), 5),
    ] {
        let (producer, consumer) = pair(asked).unwrap();
        assert_eq!(producer.capacity(), consumer.capacity());
        assert!(producer.capacity() >= pages * page_size());
        if cfg!(target_arch = "x86_64") {
            assert_eq!(producer.capacity(), pages * page_size());
        }
        assert_eq!(producer.capacity() % page_size(), 0);
    }
}

#[test]
fn capacities_beyond_the_address_space_are_refused() {
    for asked in [usize::MAX, usize::MAX / 2, isize::MAX.unsigned_abs() / 2] {
        for error in [
            pair(asked).unwrap_err(),
            SharedRing::create(asked).unwrap_err(),
        ] {
            assert_eq!((error.call(), error.errno()), (Call::Ring, ENOMEM));
            assert!(
                matches!(error.reason(), Reason::LengthLimit(most) if most < asked),
                "{error}"
            );
        }
    }
    // One that only the kernel can refuse: too much for most processes, but not for one of 32 bits
    // to which a 64-bit kernel gives nearly 4 GiB, nor where there are addresses of all 64 bits.
    let asked = isize::MAX.unsigned_abs() / 4;
    match pair(asked) {
        Ok((producer, _)) => {
            assert_eq!(producer.capacity(), asked + 1);
            tests::skip("no room for a ring", "this process has addresses for it");
        }
        Err(error) => assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM)),
    }
}

#[test]
fn more_than_there_is_is_refused_and_changes_nothing() {
    let (mut producer, mut consumer) = pair(1).unwrap();
    let capacity = producer.capacity();
    let error = producer.commit(capacity + 1).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Commit, EINVAL));
    assert_eq!(error.reason(), Reason::RingBytes(capacity));
    assert_eq!(
        error.to_string(),
        format!(
            "commit of {} bytes: Invalid argument (this end has {capacity} bytes)",
            capacity + 1
        )
    );
    assert!(producer.commit(usize::MAX).is_err());
    assert!(consumer.available().is_empty());
    assert_eq!(
        consumer.consume(1).unwrap_err().reason(),
        Reason::RingBytes(0)
    );

    assert_eq!(producer.push_slice(&vec![7; capacity + 10]), capacity);
    assert_eq!(producer.push_slice(b"full"), 0);
    assert!(producer.slot().is_empty());
    assert!(producer.commit(1).is_err());
    assert_eq!(consumer.available(), vec![7; capacity]);
    let error = consumer.consume(capacity + 1).unwrap_err();
    assert_eq!(
        (error.call(), error.reason()),
        (Call::Consume, Reason::RingBytes(capacity))
    );
    consumer.consume(capacity).unwrap();
    assert!(consumer.available().is_empty());
    consumer.consume(0).unwrap();
    producer.commit(0).unwrap();
    assert_eq!(producer.slot().len(), capacity);
}

/// What is done to a ring, and to a queue that should behave alike. Lengths are in parts of a
/// thousand of the capacity, so that they come to the seam soon.
#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Slot(usize),
    Pop(usize),
    Consume(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let length = 0usize..1300;
    let step = prop_oneof![
        length.clone().prop_map(Step::Push),
        length.clone().prop_map(Step::Slot),
        length.clone().prop_map(Step::Pop),
        length.prop_map(Step::Consume),
    ];
    prop::collection::vec(step, 1..effort(60).max(12))
}

/// Bytes that are never the same for long.
struct Source(u32);

impl Source {
    fn take(&mut self, len: usize) -> Vec<u8> {
        (0..len)
            .map(|_| {
                self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                self.0.to_be_bytes()[0]
            })
            .collect()
    }
}

proptest! {
    #[test]
    fn like_a_queue(pages in 1usize..4, steps in steps()) {
        let (mut producer, mut consumer) = pair(pages * page_size()).unwrap();
        let capacity = producer.capacity();
        let mut queue: VecDeque<u8> = VecDeque::new();
        let mut source = Source(1);
        for step in steps {
            match step {
                Step::Push(length) => {
                    let bytes = source.take(length * capacity / 1000);
                    let n = producer.push_slice(&bytes);
                    prop_assert_eq!(n, bytes.len().min(capacity - queue.len()));
                    queue.extend(&bytes[..n]);
                }
                Step::Slot(length) => {
                    let slot = producer.slot();
                    prop_assert_eq!(slot.len(), capacity - queue.len());
                    let bytes = source.take(slot.len().min(length * capacity / 1000));
                    slot[..bytes.len()].copy_from_slice(&bytes);
                    producer.commit(bytes.len()).unwrap();
                    queue.extend(bytes);
                }
                Step::Pop(length) => {
                    let mut buffer = vec![0; length * capacity / 1000];
                    let n = consumer.pop_slice(&mut buffer);
                    prop_assert_eq!(n, buffer.len().min(queue.len()));
                    prop_assert!(queue.drain(..n).eq(buffer[..n].iter().copied()));
                }
                Step::Consume(length) => {
                    let available = consumer.available();
                    prop_assert_eq!(&*queue.make_contiguous(), available);
                    let n = available.len().min(length * capacity / 1000);
                    consumer.consume(n).unwrap();
                    queue.drain(..n);
                }
            }
        }
    }
}

#[test]
fn threads_pass_everything_in_order() {
    let total = effort(20 << 20);
    let (mut producer, mut consumer) = pair(3 * page_size()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut sent = 0;
            while sent < total {
                let slot = producer.slot();
                let n = slot.len().min(total - sent).min(sent % 997 + 1);
                for (i, byte) in slot[..n].iter_mut().enumerate() {
                    *byte = ((sent + i) % 251).to_le_bytes()[0];
                }
                if n == 0 {
                    std::thread::yield_now();
                }
                producer.commit(n).unwrap();
                sent += n;
            }
        });
        let mut received = 0;
        while received < total {
            let available = consumer.available();
            let n = available.len().min(received % 1009 + 1);
            for (i, byte) in available[..n].iter().enumerate() {
                assert_eq!(
                    usize::from(*byte),
                    (received + i) % 251,
                    "at {}",
                    received + i
                );
            }
            if n == 0 {
                std::thread::yield_now();
            }
            consumer.consume(n).unwrap();
            received += n;
        }
        while !consumer.is_closed() {
            std::thread::yield_now();
        }
        assert!(consumer.available().is_empty());
    });
}

#[test]
fn as_streams() {
    let (mut producer, mut consumer) = pair(1).unwrap();
    let capacity = producer.capacity();
    let mut buffer = [0; 10];
    assert_eq!(
        consumer.read(&mut buffer).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    assert_eq!(consumer.read(&mut []).unwrap(), 0);
    assert_eq!(
        consumer.fill_buf().unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    assert_eq!(producer.write(b"").unwrap(), 0);
    producer.write_all(b"one\ntwo\n").unwrap();
    producer.flush().unwrap();
    let mut line = String::new();
    consumer.read_line(&mut line).unwrap();
    assert_eq!(line, "one\n");
    assert_eq!(producer.write(&vec![b'x'; capacity]).unwrap(), capacity - 4);
    assert_eq!(
        producer.write(b"full").unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    assert!(!consumer.is_closed());
    drop(producer);
    assert!(consumer.is_closed());
    let mut rest = Vec::new();
    consumer.read_to_end(&mut rest).unwrap();
    assert_eq!((rest.len(), &rest[..5]), (capacity, &b"two\nx"[..]));
    assert!(consumer.fill_buf().unwrap().is_empty());

    let (mut producer, consumer) = pair(1).unwrap();
    assert!(!producer.is_closed());
    drop(consumer);
    assert!(producer.is_closed());
    assert_eq!(
        producer.write(b"x").unwrap_err().kind(),
        ErrorKind::BrokenPipe
    );
}

#[test]
#[should_panic(expected = "consume of 1 byte: Invalid argument (this end has 0 bytes)")]
fn a_reader_that_takes_more_than_it_got() {
    let (_producer, mut consumer) = pair(1).unwrap();
    BufRead::consume(&mut consumer, 1);
}
