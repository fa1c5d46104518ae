//! Rings: their memory, their ends, peers that lie.

use std::collections::VecDeque;
use std::io::{BufRead, ErrorKind, Read, Write};
use std::os::fd::AsFd;

use libc::{EINVAL, EIO, ENOMEM, EPERM};
use procfs::process::{MMPermissions, MemoryMap, Process, VmFlags};
use proptest::prelude::*;
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tests::{refusing_argument, skip};
use unix_memory::ring::{Consumer, Producer, SharedConsumer, SharedProducer, SharedRing, pair};
use unix_memory::{
    Call, MapOptions, MemfdOptions, ReadWrite, Reason, Seals, SharedMapping, SharedMemory,
    page_size,
};

assert_impl_all!(Producer: Send, Sync, Write);
assert_impl_all!(Consumer: Send, Sync, Read, BufRead);
assert_impl_all!(SharedProducer: Send, Sync, Write);
assert_impl_all!(SharedConsumer: Send, Sync, Read);
assert_not_impl_any!(Producer: Clone);
assert_not_impl_any!(Consumer: Clone);
assert_not_impl_any!(SharedConsumer: Clone, BufRead);

/// The mappings of which one holds `address`, and those around it, of the same file.
fn maps_around(address: usize) -> Vec<MemoryMap> {
    let maps = Process::myself().unwrap().smaps().unwrap();
    let maps: Vec<_> = maps.into_iter().collect();
    let address = address as u64;
    let inode = maps
        .iter()
        .find(|map| (map.address.0..map.address.1).contains(&address))
        .map(|map| map.inode)
        .unwrap();
    maps.into_iter().filter(|map| map.inode == inode).collect()
}

#[test]
fn the_bytes_are_mapped_twice_in_a_row() {
    let (mut producer, _consumer) = pair(3 * page_size()).unwrap();
    let capacity = producer.capacity();
    let start = producer.slot().as_ptr().addr();
    let maps = maps_around(start);
    let [first, second] = &*maps else {
        panic!("{maps:?}");
    };
    assert_eq!(first.address.1, second.address.0);
    assert_eq!(first.address.1, (start + capacity) as u64);
    assert_eq!(second.address.1, (start + 2 * capacity) as u64);
    // The second has not got the header.
    assert_eq!(second.offset, start as u64 - first.address.0);
    for map in maps {
        let expected = MMPermissions::READ | MMPermissions::WRITE | MMPermissions::SHARED;
        assert_eq!(map.perms, expected);
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
    // One that only the kernel can refuse: too much for any process.
    let error = pair(isize::MAX.unsigned_abs() / 4).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
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
            "commit of {} bytes: Invalid argument (there are {capacity} bytes for this end)",
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
    prop::collection::vec(step, 1..60)
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

    #[test]
    fn shared_ends_are_like_a_queue(pages in 1usize..4, steps in steps()) {
        let ring = SharedRing::create(pages * page_size()).unwrap();
        let mut consumer = SharedRing::open(&ring).unwrap().into_consumer().unwrap();
        let mut producer = ring.into_producer().unwrap();
        let capacity = producer.capacity();
        let mut queue: VecDeque<u8> = VecDeque::new();
        let mut source = Source(2);
        for step in steps {
            match step {
                Step::Push(length) | Step::Slot(length) => {
                    let bytes = source.take(length * capacity / 1000);
                    let n = producer.push_slice(&bytes).unwrap();
                    prop_assert_eq!(n, bytes.len().min(capacity - queue.len()));
                    queue.extend(&bytes[..n]);
                }
                Step::Pop(length) | Step::Consume(length) => {
                    let mut buffer = vec![0; length * capacity / 1000];
                    let n = consumer.pop_slice(&mut buffer).unwrap();
                    prop_assert_eq!(n, buffer.len().min(queue.len()));
                    prop_assert!(queue.drain(..n).eq(buffer[..n].iter().copied()));
                }
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
            // Said by the liar too: any answer will do.
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
            "ring: Input/output error (the other end does not keep to the rules)"
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
fn threads_pass_everything_in_order() {
    const TOTAL: usize = 20 << 20;
    let (mut producer, mut consumer) = pair(3 * page_size()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut sent = 0;
            while sent < TOTAL {
                let slot = producer.slot();
                let n = slot.len().min(TOTAL - sent).min(sent % 997 + 1);
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
        while received < TOTAL {
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
#[should_panic(expected = "consume of 1 bytes: Invalid argument (there are 0 bytes for this end)")]
fn a_reader_that_takes_more_than_it_got() {
    let (_producer, mut consumer) = pair(1).unwrap();
    BufRead::consume(&mut consumer, 1);
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

#[test]
fn what_is_no_ring_is_refused() {
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

#[test]
fn nobody_can_shorten_a_shared_ring() {
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

#[test]
fn a_child_has_not_got_a_pairs_memory() {
    let (mut producer, mut consumer) = pair(1).unwrap();
    producer.push_slice(b"ours");
    let start = consumer.available().as_ptr().addr();
    if !maps_around(start)[0]
        .extension
        .vm_flags
        .contains(VmFlags::DC)
    {
        return skip(
            "memory that a child has not got",
            "MADV_DONTFORK has no effect here",
        );
    }
    let wait = |child| {
        let mut status = 0;
        // SAFETY: the child is this test's own, and the number is written to.
        let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
        assert_eq!(ended, child);
        status
    };
    // To drop both ends, in a child, does nothing to the ring.
    // SAFETY: the child calls nothing but the drops, which make system calls and free memory, and
    // `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        drop((producer, consumer));
        // SAFETY: it ends the child without running anything of the test's.
        unsafe { libc::_exit(7) };
    }
    let status = wait(child);
    assert!(
        libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 7,
        "{status}"
    );
    assert!(!consumer.is_closed());
    assert_eq!(consumer.available(), b"ours");
    // To use one ends the child, without a dump of its memory.
    // SAFETY: the child makes system calls alone, and touches one byte.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: the structure is read.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
        // SAFETY: the default action is a safe one.
        unsafe { libc::signal(libc::SIGSEGV, libc::SIG_DFL) };
        let gone = consumer.is_closed();
        // SAFETY: it ends the child without running anything of the test's.
        unsafe { libc::_exit(gone.into()) };
    }
    let status = wait(child);
    assert!(
        libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGSEGV,
        "{status}"
    );
    producer.push_slice(b" alone");
    assert_eq!(consumer.available(), b"ours alone");
}

#[test]
fn memory_that_would_not_be_ones_own_is_no_ring() {
    let dont_fork = u64::try_from(libc::MADV_DONTFORK).unwrap();
    let refused = refusing_argument(libc::SYS_madvise, 2, dont_fork, EINVAL, || {
        pair(1).map(drop)
    });
    let Some(refused) = refused else { return };
    let error = refused.unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Madvise, EINVAL));
}
