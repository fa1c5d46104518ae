//! A shared ring whose memory a hostile peer writes to: before and after each step, and, in some inputs,
//! all the time from another thread.
//!
//! Until the first hostile act, the ends are a queue. After it, no step panics, runs forever, or touches
//! anything except the ring and the first bytes of the caller's buffer.

#![no_main]

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tests::kernel::punch_hole;
use unix_memory::ring::{SharedConsumer, SharedProducer, SharedRing};
use unix_memory::{Call, Error, MapOptions, MemfdOptions, ReadWrite, Reason, Seals, SharedMapping};

#[derive(Arbitrary, Debug)]
struct Input {
    /// How many pages the ring has, less one.
    pages: u8,
    /// Whether another thread repeats the hostile acts meanwhile.
    busy: bool,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Push {
        len: u16,
        first: u8,
        stream: bool,
    },
    Pop {
        len: u16,
        stream: bool,
    },
    AskWhetherClosed,
    /// Drops an end, and takes it again.
    Retake {
        producer: bool,
    },
    Hostile(Hostile),
    /// Opens memory of this length that begins like this.
    Open {
        len: u16,
        seals: u8,
        start: Vec<u8>,
    },
}

/// What a peer may do to the memory that it shares.
#[derive(Arbitrary, Clone, Debug)]
enum Hostile {
    /// Writes one of the numbers of the header.
    Lie { which: u8, lie: Lie },
    /// Writes bytes anywhere.
    Scribble { at: u32, bytes: Vec<u8> },
    /// Gives the memory back, which is zeros then.
    Hole { from: u8, pages: u8 },
}

/// A number: near those that matter, or anything.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Lie {
    Near { capacities: u8, more: i8 },
    Any(usize),
}

/// The memory, as the peer has it.
struct Peer {
    ring: SharedRing,
    memory: SharedMapping<ReadWrite>,
}

impl Peer {
    fn act(&self, hostile: &Hostile) {
        const WORD: usize = size_of::<usize>();
        /// The name, and the position of each end and whether it is gone.
        const NUMBERS: [usize; 5] = [0, 128, 128 + WORD, 256, 256 + WORD];
        match hostile {
            Hostile::Lie { which, lie } => {
                let value = match *lie {
                    Lie::Near { capacities, more } => {
                        let near = usize::from(capacities % 4) * self.ring.capacity();
                        near.wrapping_add_signed(more.into())
                    }
                    Lie::Any(value) => value,
                };
                let place = NUMBERS[usize::from(*which) % NUMBERS.len()];
                let written = self.memory.write_at(place, &value.to_ne_bytes());
                written.expect("the header is there");
            }
            Hostile::Scribble { at, bytes } => {
                let at = *at as usize % self.memory.len();
                let len = bytes.len().min(self.memory.len() - at);
                self.memory
                    .write_at(at, &bytes[..len])
                    .expect("in the memory");
            }
            Hostile::Hole { from, pages } => {
                let page = unix_memory::page_size();
                let from = usize::from(*from) * page % self.memory.len();
                let len = (usize::from(*pages) * page).min(self.memory.len() - from);
                if len != 0 {
                    punch_hole(&self.ring, from, len).expect("a memfd has holes");
                }
            }
        }
    }
}

/// Both ends, and what they should do.
struct Ends {
    producer: Option<SharedProducer>,
    consumer: Option<SharedConsumer>,
    /// What is in the ring; `None` once the peer was hostile.
    honest: Option<VecDeque<u8>>,
}

fuzz_target!(|input: Input| run(&input));

fn run(input: &Input) {
    let pages = 1 + usize::from(input.pages % 3);
    let ring = SharedRing::create(pages * unix_memory::page_size()).expect("a ring");
    let memory = MapOptions::new()
        .map_shared(&ring, ReadWrite)
        .expect("its memory");
    let mut ends = Ends {
        producer: Some(open(&ring).into_producer().expect("a new ring")),
        consumer: Some(open(&ring).into_consumer().expect("a new ring")),
        honest: Some(VecDeque::new()),
    };
    let peer = Peer { ring, memory };
    let acts = input.steps.iter().filter_map(|step| match step {
        Step::Hostile(hostile) => Some(hostile),
        _ => None,
    });
    let acts: Vec<_> = acts.cloned().collect();
    if !input.busy || acts.is_empty() {
        input.steps.iter().for_each(|step| ends.step(step, &peer));
        return;
    }
    ends.honest = None;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let meanwhile = scope.spawn(|| {
            while !over.load(Relaxed) {
                acts.iter().for_each(|hostile| peer.act(hostile));
            }
        });
        for _ in 0..4 {
            input.steps.iter().for_each(|step| ends.step(step, &peer));
        }
        over.store(true, Relaxed);
        meanwhile.join().expect("it does not panic");
    });
}

fn open(ring: &SharedRing) -> SharedRing {
    SharedRing::open(ring).expect("the descriptor of a ring")
}

impl Ends {
    fn step(&mut self, step: &Step, peer: &Peer) {
        match *step {
            Step::Push { len, first, stream } => self.push(len.into(), first, stream),
            Step::Pop { len, stream } => self.pop(len.into(), stream),
            Step::AskWhetherClosed => {
                let closed = [
                    self.producer.as_ref().map(SharedProducer::is_closed),
                    self.consumer.as_ref().map(SharedConsumer::is_closed),
                ];
                if self.honest.is_some() {
                    assert_eq!(closed, [Some(false); 2]);
                }
            }
            Step::Retake { producer } => self.retake(peer, producer),
            Step::Hostile(ref hostile) => {
                self.honest = None;
                peer.act(hostile);
            }
            Step::Open {
                len,
                seals,
                ref start,
            } => open_anything(len, seals, start),
        }
    }

    fn push(&mut self, len: usize, first: u8, stream: bool) {
        let Some(producer) = &mut self.producer else {
            return;
        };
        let bytes: Vec<u8> = (first..=255).chain(0..first).cycle().take(len).collect();
        let pushed = if stream {
            settle(producer.write(&bytes))
        } else {
            producer.push_slice(&bytes).map_err(checked).ok()
        };
        let capacity = producer.capacity();
        assert!(pushed.is_none_or(|n| n <= len.min(capacity)));
        if let Some(queue) = &mut self.honest {
            let n = len.min(capacity - queue.len());
            assert_eq!(pushed.unwrap_or(0), n);
            queue.extend(&bytes[..n]);
        }
    }

    fn pop(&mut self, len: usize, stream: bool) {
        const GUARD: [u8; 64] = [0xa5; 64];
        let Some(consumer) = &mut self.consumer else {
            return;
        };
        let mut buffer = vec![0; len];
        buffer.extend(GUARD);
        let popped = if stream {
            settle(consumer.read(&mut buffer[..len]))
        } else {
            consumer.pop_slice(&mut buffer[..len]).map_err(checked).ok()
        };
        assert!(popped.is_none_or(|n| n <= len.min(consumer.capacity())));
        assert_eq!(buffer[len..], GUARD, "what is behind the buffer");
        assert!(
            buffer[popped.unwrap_or(0)..len]
                .iter()
                .all(|&byte| byte == 0)
        );
        if let Some(queue) = &mut self.honest {
            let n = len.min(queue.len());
            assert_eq!(popped.unwrap_or(0), n);
            assert!(queue.drain(..n).eq(buffer[..n].iter().copied()));
        }
    }

    fn retake(&mut self, peer: &Peer, producer: bool) {
        let opened = || match SharedRing::open(&peer.ring) {
            Ok(ring) => Some(ring),
            Err(error) => {
                assert_eq!(error.reason(), Reason::NoRing, "{error}");
                None
            }
        };
        if producer {
            self.producer = None;
            self.producer = opened().and_then(|it| it.into_producer().map_err(checked).ok());
        } else {
            self.consumer = None;
            self.consumer = opened().and_then(|it| it.into_consumer().map_err(checked).ok());
        }
        let whole = self.producer.is_some() && self.consumer.is_some();
        assert!(whole || self.honest.is_none());
    }
}

/// What a stream did; `None` if it had to wait, or the peer is not honest.
fn settle(done: std::io::Result<usize>) -> Option<usize> {
    use std::io::ErrorKind::{BrokenPipe, WouldBlock};

    match done {
        Ok(n) => Some(n),
        Err(error) if matches!(error.kind(), WouldBlock | BrokenPipe) => None,
        Err(error) => {
            let inner = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<Error>());
            checked(*inner.expect("an error of the library"));
            None
        }
    }
}

/// The only error that a peer can cause.
fn checked(error: Error) {
    assert_eq!(
        (error.call(), error.errno()),
        (Call::Ring, libc::EIO),
        "{error}"
    );
    assert_eq!(error.reason(), Reason::RingPeer, "{error}");
}

/// Memory that anybody sent: it is a ring, or is refused.
fn open_anything(len: u16, seals: u8, start: &[u8]) {
    let memory = MemfdOptions::new()
        .sealing(true)
        .create(len.into())
        .expect("a memfd");
    let mapping = MapOptions::new()
        .map_shared(&memory, ReadWrite)
        .expect("its memory");
    let given = &start[..start.len().min(mapping.len())];
    mapping.write_at(0, given).expect("in the memory");
    drop(mapping);
    for (bit, seal) in [Seals::SHRINK, Seals::GROW, Seals::SEAL]
        .into_iter()
        .enumerate()
    {
        if seals >> bit & 1 != 0 {
            memory.add_seals(seal).expect("not sealed yet");
        }
    }
    match SharedRing::open(&memory) {
        Ok(ring) => {
            let capacity = ring.capacity();
            assert!(capacity < len.into() && start.starts_with(b"umring"));
            match ring.into_consumer() {
                Ok(mut consumer) => {
                    let popped = consumer.pop_slice(&mut vec![0; capacity]);
                    assert!(popped.map_err(checked).is_ok_and(|n| n <= capacity));
                }
                Err(error) => checked(error),
            }
        }
        Err(error) => {
            let reason = error.reason();
            let expected = matches!(reason, Reason::NoRing | Reason::SealsMissing { .. });
            assert!(expected, "{error}");
        }
    }
}
