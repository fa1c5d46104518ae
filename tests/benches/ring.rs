//! What rings cost beside `ringbuf` and `VecDeque`, in one run: read the ratios, not the times.
//! `cargo bench -p tests --bench ring`.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Mutex;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use ringbuf::HeapRb;
use ringbuf::traits::Split;
use unix_memory::ring::{Consumer, Producer, SharedRing, pair};

fn main() {
    divan::main();
}

/// What all rings hold: a common size.
const CAPACITY: usize = 64 << 10;

/// That many bytes go in and out again at a time; the last number does not divide the capacity.
const CHUNKS: [usize; 5] = [1, 16, 256, 4 << 10, 24_000];

/// A chunk in, and out again, in one thread. Each ring has had all of its memory touched.
mod one_thread {
    use super::{
        Bencher, BytesCount, CAPACITY, CHUNKS, Consumer, HeapRb, Producer, Read, SharedRing, Split,
        VecDeque, black_box, pair,
    };
    use ringbuf::traits::{Consumer as _, Producer as _};

    fn touched() -> (Producer, Consumer) {
        let (mut producer, mut consumer) = pair(CAPACITY).unwrap();
        // Each page, under both of its addresses.
        for len in [CAPACITY / 2, CAPACITY, CAPACITY / 2] {
            assert_eq!(producer.push_slice(&vec![0; len]), len);
            assert_eq!(consumer.pop_slice(&mut vec![0; len]), len);
        }
        (producer, consumer)
    }

    #[divan::bench(args = CHUNKS)]
    fn unix_memory(bencher: Bencher<'_, '_>, len: usize) {
        let (mut producer, mut consumer) = touched();
        let (bytes, mut buffer) = (vec![1; len], vec![0; len]);
        bencher.counter(BytesCount::new(len)).bench_local(|| {
            assert_eq!(producer.push_slice(black_box(&bytes)), len);
            assert_eq!(consumer.pop_slice(black_box(&mut buffer)), len);
        });
    }

    /// Without a copy out: the bytes are only looked at.
    #[divan::bench(args = CHUNKS)]
    fn unix_memory_in_place(bencher: Bencher<'_, '_>, len: usize) {
        let (mut producer, mut consumer) = touched();
        bencher.counter(BytesCount::new(len)).bench_local(|| {
            black_box(&mut producer.slot()[..len]).fill(1);
            producer.commit(len).unwrap();
            black_box(&consumer.available()[..len]);
            consumer.consume(len).unwrap();
        });
    }

    /// As between two processes.
    #[divan::bench(args = CHUNKS)]
    fn unix_memory_shared(bencher: Bencher<'_, '_>, len: usize) {
        let ring = SharedRing::create(CAPACITY).unwrap();
        let mut consumer = SharedRing::open(&ring).unwrap().into_consumer().unwrap();
        let mut producer = ring.into_producer().unwrap();
        for len in [CAPACITY / 2, CAPACITY, CAPACITY / 2] {
            assert_eq!(producer.push_slice(&vec![0; len]).unwrap(), len);
            assert_eq!(consumer.pop_slice(&mut vec![0; len]).unwrap(), len);
        }
        let (bytes, mut buffer) = (vec![1; len], vec![0; len]);
        bencher.counter(BytesCount::new(len)).bench_local(|| {
            assert_eq!(producer.push_slice(black_box(&bytes)).unwrap(), len);
            assert_eq!(consumer.pop_slice(black_box(&mut buffer)).unwrap(), len);
        });
    }

    #[divan::bench(args = CHUNKS)]
    fn ringbuf(bencher: Bencher<'_, '_>, len: usize) {
        let (mut producer, mut consumer) = HeapRb::<u8>::new(CAPACITY).split();
        let (bytes, mut buffer) = (vec![1; len], vec![0; len]);
        bencher.counter(BytesCount::new(len)).bench_local(|| {
            assert_eq!(producer.push_slice(black_box(&bytes)), len);
            assert_eq!(consumer.pop_slice(black_box(&mut buffer)), len);
        });
    }

    #[divan::bench(args = CHUNKS)]
    fn vec_deque(bencher: Bencher<'_, '_>, len: usize) {
        let mut queue = VecDeque::with_capacity(CAPACITY);
        let (bytes, mut buffer) = (vec![1; len], vec![0; len]);
        bencher.counter(BytesCount::new(len)).bench_local(|| {
            queue.extend(black_box(&bytes));
            assert_eq!(queue.read(black_box(&mut buffer)).unwrap(), len);
        });
    }
}

/// Many bytes from one thread to another.
mod two_threads {
    use super::{
        Bencher, BytesCount, CAPACITY, HeapRb, Mutex, Read, SharedRing, Split, VecDeque, black_box,
        pair,
    };
    use ringbuf::traits::{Consumer, Producer};

    const TOTAL: usize = 64 << 20;
    const CHUNKS: [usize; 3] = [256, 4 << 10, 24_000];

    /// Calls `push`, which returns how much of a chunk it took, in one thread, and `pop`, which
    /// returns how much it delivered, in another, until everything has gone through.
    fn pass(
        len: usize,
        mut push: impl FnMut(&[u8]) -> usize + Send,
        mut pop: impl FnMut(&mut [u8]) -> usize,
    ) {
        let bytes = vec![1; len];
        let mut buffer = vec![0; len];
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
    }

    #[divan::bench(args = CHUNKS, sample_count = 20, sample_size = 1)]
    fn unix_memory(bencher: Bencher<'_, '_>, len: usize) {
        bencher
            .counter(BytesCount::new(TOTAL))
            .with_inputs(|| pair(CAPACITY).unwrap())
            .bench_local_values(|(mut producer, mut consumer)| {
                pass(
                    len,
                    move |bytes| producer.push_slice(bytes),
                    move |buffer| consumer.pop_slice(buffer),
                );
            });
    }

    #[divan::bench(args = CHUNKS, sample_count = 20, sample_size = 1)]
    fn unix_memory_shared(bencher: Bencher<'_, '_>, len: usize) {
        bencher
            .counter(BytesCount::new(TOTAL))
            .with_inputs(|| {
                let ring = SharedRing::create(CAPACITY).unwrap();
                let consumer = SharedRing::open(&ring).unwrap().into_consumer().unwrap();
                (ring.into_producer().unwrap(), consumer)
            })
            .bench_local_values(|(mut producer, mut consumer)| {
                pass(
                    len,
                    move |bytes| producer.push_slice(bytes).unwrap(),
                    move |buffer| consumer.pop_slice(buffer).unwrap(),
                );
            });
    }

    #[divan::bench(args = CHUNKS, sample_count = 20, sample_size = 1)]
    fn ringbuf(bencher: Bencher<'_, '_>, len: usize) {
        bencher
            .counter(BytesCount::new(TOTAL))
            .with_inputs(|| HeapRb::<u8>::new(CAPACITY).split())
            .bench_local_values(|(mut producer, mut consumer)| {
                pass(
                    len,
                    move |bytes| producer.push_slice(bytes),
                    move |buffer| consumer.pop_slice(buffer),
                );
            });
    }

    #[divan::bench(args = CHUNKS, sample_count = 20, sample_size = 1)]
    fn mutex_of_vec_deque(bencher: Bencher<'_, '_>, len: usize) {
        bencher
            .counter(BytesCount::new(TOTAL))
            .with_inputs(|| Mutex::new(VecDeque::with_capacity(CAPACITY)))
            .bench_local_values(|queue| {
                let queue = &queue;
                pass(
                    len,
                    move |bytes| {
                        let mut queue = queue.lock().unwrap();
                        let n = bytes.len().min(CAPACITY - queue.len());
                        queue.extend(&bytes[..n]);
                        n
                    },
                    move |buffer| queue.lock().unwrap().read(buffer).unwrap(),
                );
            });
    }
}
