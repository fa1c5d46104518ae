//! Rings, by how much goes in and out at a time.

use std::hint::black_box;
use std::time::Duration;

use ringbuf::traits::{Consumer as _, Producer as _, Split};
use unix_memory::ring::{Consumer, Producer, SharedRing, pair};

use crate::contest::{Contests, Way, time};

/// What all rings hold.
const CAPACITY: usize = 64 << 10;

/// The last number does not divide the capacity.
const CHUNKS: [usize; 4] = [16, 256, 4 << 10, 24_000];

pub fn all(contests: &Contests) {
    for len in CHUNKS {
        if contests.has("a ring in one thread") {
            one_thread(contests, len);
        }
        if contests.has("a ring between two threads") && len > 16 {
            two_threads(contests, len);
        }
    }
}

/// All of its memory has been used, under both of its addresses.
fn used() -> (Producer, Consumer) {
    let (mut producer, mut consumer) = pair(CAPACITY).unwrap();
    for len in [CAPACITY / 2, CAPACITY, CAPACITY / 2] {
        assert_eq!(producer.push_slice(&vec![0; len]), len);
        assert_eq!(consumer.pop_slice(&mut vec![0; len]), len);
    }
    (producer, consumer)
}

/// As between two processes.
fn shared() -> (
    unix_memory::ring::SharedProducer,
    unix_memory::ring::SharedConsumer,
) {
    let ring = SharedRing::create(CAPACITY).unwrap();
    let mut consumer = SharedRing::open(&ring).unwrap().into_consumer().unwrap();
    let mut producer = ring.into_producer().unwrap();
    for len in [CAPACITY / 2, CAPACITY, CAPACITY / 2] {
        assert_eq!(producer.push_slice(&vec![0; len]).unwrap(), len);
        assert_eq!(consumer.pop_slice(&mut vec![0; len]).unwrap(), len);
    }
    (producer, consumer)
}

fn one_thread(contests: &Contests, len: usize) {
    let bytes = &vec![1; len];
    let [mut a, mut b, mut c, mut d] = [0; 4].map(|_| vec![0; len]);
    let (mut to_ringbuf, mut of_ringbuf) = ringbuf::HeapRb::<u8>::new(CAPACITY).split();
    let (mut to_rtrb, mut of_rtrb) = rtrb::RingBuffer::<u8>::new(CAPACITY);
    let (mut producer, mut consumer) = used();
    let (mut into, mut out_of) = used();
    let (mut sender, mut receiver) = shared();
    contests.run(
        "a ring in one thread",
        Some(len as u64),
        vec![
            Way::new("ringbuf", || {
                assert_eq!(to_ringbuf.push_slice(black_box(bytes)), len);
                assert_eq!(of_ringbuf.pop_slice(black_box(&mut a)), len);
            }),
            Way::new("rtrb", || {
                to_rtrb.push_entire_slice(black_box(bytes)).unwrap();
                of_rtrb.pop_entire_slice(black_box(&mut b)).unwrap();
            }),
            Way::new("pair", || {
                assert_eq!(producer.push_slice(black_box(bytes)), len);
                assert_eq!(consumer.pop_slice(black_box(&mut c)), len);
            }),
            Way::new("pair, in place", || {
                black_box(&mut into.slot()[..len]).fill(1);
                into.commit(len).unwrap();
                black_box(&out_of.available()[..len]);
                out_of.consume(len).unwrap();
            }),
            Way::new("SharedRing", || {
                assert_eq!(sender.push_slice(black_box(bytes)).unwrap(), len);
                assert_eq!(receiver.pop_slice(black_box(&mut d)).unwrap(), len);
            }),
        ],
    );
}

const TOTAL: usize = 32 << 20;

/// Calls `push`, which returns how much of a chunk it took, in one thread, and `pop`, which returns how
/// much it delivered, in another, until everything has gone through.
fn pass(
    len: usize,
    mut push: impl FnMut(&[u8]) -> usize + Send,
    mut pop: impl FnMut(&mut [u8]) -> usize,
) -> Duration {
    let bytes = vec![1; len];
    let mut buffer = vec![0; len];
    time(|| {
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut left = TOTAL;
                while left > 0 {
                    match push(&bytes[..len.min(left)]) {
                        0 => std::thread::yield_now(),
                        n => left -= n,
                    }
                }
            });
            let mut left = TOTAL;
            while left > 0 {
                match pop(black_box(&mut buffer)) {
                    0 => std::thread::yield_now(),
                    n => left -= n,
                }
            }
        });
    })
}

fn two_threads(contests: &Contests, len: usize) {
    contests.run(
        "a ring between two threads",
        Some(len as u64),
        vec![
            Way::timed("ringbuf", || {
                let (mut to, mut of) = ringbuf::HeapRb::<u8>::new(CAPACITY).split();
                pass(
                    len,
                    move |bytes| to.push_slice(bytes),
                    |buffer| of.pop_slice(buffer),
                )
            }),
            Way::timed("rtrb", || {
                let (mut to, mut of) = rtrb::RingBuffer::<u8>::new(CAPACITY);
                pass(
                    len,
                    move |bytes| to.push_partial_slice(bytes).0.len(),
                    |buffer| of.pop_partial_slice(buffer).0.len(),
                )
            }),
            Way::timed("pair", || {
                let (mut to, mut of) = used();
                pass(
                    len,
                    move |bytes| to.push_slice(bytes),
                    |buffer| of.pop_slice(buffer),
                )
            }),
            Way::timed("SharedRing", || {
                let (mut to, mut of) = shared();
                pass(
                    len,
                    move |bytes| to.push_slice(bytes).unwrap(),
                    |buffer| of.pop_slice(buffer).unwrap(),
                )
            }),
        ],
    );
}
