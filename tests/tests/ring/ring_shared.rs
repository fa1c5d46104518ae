//! Rings between two processes, as far as one can tell: their ends, and numbers that lie. What other
//! processes do is in `ring_processes`.
// Emscripten maps nothing at a given address, so it has no rings.
#![cfg(not(target_os = "emscripten"))]

use std::collections::VecDeque;
use std::io::{BufRead, ErrorKind, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};

use libc::EIO;
use proptest::prelude::*;
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tests::{effort, kernel};
use unix_memory::ring::{SharedConsumer, SharedProducer, SharedRing};
use unix_memory::{Call, MapOptions, ReadWrite, Reason, SharedMapping, page_size};

assert_impl_all!(SharedProducer: Send, Sync, Write);
assert_impl_all!(SharedConsumer: Send, Sync, Read);
assert_not_impl_any!(SharedConsumer: Clone, BufRead);

proptest! {
    #[test]
    fn shared_ends_are_like_a_queue(pages in 1usize..4, steps in prop::collection::vec((any::<bool>(), 0usize..1300, any::<u8>()), 1..effort(60).max(12))) {
        let ring = SharedRing::create(pages * page_size()).unwrap();
        let mut consumer = SharedRing::open(&ring).unwrap().into_consumer().unwrap();
        let mut producer = ring.into_producer().unwrap();
        let capacity = producer.capacity();
        let mut queue: VecDeque<u8> = VecDeque::new();
        for (push, length, first) in steps {
            // Never the same bytes for long.
            let mut bytes: Vec<u8> = (first..=255).chain(0..first).cycle().take(length * capacity / 1000).collect();
            if push {
                let n = producer.push_slice(&bytes).unwrap();
                prop_assert_eq!(n, bytes.len().min(capacity - queue.len()));
                queue.extend(&bytes[..n]);
            } else {
                let n = consumer.pop_slice(&mut bytes).unwrap();
                prop_assert_eq!(n, bytes.len().min(queue.len()));
                prop_assert!(queue.drain(..n).eq(bytes[..n].iter().copied()));
            }
        }
    }

    /// Whatever another process puts into the header, no end leaves the ring, or panics.
    #[test]
    fn numbers_that_lie(
        lies in prop::collection::vec((0usize..5, lie(), 0usize..20_000, any::<bool>()), 1..40)
    ) {
        let ring = SharedRing::create(1).unwrap();
        let liar = memory_of(&ring);
        let mut consumer = SharedRing::open(&ring).unwrap().into_consumer().unwrap();
        let mut producer = ring.into_producer().unwrap();
        let capacity = producer.capacity();
        for (word, lie, len, push) in lies {
            let value = lie.of(capacity);
            // Magic, and each end's position and whether it is gone.
            let size = size_of::<usize>();
            let place = [0, 128, 128 + size, 256, 256 + size][word];
            liar.write_at(place, &value.to_ne_bytes()).unwrap();
            let mut buffer = vec![0; len];
            let result = if push { producer.push_slice(&buffer) } else { consumer.pop_slice(&mut buffer) };
            match result {
                Ok(n) => prop_assert!(n <= len.min(capacity)),
                Err(error) => {
                    prop_assert_eq!((error.call(), error.errno()), (Call::Ring, EIO));
                    prop_assert_eq!(error.reason(), Reason::RingPeer);
                }
            }
            // The liar decides this too, so any answer will do.
            let _anything = (producer.is_closed(), consumer.is_closed());
        }
    }
}

/// A number for the header: near what matters, or anything.
#[derive(Clone, Debug)]
enum Lie {
    Anything(usize),
    Near(usize, isize),
}

impl Lie {
    fn of(&self, capacity: usize) -> usize {
        match *self {
            Self::Anything(value) => value,
            Self::Near(times, more) => (times * capacity).wrapping_add_signed(more),
        }
    }
}

fn lie() -> impl Strategy<Value = Lie> {
    prop_oneof![
        any::<usize>().prop_map(Lie::Anything),
        (0usize..3, -2isize..3).prop_map(|(times, more)| Lie::Near(times, more)),
    ]
}

/// The memory of a ring, as another process has it.
fn memory_of(ring: &SharedRing) -> SharedMapping<ReadWrite> {
    MapOptions::new().map_shared(ring, ReadWrite).unwrap()
}

#[test]
fn a_lie_is_told_and_the_truth_goes_on() {
    let ring = SharedRing::create(1).unwrap();
    let liar = memory_of(&ring);
    let mut producer = ring.into_producer().unwrap();
    let capacity = producer.capacity();
    assert_eq!(producer.push_slice(&vec![1; capacity]).unwrap(), capacity);
    // The consumer is somewhere from 0 to here, or has not read what is not there.
    for lie in [capacity + 1, 2 * capacity - 1, 2 * capacity, usize::MAX] {
        liar.write_at(256, &lie.to_ne_bytes()).unwrap();
        let error = producer.push_slice(b"x").unwrap_err();
        assert_eq!(
            error.to_string(),
            "ring: Input/output error (the other end of the ring violated the protocol)"
        );
        let error = producer.write(b"x").unwrap_err();
        assert_eq!(
            error.to_string(),
            producer.push_slice(b"x").unwrap_err().to_string()
        );
    }
    liar.write_at(256, &0usize.to_ne_bytes()).unwrap();
    assert_eq!(producer.push_slice(b"x").unwrap(), 0);
    liar.write_at(256, &capacity.to_ne_bytes()).unwrap();
    assert_eq!(producer.push_slice(b"x").unwrap(), 1);
    // An end is not even made of numbers that cannot be.
    for place in [128, 256] {
        let ring = SharedRing::create(1).unwrap();
        memory_of(&ring)
            .write_at(place, &usize::MAX.to_ne_bytes())
            .unwrap();
        let other = SharedRing::open(&ring).unwrap();
        assert_eq!(ring.into_producer().unwrap_err().reason(), Reason::RingPeer);
        assert_eq!(
            other.into_consumer().unwrap_err().reason(),
            Reason::RingPeer
        );
    }
}

#[test]
fn shared_ends_as_streams() {
    let ring = SharedRing::create(1).unwrap();
    let capacity = ring.capacity();
    let mut consumer = SharedRing::open(&ring).unwrap().into_consumer().unwrap();
    let mut producer = ring.into_producer().unwrap();
    assert_eq!(
        (producer.capacity(), consumer.capacity()),
        (capacity, capacity)
    );
    let mut buffer = [0; 10];
    assert_eq!(
        consumer.read(&mut buffer).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    assert_eq!(producer.write(&vec![b'x'; capacity + 1]).unwrap(), capacity);
    assert_eq!(
        producer.write(b"x").unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    producer.flush().unwrap();
    drop(producer);
    let mut all = Vec::new();
    consumer.read_to_end(&mut all).unwrap();
    assert_eq!(all, vec![b'x'; capacity]);
    drop(consumer);
}

#[test]
fn who_takes_an_end_again_goes_on_where_it_was_left() {
    let ring = SharedRing::create(1).unwrap();
    let again = || SharedRing::open(&ring).unwrap();
    let mut producer = again().into_producer().unwrap();
    let capacity = producer.capacity();
    // Past the seam, so that positions and places differ.
    for round in 0..5u8 {
        assert_eq!(
            producer.push_slice(&vec![round; capacity / 2 + 1]).unwrap(),
            capacity / 2 + 1
        );
        let mut consumer = again().into_consumer().unwrap();
        assert!(!consumer.is_closed());
        let mut buffer = vec![0; capacity];
        assert_eq!(consumer.pop_slice(&mut buffer[..10]).unwrap(), 10);
        drop(consumer);
        assert!(producer.is_closed());
        let mut consumer = again().into_consumer().unwrap();
        assert!(!producer.is_closed());
        let n = consumer.pop_slice(&mut buffer).unwrap();
        assert_eq!(
            (n, buffer[0], buffer[n - 1]),
            (capacity / 2 - 9, round, round)
        );
        drop(producer);
        assert!(consumer.is_closed());
        producer = again().into_producer().unwrap();
    }
}

#[test]
fn an_honest_peer_gets_slices() {
    let ring = SharedRing::create(1).unwrap();
    let consumer = SharedRing::open(&ring).unwrap().into_consumer().unwrap();
    let producer = ring.into_producer().unwrap();
    // SAFETY: both ends are this test's, and nobody else has the memory.
    let mut consumer = unsafe { consumer.assume_honest_peer() };
    // SAFETY: as above.
    let mut producer = unsafe { producer.assume_honest_peer() };
    producer.slot()[..2].copy_from_slice(b"hi");
    producer.commit(2).unwrap();
    assert_eq!(consumer.available(), b"hi");
    assert!(!producer.is_closed());
    drop(producer);
    assert!(consumer.is_closed());
}

// Few systems have seals.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[test]
fn what_is_no_ring_is_refused() {
    use std::os::fd::AsFd;

    use libc::{EINVAL, EPERM};
    use unix_memory::{MemfdOptions, Seals, SharedMemory};

    let no_ring = |memory: SharedMemory| {
        let error = SharedRing::open(&memory).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Ring, EINVAL));
        assert_eq!(error.reason(), Reason::NoRing);
    };
    let memory = |len: u64| {
        let memory = MemfdOptions::new().sealing(true).create(len).unwrap();
        memory.add_seals(Seals::SHRINK).unwrap();
        memory
    };
    // The right length, for some ring.
    let good = SharedMemory::from(
        SharedRing::create(1)
            .unwrap()
            .as_fd()
            .try_clone_to_owned()
            .unwrap(),
    );
    let len = good.len().unwrap();
    for len in [0, 1, len / 2, len - 1, len, len + 1] {
        no_ring(memory(len));
    }
    // Of another version, or width.
    for byte in [0, 6, 7] {
        let ring = SharedRing::create(1).unwrap();
        memory_of(&ring).write_at(byte, b"?").unwrap();
        assert_eq!(
            SharedRing::open(&ring).unwrap_err().reason(),
            Reason::NoRing
        );
    }
    // What somebody could shorten.
    let error = SharedRing::open(SharedMemory::unnamed(len).unwrap()).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::GetSeals, EPERM));
    assert_eq!(
        error.reason(),
        Reason::SealsMissing {
            shrink: true,
            write: false
        }
    );
    let file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    assert_eq!(
        SharedRing::open(&file).unwrap_err().reason(),
        Reason::NotSealable
    );
}

// Few systems have seals.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[test]
fn nobody_can_shorten_a_shared_ring() {
    use std::os::fd::AsFd;

    use libc::EPERM;
    use unix_memory::{Seals, SharedMemory};

    let ring = SharedRing::create(1).unwrap();
    let memory = SharedMemory::from(ring.as_fd().try_clone_to_owned().unwrap());
    assert!(
        memory
            .seals()
            .unwrap()
            .contains(Seals::SHRINK | Seals::GROW | Seals::SEAL)
    );
    assert_eq!(memory.set_len(1).unwrap_err().errno(), EPERM);
    assert_eq!(memory.set_len(1 << 30).unwrap_err().errno(), EPERM);
    assert!(format!("{ring:?}").contains("capacity"));
}

// Few systems have seals.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[test]
fn a_part_of_a_length_is_not_the_length() {
    use std::os::fd::AsFd;

    use unix_memory::{MemfdOptions, Seals, SharedMemory};

    let small = SharedRing::create(1).unwrap();
    let fd = small.as_fd().try_clone_to_owned().unwrap();
    let len = SharedMemory::from(fd).len().unwrap();
    let mut magic = [0; 8];
    memory_of(&small).read_at(0, &mut magic).unwrap();
    // In 32 bits, as long as the ring.
    let options = MemfdOptions::new().sealing(true);
    let memory = options.create((1 << 32) + len).unwrap();
    let options = MapOptions::new().len(8);
    let start = options.map_shared(&memory, ReadWrite).unwrap();
    start.write_at(0, &magic).unwrap();
    memory.add_seals(Seals::SHRINK).unwrap();
    match SharedRing::open(&memory) {
        Ok(ring) => {
            let capacity = (1 << 32) + small.capacity() as u64;
            assert_eq!(ring.capacity() as u64, capacity);
        }
        Err(error) => assert_eq!((size_of::<usize>(), error.reason()), (4, Reason::NoRing)),
    }
}

#[test]
fn what_is_not_memory_is_no_ring() {
    let mut ends = [-1; 2];
    // SAFETY: the call writes two descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    let [reader, writer] = ends.map(|end| {
        // SAFETY: the descriptor is new.
        unsafe { std::fs::File::from_raw_fd(end) }
    });
    let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    let open = |path| std::fs::File::open(path).unwrap();
    for fd in [
        reader.into(),
        writer.into(),
        socket.into(),
        open("/dev/null").into(),
        open("/dev/zero").into(),
        open("/").into(),
    ] {
        let fd: OwnedFd = fd;
        let error = SharedRing::open(&fd).unwrap_err();
        assert!(
            matches!(error.reason(), Reason::NotSealable | Reason::NoRing),
            "{error}"
        );
    }
}

/// It has all that a ring's memory has, but could not be mapped as one.
// Only Linux has a pool of huge pages.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn memory_of_huge_pages_is_no_ring() {
    use libc::EINVAL;
    use unix_memory::{Seals, SharedMemory};

    let name = c"ring of huge pages";
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING | libc::MFD_HUGETLB;
    // SAFETY: the name ends with a NUL.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), flags) };
    if fd == -1 {
        let error = std::io::Error::last_os_error();
        return tests::skip("a ring of huge pages", &format!("memfd_create: {error}"));
    }
    // SAFETY: the descriptor is new.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let memory = SharedMemory::from(fd);
    memory.set_len(1 << 30).unwrap();
    memory.add_seals(Seals::SHRINK | Seals::GROW).unwrap();
    let error = SharedRing::open(&memory).unwrap_err();
    assert_eq!((error.errno(), error.reason()), (EINVAL, Reason::NoRing));
}

#[test]
fn holes_are_zeros() {
    let ring = SharedRing::create(1).unwrap();
    let mut consumer = SharedRing::open(&ring).unwrap().into_consumer().unwrap();
    let len = memory_of(&ring).len();
    // It changes the memory, as any process could that has it.
    let hole = |ring: &SharedRing| kernel::punch_hole(ring, 0, len);
    let liar = SharedRing::open(&ring).unwrap();
    let mut producer = ring.into_producer().unwrap();
    assert_eq!(producer.push_slice(b"gone").unwrap(), 4);
    if let Err(error) = hole(&liar) {
        return tests::skip("holes in a ring", &error.to_string());
    }
    // Nothing was ever put in, it seems.
    let mut buffer = [1; 8];
    assert_eq!(consumer.pop_slice(&mut buffer).unwrap(), 0);
    assert_eq!(producer.push_slice(b"new").unwrap(), 3);
    assert_eq!(consumer.pop_slice(&mut buffer).unwrap(), 7);
    assert_eq!(&buffer[..7], b"\0\0\0\0new");
    hole(&liar).unwrap();
    assert_eq!(
        SharedRing::open(&liar).unwrap_err().reason(),
        Reason::NoRing
    );
    drop(producer);
    assert!(consumer.is_closed());
}

/// Failing to take an end does not close the ring for whoever has it.
#[test]
fn an_end_that_was_not_taken_closes_nothing() {
    let ring = SharedRing::create(1).unwrap();
    let liar = memory_of(&ring);
    let again = SharedRing::open(&ring).unwrap();
    let consumer = SharedRing::open(&ring).unwrap().into_consumer().unwrap();
    let _producer = ring.into_producer().unwrap();
    liar.write_at(256, &usize::MAX.to_ne_bytes()).unwrap();
    assert_eq!(
        again.into_producer().unwrap_err().reason(),
        Reason::RingPeer
    );
    assert!(!consumer.is_closed());
}
