//! The figures of a file, and of many.

use std::ops::AddAssign;

use serde::Serialize;

/// What the kernel counts of a file's pages, where it does: cachestat(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cached {
    /// Pages that it keeps; for exactness the pages in memory are counted one by one instead.
    #[serde(skip)]
    pub pages: u64,
    /// Pages of them that are yet to be written to the disk.
    pub dirty: u64,
    /// Pages of them that are being written.
    pub writeback: u64,
    /// Pages that it once kept, and threw out.
    pub evicted: u64,
    /// Pages of these that went lately, for want of memory.
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
    /// Of all files; absent where the kernel does not count.
    #[serde(flatten)]
    pub cached: Option<Cached>,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, more: Self) {
        // (The sizes of sparse files can have a sum that no u64 holds.)
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

/// What is known of many files.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Totals {
    /// Files that were done.
    pub files: u64,
    /// Files that could not be done.
    pub failed: u64,
    /// Files that were loaded, locked or evicted, but whose pages the kernel does not show to this process.
    pub hidden: u64,
    /// What was left out: files that are too large or that patterns leave out, files seen before by
    /// another name, symbolic links, and what is no file.
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
