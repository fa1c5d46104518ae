//! Both ends of a ring, in every order: no byte belongs to both ends at once, none is lost, and what was
//! given before an end was dropped is available.

#![cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use std::sync::Arc;

use interleavings::error::Call;
use interleavings::ring::end::{ConsumerEnd, End, ProducerEnd};
use interleavings::ring::memory::Memory;
use loom::thread;
use watched_core::model;

fn ends(capacity: usize) -> (ProducerEnd, ConsumerEnd) {
    let memory = Arc::new(Memory::new(capacity));
    let producer = End::new(Arc::clone(&memory)).expect("a new ring");
    let consumer = End::new(memory).expect("a new ring");
    (producer, consumer)
}

/// Writes `value` where there is room.
fn push(end: &mut ProducerEnd, value: u8) -> bool {
    if end.bytes_for(1).expect("an honest peer") == 0 {
        return false;
    }
    let byte = end.memory().byte(end.offset());
    // SAFETY: loom checks that no other thread has it.
    byte.with_mut(|byte| unsafe { *byte = value });
    end.advance(Call::Commit, 1).expect("there is one");
    true
}

/// Reads everything that is available, and gives it back at once.
fn pop(end: &mut ConsumerEnd, into: &mut Vec<u8>) {
    let bytes = end.refresh().expect("an honest peer");
    for at in 0..bytes {
        let byte = end.memory().byte(end.offset() + at);
        // SAFETY: as above.
        into.push(byte.with(|byte| unsafe { *byte }));
    }
    end.advance(Call::Consume, bytes)
        .expect("there are as many");
}

#[test]
fn bytes_arrive_once_and_in_order() {
    for before in 0..4 {
        model(3, move || {
            let (mut producer, mut consumer) = ends(2);
            // So that the seam, and the end of the numbers, come at each place.
            for _ in 0..before {
                assert!(push(&mut producer, 0));
                pop(&mut consumer, &mut Vec::new());
            }
            let writer = thread::spawn(move || {
                for value in 1..=3 {
                    while !push(&mut producer, value) {
                        thread::yield_now();
                    }
                }
                producer
            });
            let mut popped = Vec::new();
            while popped.len() < 3 {
                pop(&mut consumer, &mut popped);
                thread::yield_now();
            }
            assert_eq!(popped, [1, 2, 3]);
            drop(writer.join());
            assert!(consumer.is_closed());
        });
    }
}

#[test]
fn what_was_given_before_the_drop_is_there() {
    model(3, || {
        let (mut producer, mut consumer) = ends(2);
        let writer = thread::spawn(move || {
            assert!(push(&mut producer, 1));
        });
        if consumer.is_closed() {
            let mut popped = Vec::new();
            pop(&mut consumer, &mut popped);
            assert_eq!(popped, [1]);
        }
        writer.join().expect("it does not panic");
    });
}

#[test]
fn an_end_that_is_taken_again_goes_on() {
    model(3, || {
        let memory = Arc::new(Memory::new(2));
        let consume = || ConsumerEnd::new(Arc::clone(&memory)).expect("a ring");
        let mut producer = ProducerEnd::new(Arc::clone(&memory)).expect("a ring");
        let mut consumer = consume();
        let writer = thread::spawn(move || {
            for value in 1..=3 {
                while !push(&mut producer, value) {
                    thread::yield_now();
                }
            }
        });
        let mut popped = Vec::new();
        pop(&mut consumer, &mut popped);
        drop(consumer);
        let mut consumer = consume();
        while popped.len() < 3 {
            pop(&mut consumer, &mut popped);
            thread::yield_now();
        }
        assert_eq!(popped, [1, 2, 3]);
        writer.join().expect("it does not panic");
    });
}
