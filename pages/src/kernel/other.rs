//! Other systems.

use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::path::Path;

use rustix::fs::OFlags;
use unix_memory::{Flush, page_size};

use super::Answer;
use crate::map;

pub const OPEN: OFlags = OFlags::empty();

/// Nothing is counted.
pub fn cached(_: &File, _: &Range<u64>) -> Answer {
    Answer::Unknown
}

/// With `MS_INVALIDATE`, these systems drop pages that are on the disk. Pages that have bytes outside of
/// `bytes` stay.
pub fn evict(file: &File, bytes: &Range<u64>) -> io::Result<()> {
    let page = page_size() as u64;
    let start = bytes.start.next_multiple_of(page);
    let end = if bytes.end < file.metadata()?.len() {
        map::page_start(bytes.end)
    } else {
        bytes.end
    };
    if start >= end {
        return Ok(());
    }
    file.sync_data()?;
    map::each(file, &(start..end), |_, mapping| {
        Ok(mapping.flush(Flush::Invalidate)?)
    })
}

/// To everybody.
pub fn shows_pages(_: &Path, _: &Metadata) -> bool {
    true
}
