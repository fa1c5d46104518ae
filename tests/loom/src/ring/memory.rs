//! The memory of a ring: the numbers of its header are atomics of loom's, and its bytes are cells of loom's,
//! which fail where two threads have one at the same time.

use core::sync::atomic::AtomicUsize;

use loom::cell::UnsafeCell;

/// How many numbers the header has room for.
const NUMBERS: usize = 48;

pub struct Memory {
    header: [AtomicUsize; NUMBERS],
    bytes: Vec<UnsafeCell<u8>>,
}

impl Memory {
    pub fn new(capacity: usize) -> Self {
        Self {
            header: [const { AtomicUsize::new(0) }; NUMBERS],
            bytes: (0..capacity).map(|_| UnsafeCell::new(0)).collect(),
        }
    }

    pub const fn is_here(&self) -> bool {
        true
    }

    pub const fn header(&self) -> usize {
        NUMBERS * size_of::<usize>()
    }

    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    pub fn number(&self, offset: usize) -> &AtomicUsize {
        &self.header[offset / size_of::<usize>()]
    }

    /// The byte at `offset` of the mapping, which has two copies of the bytes.
    pub fn byte(&self, offset: usize) -> &UnsafeCell<u8> {
        &self.bytes[(offset - self.header()) % self.bytes.len()]
    }
}
