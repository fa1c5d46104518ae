//! The figures of one file, and of many.

use std::ops::AddAssign;

use serde::Serialize;

/// The kernel's counts of a file's pages, if it has them: cachestat(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cached {
    /// Pages in the cache. (For exactness, the pages in memory are counted one by one instead.)
    #[serde(skip)]
    pub pages: u64,
    /// Of these, the pages that have yet to be written to the disk.
    pub dirty: u64,
    /// Of these, the pages that are being written.
    pub writeback: u64,
    /// Pages that were in the cache and have been evicted.
    pub evicted: u64,
    /// Of these, the pages that were evicted recently, because memory was short.
    pub recently_evicted: u64,
}

/// Sizes and counts, of the part of a file that was looked at, or of many files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    pub bytes: u64,
    pub pages: u64,
    /// Pages in memory, and the bytes of them that are the file's.
    pub resident: u64,
    pub resident_bytes: u64,
    /// Of all files; absent if the kernel does not count.
    #[serde(flatten)]
    pub cached: Option<Cached>,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, more: Self) {
        // (The sum of the sizes of sparse files may not fit into a u64.)
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.pages = self.pages.saturating_add(more.pages);
        self.resident = self.resident.saturating_add(more.resident);
        self.resident_bytes = self.resident_bytes.saturating_add(more.resident_bytes);
        if let Some(more) = more.cached {
            let sum = self.cached.get_or_insert_default();
            sum.pages += more.pages;
            sum.dirty += more.dirty;
            sum.writeback += more.writeback;
            sum.evicted += more.evicted;
            sum.recently_evicted += more.recently_evicted;
        }
    }
}

/// The figures of many files.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Totals {
    /// Files that were processed.
    pub files: u64,
    /// Files that could not be processed.
    pub failed: u64,
    /// Files that were loaded, locked or evicted, but whose pages the kernel does not show to this process.
    pub hidden: u64,
    /// What was left out: files that are too large or that patterns exclude, files seen before under
    /// another name, symbolic links, and whatever is not a file.
    pub skipped: u64,
    #[serde(flatten)]
    pub figures: Figures,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, more: Self) {
        self.files += more.files;
        self.failed += more.failed;
        self.hidden += more.hidden;
        self.skipped += more.skipped;
        self.figures += more.figures;
    }
}
