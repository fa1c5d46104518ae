//! Trackers of writes, in each way that works here.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use unix_memory::{
    Mapping, NoAccess, ReadWrite, Reason, Result, Tracked, Tracking, Written, page_size,
};

use crate::skip;

/// A process can have one tracker by soft-dirty bits.
static ALONE: Mutex<()> = Mutex::new(());

/// Keeps other tests from tracking by soft-dirty bits.
pub fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether writes can be tracked in this way here; if not, prints that `check` was skipped.
///
/// # Panics
/// If it is refused for another reason.
#[must_use]
pub fn works(tracking: Tracking, check: &str) -> bool {
    let mapping = Mapping::anonymous(1).unwrap();
    match mapping.into_tracked_by(tracking) {
        Ok(tracked) => {
            assert_eq!(tracked.tracking(), tracking);
            true
        }
        Err(refused) => {
            let error = refused.error();
            let is_denied = error.errno() == libc::EPERM;
            assert!(
                error.reason() == Reason::Unsupported || is_denied,
                "{error}"
            );
            skip(&format!("{check}, by {tracking:?}"), &error.to_string());
            false
        }
    }
}

/// Calls `f` with each way that works here, and prints which do not.
///
/// # Panics
/// Where `f` does.
pub fn by_each_way(check: &str, f: impl Fn(Tracking)) {
    let _alone = alone();
    for tracking in [Tracking::WriteProtect, Tracking::SoftDirty] {
        if works(tracking, check) {
            f(tracking);
        }
    }
}

/// Private memory between inaccessible pages, so that the kernel does not merge it with adjacent
/// mappings: otherwise soft-dirty bits would show all of it as written.
#[derive(Debug)]
pub struct Fenced {
    /// The memory.
    pub memory: Mapping<ReadWrite>,
    /// The pages that keep it apart.
    pub fences: [Mapping<NoAccess>; 2],
}

impl Fenced {
    /// So many pages.
    ///
    /// # Panics
    /// If they cannot be mapped.
    #[must_use]
    pub fn new(pages: usize) -> Self {
        let page = page_size();
        let all = Mapping::anonymous((pages + 2) * page).unwrap();
        let (first, rest) = all.split_at(page).unwrap();
        let (memory, last) = rest.split_at(pages * page).unwrap();
        let fences = [first, last].map(|fence| fence.protect(NoAccess).unwrap());
        Self { memory, fences }
    }
}

/// That many tracked pages, and what keeps them from being merged.
///
/// # Panics
/// If that is not possible.
pub fn tracked(
    pages: usize,
    tracking: Tracking,
) -> (Tracked<Mapping<ReadWrite>>, [Mapping<NoAccess>; 2]) {
    let Fenced { memory, fences } = Fenced::new(pages);
    (memory.into_tracked_by(tracking).unwrap(), fences)
}

/// What was written, in pages.
///
/// # Panics
/// If an item is an error, or is not whole pages.
#[must_use]
pub fn pages(written: Written<'_>) -> Vec<Range<usize>> {
    let page = page_size();
    let in_pages = |range: Result<Range<usize>>| {
        let range = range.unwrap();
        assert!(range.start.is_multiple_of(page) && range.end.is_multiple_of(page));
        assert!(!range.is_empty());
        range.start / page..range.end / page
    };
    written.map(in_pages).collect()
}
