//! Ranges that are known to be claimed, so that their entries are not checked again.

use core::ops::Range;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// How many ranges are kept: the first long ones.
const MOST: usize = 8;

/// States of a slot.
const EMPTY: usize = 0;
const WRITTEN_TO: usize = 1;
const READY: usize = 2;

/// The ranges. All zeros are a valid value: no ranges.
pub struct Memo([Slot; MOST]);

/// A range, written once.
struct Slot {
    state: AtomicUsize,
    start: AtomicUsize,
    end: AtomicUsize,
    size: AtomicUsize,
}

impl Memo {
    /// Returns whether `bytes` are known to be claimed for atomics of `size` bytes.
    pub fn has(&self, bytes: &Range<usize>, size: usize) -> bool {
        for slot in &self.0 {
            // Acquire pairs with the release of `add`: the other fields were written, and do not
            // change.
            match slot.state.load(Acquire) {
                READY => {
                    let fits = slot.start.load(Relaxed) <= bytes.start
                        && bytes.end <= slot.end.load(Relaxed)
                        && slot.size.load(Relaxed) == size;
                    if fits {
                        return true;
                    }
                }
                WRITTEN_TO => {}
                // Slots are taken in order.
                _ => return false,
            }
        }
        false
    }

    /// Records that `bytes` are claimed for atomics of `size` bytes, if there is room.
    pub fn add(&self, bytes: &Range<usize>, size: usize) {
        for slot in &self.0 {
            let mine = slot
                .state
                .compare_exchange(EMPTY, WRITTEN_TO, Relaxed, Relaxed);
            if mine.is_ok() {
                slot.start.store(bytes.start, Relaxed);
                slot.end.store(bytes.end, Relaxed);
                slot.size.store(size, Relaxed);
                slot.state.store(READY, Release);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ranges_are_kept() {
        let new = || Slot {
            state: AtomicUsize::new(EMPTY),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            size: AtomicUsize::new(0),
        };
        let memo = Memo(core::array::from_fn(|_| new()));
        assert!(!memo.has(&(0..8), 8));
        for number in 0..=MOST {
            memo.add(&(100 * number..100 * number + 80), 8);
        }
        for number in 0..=MOST {
            let start = 100 * number;
            let kept = number < MOST;
            assert_eq!(memo.has(&(start..start + 80), 8), kept);
            assert_eq!(memo.has(&(start + 8..start + 16), 8), kept);
            assert!(!memo.has(&(start..start + 80), 4));
            assert!(!memo.has(&(start..start + 81), 8));
        }
    }
}
