//! Another process truncates, punches holes in and rewrites a file while many threads read it.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::os::unix::fs::FileExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use libc::EFAULT;
use tests::{deadline, effort, in_a_child, in_threads, kernel, lacks, skip, spawn};
use unix_memory::{
    Call, MapOptions, Mechanism, ReadOnly, ReadWrite, Reason, SharedMapping, install_fault_handler,
    page_size,
};

const PAGES: usize = 16;
const THREADS: u64 = 6;
/// Of each reader.
const READS: usize = 4_000;

/// A generator of numbers, by xorshift: the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// The two bytes that the file may have at `offset`, but for zero.
fn bytes(offset: usize) -> [u8; 2] {
    [1, 101].map(|first| u8::try_from(offset % 97).unwrap() + first)
}

/// What the other process does to the file until `stop` is set.
fn disturb(file: &std::fs::File, stop: &AtomicUsize, changes: &AtomicUsize) {
    let len = PAGES * page_size();
    let full = [0, 1].map(|i| (0..len).map(|at| bytes(at)[i]).collect::<Vec<u8>>());
    let mut numbers = Numbers(0x5eed);
    while stop.load(Ordering::Relaxed) == 0 {
        let (start, end) = (numbers.below(len), numbers.below(len + 1));
        let content = &full[numbers.below(2)];
        match numbers.below(6) {
            0 => file.set_len(0).unwrap(),
            1 => file.set_len(end as u64).unwrap(),
            2 => punch(file, start, end.saturating_sub(start)),
            3 | 4 => file.write_all_at(content, 0).unwrap(),
            _ => {
                let range = start.min(end)..start.max(end);
                file.write_all_at(&content[range], start.min(end) as u64)
                    .unwrap();
            }
        }
        changes.fetch_add(1, Ordering::Relaxed);
    }
}

fn punch(file: &std::fs::File, start: usize, len: usize) {
    // Not every file system has holes.
    let _or_not = kernel::punch_hole(file, start, len);
}

/// Reads at random places by `mechanism`, and holds what comes against what was in the file;
/// returns how often it came, and how often an error.
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
                let Reason::Fault { done, at } = error.reason() else {
                    panic!("{error}");
                };
                assert_eq!(at, offset + done);
                assert!(done < len);
                // Mostly at the start of a page, unless it went while it was read.
                done
            }
        };
        for (i, &byte) in buffer[..done].iter().enumerate() {
            let was = byte == 0 || bytes(offset + i).contains(&byte);
            assert!(was, "{byte} at {} was never in the file", offset + i);
        }
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
            // Until both were seen: the other process may take its time.
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
