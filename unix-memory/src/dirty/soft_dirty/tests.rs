//! The tracker over bits that the tests set, whatever the running kernel has.
#![allow(
    clippy::single_range_in_vec_init,
    reason = "ranges come in lists, of which one may have a single range"
)]

use core::ops::Range;
use core::ptr::{NonNull, without_provenance_mut};
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::collections::BTreeMap;
use std::string::ToString;
use std::sync::Mutex;
use std::vec::Vec;

use super::{BATCH, Owner, SoftDirty};
use crate::dirty::bits::{Bits, PRESENT, Refused, SOFT_DIRTY};
use crate::error::{Arguments, Call, Errno, Result};
use crate::page::{Pages, page_size};
use crate::process::Process;

const COUNT: usize = 3 * BATCH + 7;
const ARGUMENTS: Arguments = Arguments::None;

/// Pages that are not there: nobody touches them.
fn pages(range: Range<usize>) -> Pages {
    let first = 1000 + range.start;
    let start = NonNull::new(without_provenance_mut(first * page_size())).unwrap();
    Pages {
        start,
        len: range.len() * page_size(),
    }
}

/// What a kernel has.
struct Kernel {
    /// The entries, except those of pages that are in memory and were not written.
    entries: Mutex<BTreeMap<usize, u64>>,
    /// What the canary held when its bit was cleared.
    canary: AtomicU8,
    /// Whether the first thread of the process runs.
    has_first_thread: AtomicBool,
    /// Whether the other way to clear the bits works.
    clears_by_thread: AtomicBool,
}

impl Kernel {
    fn set(&self, page: usize, entry: u64) {
        let mut entries = self.entries.lock().unwrap();
        entries.insert(pages(page..page + 1).addresses().start, entry);
    }

    fn clear_all(&self, canary: u8) {
        let mut entries = self.entries.lock().unwrap();
        entries.retain(|_, entry| *entry & PRESENT == 0);
        self.canary.store(canary, Ordering::Relaxed);
    }

    /// What the canary at `address` holds.
    fn canary_at(address: usize) -> u8 {
        // SAFETY: besides the pages above, the tracker asks about its canary alone, which holds atomics.
        let canary = unsafe { &*core::ptr::with_exposed_provenance::<AtomicU8>(address) };
        canary.load(Ordering::Relaxed)
    }
}

/// The kernel, and where the tracker has its canary.
struct Fake<'a> {
    kernel: &'a Kernel,
    canary: core::cell::Cell<usize>,
}

impl Bits for Fake<'_> {
    fn read(&self, address: usize, entries: &mut [u64]) -> core::result::Result<(), Refused> {
        if !pages(0..COUNT).addresses().contains(&address) {
            self.canary.set(address);
            let is_written =
                Kernel::canary_at(address) != self.kernel.canary.load(Ordering::Relaxed);
            entries[0] = PRESENT | if is_written { SOFT_DIRTY } else { 0 };
            return Ok(());
        }
        let theirs = self.kernel.entries.lock().unwrap();
        for (i, entry) in entries.iter_mut().enumerate() {
            let address = address + i * page_size();
            *entry = theirs.get(&address).copied().unwrap_or(PRESENT);
        }
        Ok(())
    }

    fn clear(&self) -> core::result::Result<(), Refused> {
        if self.kernel.has_first_thread.load(Ordering::Relaxed) {
            self.kernel.clear_all(Kernel::canary_at(self.canary.get()));
        }
        Ok(())
    }

    fn clear_by_thread(&self) -> core::result::Result<(), Refused> {
        if self.kernel.clears_by_thread.load(Ordering::Relaxed) {
            self.kernel.clear_all(Kernel::canary_at(self.canary.get()));
        }
        Ok(())
    }
}

fn kernel() -> Kernel {
    Kernel {
        entries: Mutex::default(),
        canary: AtomicU8::new(0),
        has_first_thread: AtomicBool::new(true),
        clears_by_thread: AtomicBool::new(true),
    }
}

fn tracker(kernel: &Kernel) -> Result<SoftDirty<Fake<'_>>> {
    let bits = Fake {
        kernel,
        canary: core::cell::Cell::new(0),
    };
    let owner = Owner(Process::current().unwrap());
    SoftDirty::with(bits, owner, pages(0..COUNT), false, ARGUMENTS)
}

/// The pages that were written, in ranges that are not adjacent.
fn written(tracker: &SoftDirty<Fake<'_>>, reset: bool) -> Vec<Range<usize>> {
    let all = pages(0..COUNT);
    let mut pieces = tracker.pieces(all, false, ARGUMENTS, reset);
    let mut found: Vec<Range<usize>> = Vec::new();
    while let Some(piece) = pieces.next().unwrap() {
        let page = |address| (address - all.addresses().start) / page_size();
        let piece = page(piece.start)..page(piece.end);
        match found.last_mut() {
            Some(last) if last.end == piece.start => last.end = piece.end,
            _ => found.push(piece),
        }
    }
    found
}

#[test]
fn what_is_discarded_and_read_is_written() {
    let kernel = kernel();
    let mut tracker = tracker(&kernel).unwrap();
    assert_eq!(written(&tracker, true), []);
    kernel.set(3, PRESENT | SOFT_DIRTY);
    // Read again, they are in memory, without the bit. They are in several answers.
    tracker.note_discarded(pages(BATCH - 2..2 * BATCH + 1));
    tracker.note_discarded(pages(COUNT - 1..COUNT));
    // Not read again.
    kernel.set(5, 0);
    tracker.note_discarded(pages(5..6));
    let expected = [3..4, 5..6, BATCH - 2..2 * BATCH + 1, COUNT - 1..COUNT];
    for reset in [false, false, true] {
        assert_eq!(written(&tracker, reset), expected);
    }
    // (Nothing brings page 5 in here.)
    assert_eq!(written(&tracker, false), [5..6]);
    kernel.set(5, PRESENT);
    assert_eq!(written(&tracker, true), []);
    tracker.note_discarded(pages(0..1));
    tracker.mark(pages(0..COUNT), false, ARGUMENTS).unwrap();
    assert_eq!(written(&tracker, true), []);
}

#[test]
fn what_somebody_else_clears_is_noticed() {
    let kernel = kernel();
    let tracker = tracker(&kernel).unwrap();
    kernel.set(3, PRESENT | SOFT_DIRTY);
    kernel.clear_all(Kernel::canary_at(tracker.canary.0.addr().get()));
    assert_eq!(written(&tracker, true), [0..COUNT]);
    assert_eq!(written(&tracker, true), []);
}

#[test]
fn bits_that_were_not_cleared_are_noticed() {
    let kernel = kernel();
    let mut tracker = tracker(&kernel).unwrap();
    // The first thread has ended: its file does nothing, and succeeds.
    kernel.has_first_thread.store(false, Ordering::Relaxed);
    kernel.set(3, PRESENT | SOFT_DIRTY);
    assert_eq!(written(&tracker, true), [3..4]);
    assert_eq!(written(&tracker, true), []);

    kernel.clears_by_thread.store(false, Ordering::Relaxed);
    kernel.set(3, PRESENT | SOFT_DIRTY);
    tracker.note_discarded(pages(7..8));
    let mut pieces = tracker.pieces(pages(0..COUNT), false, ARGUMENTS, true);
    for _both in 0..2 {
        pieces.next().unwrap().unwrap();
    }
    let not_cleared = |error: crate::error::Error| -> (Call, Errno) {
        assert!(error.to_string().contains("clear_refs"), "{error}");
        (error.call(), error.errno())
    };
    let expected = (Call::ClearRefs, libc::EIO);
    assert_eq!(not_cleared(pieces.next().unwrap_err()), expected);
    let refused = tracker.mark(pages(0..COUNT), false, ARGUMENTS);
    assert_eq!(not_cleared(refused.unwrap_err()), expected);
    assert_eq!(written(&tracker, false), [3..4, 7..8]);

    kernel.has_first_thread.store(true, Ordering::Relaxed);
    assert_eq!(written(&tracker, true), [3..4, 7..8]);
    assert_eq!(written(&tracker, true), []);
}

#[test]
fn bits_that_cannot_be_cleared_are_no_bits() {
    let kernel = kernel();
    for works in [&kernel.has_first_thread, &kernel.clears_by_thread] {
        works.store(false, Ordering::Relaxed);
    }
    let error = tracker(&kernel).err().unwrap();
    assert_eq!(
        (error.call(), error.errno()),
        (Call::ClearRefs, libc::ENOSYS)
    );
}
