//! A process that truncates, punches and rewrites a file, while others read it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use unix_memory::page_size;

use crate::Numbers;
use crate::kernel;

/// How many pages the file has when it is whole.
pub const PAGES: usize = 16;

/// The two bytes that the file may have at `offset`, but for zero.
///
/// # Panics
/// Never.
#[must_use]
pub fn bytes(offset: usize) -> [u8; 2] {
    [1, 101].map(|first| u8::try_from(offset % 97).expect("a byte") + first)
}

/// Checks that `found` may have been in the file from `offset` on.
///
/// # Panics
/// Where a byte was never there.
pub fn check(offset: usize, found: &[u8]) {
    for (i, &byte) in found.iter().enumerate() {
        let was = byte == 0 || bytes(offset + i).contains(&byte);
        assert!(was, "{byte} at {} was never in the file", offset + i);
    }
}

/// What the other process does to the file until `stop` is set.
///
/// # Panics
/// Where the file cannot be changed.
pub fn disturb(file: &File, stop: &AtomicUsize, changes: &AtomicUsize) {
    let len = PAGES * page_size();
    let full = [0, 1].map(|i| (0..len).map(|at| bytes(at)[i]).collect::<Vec<u8>>());
    let mut numbers = Numbers(0x5eed);
    while stop.load(Ordering::Relaxed) == 0 {
        let (start, end) = (numbers.below(len), numbers.below(len + 1));
        let content = &full[numbers.below(2)];
        match numbers.below(6) {
            0 => file.set_len(0).expect("no length"),
            1 => file.set_len(end as u64).expect("a length"),
            2 => {
                // Not every file system has holes.
                let _or_not = kernel::punch_hole(file, start, end.saturating_sub(start));
            }
            3 | 4 => file.write_all_at(content, 0).expect("all of it"),
            _ => {
                let range = start.min(end)..start.max(end);
                file.write_all_at(&content[range], start.min(end) as u64)
                    .expect("a part of it");
            }
        }
        changes.fetch_add(1, Ordering::Relaxed);
    }
}
