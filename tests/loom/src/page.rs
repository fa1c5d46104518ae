//! Pages of 4 KiB.

use std::ops::Range;
use std::ptr::NonNull;

#[derive(Clone, Copy)]
pub struct Pages {
    pub start: NonNull<u8>,
    pub len: usize,
}

impl Pages {
    pub fn addresses(&self) -> Range<usize> {
        let start = self.start.addr().get();
        start..start + self.len
    }
}

pub const fn page_size() -> usize {
    4096
}

pub const fn round_up(len: usize) -> usize {
    len.next_multiple_of(page_size())
}
