//! Rings of one process, and its children: nobody else has their memory.
// Emscripten maps nothing at a given address, so it has no rings.
#![cfg(not(target_os = "emscripten"))]

use std::cell::Cell;
use std::io::{BufRead, ErrorKind, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use libc::{EAGAIN, ENOMEM, EPERM};
use tests::seccomp::SYS_MREMAP;
use tests::{
    effort, here_and_as_the_first_process, in_a_child, in_a_child_of_the_same_number, in_threads,
    kernel, lacks, limit_address_space, mappings_up_to_the_limit, reachable_mapping_limit,
    refusing_argument, seccomp, skip,
};
use unix_memory::ring::{Consumer, Producer, pair};
use unix_memory::{Error, Mapping, ReadWrite, Reason};

/// A ring that holds some bytes. (A child takes its copies of the ends; the parent's stay.)
fn ring() -> (Cell<Option<Producer>>, Cell<Option<Consumer>>) {
    let (mut producer, consumer) = pair(1 << 16).unwrap();
    producer.push_slice(b"ours");
    (Cell::new(Some(producer)), Cell::new(Some(consumer)))
}

#[track_caller]
fn assert_elsewhere<T>(result: Result<T, Error>) {
    let error = result.err().expect("not in a child");
    assert_eq!(
        (error.errno(), error.reason()),
        (EPERM, Reason::OtherProcess)
    );
}

#[track_caller]
fn assert_denied<T>(result: std::io::Result<T>) {
    let kind = result.err().expect("not in a child").kind();
    assert_eq!(kind, ErrorKind::PermissionDenied);
}

/// Everything that an end can do.
fn use_ends(mut producer: Producer, mut consumer: Consumer) {
    assert!(producer.slot().is_empty());
    assert_eq!(producer.push_slice(b"theirs"), 0);
    assert_elsewhere(producer.commit(0));
    assert_elsewhere(producer.commit(1));
    assert_denied(producer.write(b"theirs"));
    assert!(producer.is_closed());
    assert!(format!("{producer:?}").contains("other: None"));
    assert!(consumer.available().is_empty());
    assert_eq!(consumer.pop_slice(&mut [0; 4]), 0);
    assert_elsewhere(consumer.consume(0));
    assert_elsewhere(consumer.consume(4));
    assert_denied(consumer.read(&mut [0; 4]));
    assert_denied(consumer.fill_buf());
    assert!(consumer.is_closed());
    assert_eq!(producer.capacity(), consumer.capacity());
}

#[track_caller]
fn assert_ours(ends: &(Cell<Option<Producer>>, Cell<Option<Consumer>>)) {
    let (mut producer, mut consumer) = (ends.0.take().unwrap(), ends.1.take().unwrap());
    assert!(!producer.is_closed() && !consumer.is_closed());
    assert_eq!(consumer.available(), b"ours");
    producer.push_slice(b" alone");
    assert_eq!(consumer.available(), b"ours alone");
}

#[test]
fn an_inherited_end_does_nothing() {
    here_and_as_the_first_process(|| {
        let ends = ring();
        let child = || {
            use_ends(ends.0.take().unwrap(), ends.1.take().unwrap());
            // What is mapped from here on is the child's own, wherever it comes to lie.
            let mine: Vec<Mapping<ReadWrite>> = (0..64)
                .map(|_| Mapping::anonymous(1 << 16).unwrap())
                .collect();
            assert!(
                mine.iter()
                    .all(|mapping| mapping.iter().all(|&byte| byte == 0))
            );
            // And so are its own rings.
            let (mut producer, mut consumer) = pair(1).unwrap();
            assert_eq!(producer.push_slice(b"mine"), 4);
            assert_eq!(consumer.available(), b"mine");
        };
        assert!(in_a_child_of_the_same_number(child).success());
        assert_ours(&ends);
    });
}

#[test]
fn inherited_ends_are_dropped_in_any_order() {
    for first in [true, false] {
        let ends = ring();
        let other = ring();
        let status = in_a_child(|| {
            if first {
                drop(ends.0.take());
                drop(ends.1.take());
            } else {
                drop(ends.1.take());
                drop(ends.0.take());
            }
            drop(other.0.take());
        });
        assert!(status.success());
        assert_ours(&ends);
        assert_ours(&other);
    }
}

#[test]
fn children_of_children() {
    let ends = ring();
    let status = in_a_child(|| {
        let own = ring();
        let status = in_a_child(|| {
            use_ends(own.0.take().unwrap(), own.1.take().unwrap());
            use_ends(ends.0.take().unwrap(), ends.1.take().unwrap());
        });
        assert!(status.success());
        assert_ours(&own);
        use_ends(ends.0.take().unwrap(), ends.1.take().unwrap());
    });
    assert!(status.success());
    assert_ours(&ends);
}

/// A slice that was borrowed before refers to nothing in the child: using it raises SIGSEGV.
#[test]
fn a_slice_does_not_reach_into_a_child() {
    let (mut producer, mut consumer) = pair(1 << 16).unwrap();
    producer.push_slice(b"ours");
    let (slot, available) = (Cell::new(Some(producer.slot())), consumer.available());
    let dies = |child: &dyn Fn()| {
        let status = in_a_child(|| {
            // SAFETY: the default action is a safe one.
            unsafe { libc::signal(libc::SIGSEGV, libc::SIG_DFL) };
            // So that something else could have come to lie there.
            let others: Vec<_> = (0..8)
                .map(|_| Mapping::anonymous(1 << 18).unwrap())
                .collect();
            child();
            drop(others);
        });
        assert_eq!(status.signal(), Some(libc::SIGSEGV), "{status}");
    };
    dies(&|| assert_eq!(std::hint::black_box(available), b"ours"));
    dies(&|| slot.take().unwrap().fill(0x41));
    let slot = slot.take().unwrap();
    assert!(slot.iter().all(|&byte| byte == 0));
    slot[0] = b'!';
    assert_eq!(available, b"ours");
    producer.commit(1).unwrap();
    assert_eq!(consumer.available(), b"ours!");
}

/// Children are made while other threads make and drop rings.
#[test]
fn forks_at_any_moment() {
    if lacks::own_process("a child of a process with threads") {
        // A lock of the emulator's own may stay locked in the child.
        return;
    }
    let done = AtomicBool::new(false);
    let ends = ring();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let (mut producer, mut consumer) = pair(1).unwrap();
                    producer.push_slice(b"x");
                    assert_eq!(consumer.available(), b"x");
                }
            });
        }
        for _ in 0..effort(300) {
            let status = in_a_child(|| {
                use_ends(ends.0.take().unwrap(), ends.1.take().unwrap());
                in_threads([|| drop(pair(1).unwrap()), || drop(pair(1).unwrap())]);
            });
            if !status.success() {
                done.store(true, Ordering::Relaxed);
            }
            assert!(status.success());
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_ours(&ends);
}

/// No descriptor of this process ever leads to the memory of a ring.
#[test]
fn nobody_can_open_the_memory() {
    let is_ours = |name: &std::path::Path| name.to_string_lossy().contains("unix-memory");
    let seen = || {
        let names = kernel::names_of_descriptors().get();
        names.map_or(0, |names| names.iter().filter(|name| is_ours(name)).count())
    };
    let status = in_a_child(|| {
        if std::env::var_os("UNIX_MEMORY_RUNNER").is_some() {
            return skip(
                "rings without descriptors",
                "an emulator may not map twice without",
            );
        }
        let stop = AtomicBool::new(false);
        let most = AtomicUsize::new(0);
        let bodies: [Box<dyn FnOnce() + Send>; 2] = [
            Box::new(|| {
                while !stop.load(Ordering::Relaxed) {
                    most.fetch_max(seen(), Ordering::Relaxed);
                }
            }),
            Box::new(|| {
                for _ in 0..effort(2000) {
                    drop(pair(1).unwrap());
                }
                stop.store(true, Ordering::Relaxed);
            }),
        ];
        in_threads(bodies);
        assert_eq!(most.load(Ordering::Relaxed), 0);
    });
    assert!(status.success());
}

/// A ring that cannot be made leaves nothing behind.
#[test]
fn refusals_leave_nothing() {
    let mapped = || kernel::mappings_named("/dev/zero").get();
    let status = in_a_child(|| {
        drop(pair(1).unwrap());
        let before = mapped();
        let fixed = (seccomp::MREMAP_MAYMOVE | seccomp::MREMAP_FIXED).unsigned_abs();
        for errno in [ENOMEM, EAGAIN, EPERM] {
            let make = || pair(1).map(drop);
            let refused = refusing_argument(SYS_MREMAP, 3, fixed.into(), errno, make);
            let Some(refused) = refused else { return };
            assert_eq!(refused.unwrap_err().errno(), errno);
            assert_eq!(mapped(), before, "after {errno}");
        }
    });
    assert!(status.success());
}

/// At the kernel's limit of mappings a ring is refused as a whole, again and again.
#[test]
fn the_limit_of_mappings() {
    let check = "rings at the limit";
    if lacks::own_process(check) || reachable_mapping_limit(check).is_none() {
        return;
    }
    let status = in_a_child(|| {
        drop(pair(1).unwrap());
        let mut many = mappings_up_to_the_limit(ReadWrite);
        let mut made = Vec::new();
        for _ in 0..16 {
            for _ in 0..100 {
                if let Ok(ring) = pair(1) {
                    made.push(ring);
                }
            }
            many.pop();
        }
        drop(made);
        drop(many);
        let (mut producer, mut consumer) = pair(1).unwrap();
        producer.push_slice(b"again");
        assert_eq!(consumer.available(), b"again");
        let rings = kernel::mappings_named("/dev/zero");
        assert!(rings.is(|&rings| rings < 10), "{rings:?} mappings are left");
    });
    assert!(status.success());
}

/// Closing them in a child takes no address space, and no mappings.
#[test]
fn a_child_lives_where_nothing_can_be_mapped() {
    if lacks::own_process("a child without address space") {
        return;
    }
    let held = in_a_child(|| {
        let _ends = ring();
        let set = limit_address_space(0).is_ok();
        // SAFETY: the child does nothing but end.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: as above.
            unsafe { libc::_exit(7) };
        }
        let mut status = 0;
        // SAFETY: the call writes the status.
        let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
        let fine = set && ended == child && libc::WIFEXITED(status);
        // SAFETY: the call has no preconditions. (To unwind takes memory.)
        unsafe { libc::_exit(i32::from(!fine)) };
    });
    assert!(held.success());
}
