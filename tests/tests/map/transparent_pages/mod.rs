//! The setup of the tests of transparent huge pages.

use tests::{lacks, skip};
use unix_memory::{HugePageSize, MapOptions};

/// The size of transparent huge pages, where a test of them can take a few.
pub fn size(what: &str) -> Option<usize> {
    let size = HugePageSize::transparent().map(HugePageSize::bytes);
    let size = size.filter(|&size| size <= 32 << 20);
    if size.is_none() {
        skip(what, "the kernel has none, or larger ones");
    }
    size.filter(|_| !lacks::advice(what))
}

pub fn options(len: usize) -> MapOptions {
    MapOptions::new().len(len).transparent_huge_pages(true)
}
