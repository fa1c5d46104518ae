//! Another process truncates, punches holes in and rewrites a file while many threads read it.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use libc::EFAULT;
use tests::storm::{PAGES, check, disturb};
use tests::{Numbers, deadline, effort, in_a_child, in_threads, lacks, skip, spawn};
use unix_memory::{
    Call, MapOptions, Mechanism, ReadOnly, ReadWrite, Reason, SharedMapping, install_fault_handler,
    page_size,
};

const THREADS: u64 = 6;
/// Of each reader.
const READS: usize = 4_000;

/// Reads at random places by `mechanism`, and compares the result with what was in the file;
/// returns how often it succeeded, and how often it failed.
fn read(
    mapping: &SharedMapping<ReadOnly>,
    by: Option<Mechanism>,
    seed: u64,
    end: Instant,
) -> (u64, u64) {
    let mut numbers = Numbers(seed);
    let (mut good, mut bad) = (0, 0);
    let mut buffer = vec![0; mapping.len()];
    for round in 0..effort(READS) {
        if Instant::now() > end {
            break;
        }
        let offset = numbers.below(mapping.len());
        let most = mapping.len() - offset;
        // Mostly short ones.
        let len = numbers.below(if round % 8 == 0 { most } else { most.min(300) }) + 1;
        let buffer = &mut buffer[..len];
        // Never in the file.
        buffer.fill(255);
        let result = match by {
            None => mapping.read_at(offset, buffer),
            Some(mechanism) => mapping.read_at_with(mechanism, offset, buffer),
        };
        let done = match result {
            Ok(()) => {
                good += 1;
                len
            }
            Err(error) => {
                bad += 1;
                assert_eq!((error.call(), error.errno()), (Call::Read, EFAULT));
                let Reason::Fault { done, at, .. } = error.reason() else {
                    panic!("{error}");
                };
                assert_eq!(at, offset + done);
                assert!(done < len);
                // Mostly at the start of a page, unless it went while it was read.
                done
            }
        };
        check(offset, &buffer[..done]);
    }
    (good, bad)
}

fn survive(mechanisms: &[Option<Mechanism>]) {
    let file = tempfile::tempfile().unwrap();
    file.set_len((PAGES * page_size()) as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    let words = MapOptions::new().len(100).map_anonymous_shared(ReadWrite);
    let words = words.unwrap();
    let [stop, changes] = [0, 8].map(|offset| words.atomic::<AtomicUsize>(offset).unwrap());
    let other = spawn(|| disturb(&file, stop, changes));

    let totals = Mutex::new(Vec::new());
    let end = deadline();
    in_threads((0..THREADS).map(|i| {
        let by = mechanisms[usize::try_from(i).unwrap() % mechanisms.len()];
        let (mapping, totals) = (&mapping, &totals);
        move || {
            let (mut good, mut bad) = (0, 0);
            // Until both have been seen, since the other process may be slow.
            let mut round = 0;
            while (good == 0 || bad == 0) && Instant::now() < end {
                let (more, worse) = read(mapping, by, 1 + i + round * THREADS, end);
                (good, bad) = (good + more, bad + worse);
                round += 1;
            }
            totals.lock().unwrap().push((good, bad));
        }
    }));
    stop.store(1, Ordering::Relaxed);
    let ended = other.wait();
    assert_eq!(ended.code(), Some(0), "{ended}");
    let totals: Vec<(u64, u64)> = totals.into_inner().unwrap();
    println!(
        "{mechanisms:?}: {} changes; by thread (read, refused): {totals:?}",
        changes.load(Ordering::Relaxed)
    );
    if !totals.iter().all(|&(good, bad)| good > 0 && bad > 0) {
        skip(
            "both copies that come and copies that are refused, by each thread",
            "the machine is too busy",
        );
    }
    assert!(totals.iter().any(|&(good, _)| good > 0));
}

#[test]
fn while_the_kernel_copies() {
    if lacks::own_pages("files that are truncated while they are read") {
        return;
    }
    survive(&[None]);
    survive(&[Some(Mechanism::Pipe)]);
}

#[test]
fn while_the_processor_copies() {
    if lacks::own_pages("files that are truncated while they are read, by the handler") {
        return;
    }
    let ended = in_a_child(|| {
        if let Err(error) = install_fault_handler() {
            return skip("copies by the handler", &error.to_string());
        }
        survive(&[Some(Mechanism::Handler)]);
        // All at once, in one process.
        survive(&[None, Some(Mechanism::Handler), Some(Mechanism::Pipe)]);
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}
