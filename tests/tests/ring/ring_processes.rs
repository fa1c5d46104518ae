//! Rings between two processes: one that follows the protocol, one that does not, one that dies.
// Emscripten maps nothing at a given address, so it has no rings.
#![cfg(not(target_os = "emscripten"))]

use std::os::fd::AsFd;

use tests::{Numbers, effort};
use unix_memory::ring::SharedRing;
use unix_memory::{MapOptions, ReadWrite, Reason, page_size};

/// How many bytes go through a ring.
fn total() -> usize {
    effort(8 << 20)
}

fn byte(at: usize) -> u8 {
    (at % 251).to_le_bytes()[0]
}

/// A process made by `fork`, killed when it is dropped.
struct Child(libc::pid_t);

impl Child {
    /// Runs `f` in a child, which ends with what it returns. `f` must not allocate: another thread
    /// may have been doing so when the child was made.
    fn run(f: impl FnOnce() -> i32) -> Self {
        // SAFETY: what the child does is `f`, which keeps to what is said above, and `_exit`.
        let child = unsafe { libc::fork() };
        assert_ne!(child, -1);
        if child == 0 {
            let code = f();
            // SAFETY: it ends the child without running anything of the test's.
            unsafe { libc::_exit(code) };
        }
        Self(child)
    }

    fn kill(&self) {
        // SAFETY: the child is this test's own, and was not waited for.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
    }

    /// What becomes of it: its exit code, or the signal that ended it, negated.
    fn end(mut self) -> i32 {
        self.wait()
    }

    fn wait(&mut self) -> i32 {
        let mut status = 0;
        // SAFETY: the child is this test's own, and the number is written to.
        let ended = unsafe { libc::waitpid(self.0, &raw mut status, 0) };
        assert_eq!(ended, self.0);
        self.0 = 0;
        if libc::WIFEXITED(status) {
            libc::WEXITSTATUS(status)
        } else {
            -libc::WTERMSIG(status)
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.0 != 0 {
            self.kill();
            self.wait();
        }
    }
}

#[test]
fn everything_comes_over_in_order() {
    let ring = SharedRing::create(3 * page_size()).unwrap();
    let other = SharedRing::open(&ring).unwrap();
    let child = Child::run(|| {
        let Ok(mut producer) = other.into_producer() else {
            return 1;
        };
        let mut chunk = [0; 1000];
        let mut sent = 0;
        while sent < total() {
            let len = (sent % 997 + 1).min(total() - sent);
            for (i, place) in chunk[..len].iter_mut().enumerate() {
                *place = byte(sent + i);
            }
            match producer.push_slice(&chunk[..len]) {
                Ok(0) => std::thread::yield_now(),
                Ok(n) => sent += n,
                Err(_) => return 2,
            }
        }
        // The producer is dropped here, which closes the ring.
        0
    });
    let mut consumer = ring.into_consumer().unwrap();
    let mut buffer = [0; 1500];
    let mut received = 0;
    loop {
        let closed = consumer.is_closed();
        let len = received % 1499 + 1;
        let n = consumer.pop_slice(&mut buffer[..len]).unwrap();
        for (i, &found) in buffer[..n].iter().enumerate() {
            assert_eq!(found, byte(received + i), "at {}", received + i);
        }
        received += n;
        if n == 0 {
            if closed {
                break;
            }
            std::thread::yield_now();
        }
    }
    assert_eq!(received, total());
    assert_eq!(child.end(), 0);
}

/// A producer that is killed, at any moment, has pushed what the consumer finds, in order, and nothing else;
/// the next one goes on behind it.
#[test]
fn a_producer_that_is_killed_leaves_whole_bytes() {
    let ring = SharedRing::create(page_size()).unwrap();
    let other = SharedRing::open(&ring).unwrap();
    let mut consumer = ring.into_consumer().unwrap();
    let mut received = 0;
    for round in 0..effort(50) {
        let start = received;
        let next = SharedRing::open(&other).unwrap();
        let child = Child::run(|| {
            let Ok(mut producer) = next.into_producer() else {
                return 1;
            };
            let mut chunk = [0; 777];
            let mut sent = start;
            loop {
                for (i, place) in chunk.iter_mut().enumerate() {
                    *place = byte(sent + i);
                }
                match producer.push_slice(&chunk) {
                    Ok(n) => sent += n,
                    Err(_) => return 2,
                }
            }
        });
        let mut buffer = [0; 500];
        let mut pop = |received: &mut usize| {
            let n = consumer.pop_slice(&mut buffer).unwrap();
            for (i, &found) in buffer[..n].iter().enumerate() {
                assert_eq!(found, byte(*received + i), "at {}", *received + i);
            }
            *received += n;
            n
        };
        while received < start + 1000 + 531 * (round % 17) {
            pop(&mut received);
        }
        child.kill();
        assert_eq!(child.end(), -libc::SIGKILL);
        while pop(&mut received) > 0 {}
    }
}

#[test]
fn a_vouched_for_process_writes_into_slices() {
    let ring = SharedRing::create(1).unwrap();
    let other = SharedRing::open(&ring).unwrap();
    let child = Child::run(|| {
        let Ok(consumer) = other.into_consumer() else {
            return 1;
        };
        // SAFETY: the parent keeps to the rules, and nobody else has the memory.
        let mut consumer = unsafe { consumer.assume_honest_peer() };
        let mut received = 0;
        while received < total() {
            let available = consumer.available();
            let n = available.len();
            if (0..n).any(|i| available[i] != byte(received + i)) {
                return 2;
            }
            if n == 0 {
                std::thread::yield_now();
            }
            if consumer.consume(n).is_err() {
                return 3;
            }
            received += n;
        }
        0
    });
    // SAFETY: so does the child.
    let mut producer = unsafe { ring.into_producer().unwrap().assume_honest_peer() };
    let mut sent = 0;
    while sent < total() && !producer.is_closed() {
        let slot = producer.slot();
        let n = slot.len().min(total() - sent);
        for (i, place) in slot[..n].iter_mut().enumerate() {
            *place = byte(sent + i);
        }
        if n == 0 {
            std::thread::yield_now();
        }
        producer.commit(n).unwrap();
        sent += n;
    }
    assert_eq!(child.end(), 0);
    assert_eq!(sent, total());
}

#[test]
fn a_hostile_process_cannot_lead_out_of_the_ring() {
    let ring = SharedRing::create(2 * page_size()).unwrap();
    let capacity = ring.capacity();
    // All of the memory, as anybody maps it who has the descriptor.
    let all = MapOptions::new().map_shared(&ring, ReadWrite).unwrap();
    let stop = SharedRing::open(&ring).unwrap();
    let child = Child::run(|| {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        loop {
            // Mostly the positions, with numbers that could be right, or nearly.
            let (place, value) = match numbers.next() % 4 {
                0 => (numbers.next() % all.len(), numbers.next()),
                1 => (128, numbers.next() % (2 * capacity + 10)),
                2 => (256, numbers.next() % (2 * capacity + 10)),
                _ => (numbers.next() % 64 * size_of::<usize>(), numbers.next() % 3),
            };
            let place = place.min(all.len() - size_of::<usize>());
            if all.write_at(place, &value.to_ne_bytes()).is_err() {
                return 1;
            }
        }
    });
    let mut numbers = Numbers(1);
    let mut buffer = vec![0; 2 * capacity];
    let (mut told, mut done) = (0, 0);
    // Ends that were taken from lies end soon; and are taken again.
    for _ in 0..2_000 {
        let ends = (SharedRing::open(&stop), SharedRing::open(&stop));
        let (Ok(producer), Ok(consumer)) = ends else {
            told += 1;
            // Its name is gone from the header too.
            all_right_again(&stop);
            continue;
        };
        let (Ok(mut producer), Ok(mut consumer)) =
            (producer.into_producer(), consumer.into_consumer())
        else {
            told += 1;
            continue;
        };
        for _ in 0..100 {
            let len = numbers.next() % buffer.len();
            for result in [
                producer.push_slice(&buffer[..len]),
                consumer.pop_slice(&mut buffer[..len]),
            ] {
                match result {
                    Ok(n) => {
                        assert!(n <= len.min(capacity));
                        done += 1;
                    }
                    Err(error) => {
                        assert_eq!(error.reason(), Reason::RingPeer);
                        told += 1;
                    }
                }
            }
        }
    }
    child.kill();
    assert_eq!(child.end(), -libc::SIGKILL);
    assert!(told > 0 && done > 0, "{told} {done}");
    println!("{done} calls went well, {told} told of lies");
}

/// Puts the first bytes of a ring's memory back.
fn all_right_again(ring: &SharedRing) {
    let good = SharedRing::create(1).unwrap();
    let mut magic = [0; 8];
    let from = MapOptions::new().map_shared(&good, ReadWrite).unwrap();
    from.read_at(0, &mut magic).unwrap();
    let to = MapOptions::new()
        .map_shared(ring.as_fd(), ReadWrite)
        .unwrap();
    to.write_at(0, &magic).unwrap();
}

#[test]
fn an_end_that_died_can_be_taken_again() {
    let ring = SharedRing::create(1).unwrap();
    let other = SharedRing::open(&ring).unwrap();
    let mut producer = SharedRing::open(&ring).unwrap().into_producer().unwrap();
    assert_eq!(producer.push_slice(b"first second").unwrap(), 12);
    let child = Child::run(|| {
        let Ok(mut consumer) = other.into_consumer() else {
            return 1;
        };
        let mut word = [0; 6];
        if !matches!(consumer.pop_slice(&mut word), Ok(6)) {
            return 2;
        }
        // SAFETY: it ends this child.
        unsafe { libc::raise(libc::SIGKILL) }
    });
    assert_eq!(child.end(), -libc::SIGKILL);
    // It could say nothing.
    assert!(!producer.is_closed());
    let mut consumer = ring.into_consumer().unwrap();
    let mut rest = [0; 20];
    assert_eq!(consumer.pop_slice(&mut rest).unwrap(), 6);
    assert_eq!(&rest[..6], b"second");
}
