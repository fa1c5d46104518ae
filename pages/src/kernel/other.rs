//! Other systems.

use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::path::Path;

use rustix::fs::OFlags;
use unix_memory::Flush;

use super::Answer;
use crate::map;

pub const OPEN: OFlags = OFlags::empty();

/// Nothing is counted.
pub fn cached(_: &File, _: &Range<u64>) -> Answer {
    Answer::Unknown
}

/// By `MS_INVALIDATE`, with which these systems let pages go that are on the disk.
pub fn evict(file: &File, bytes: &Range<u64>) -> io::Result<()> {
    file.sync_data()?;
    map::each(file, bytes, |_, mapping| {
        Ok(mapping.flush(Flush::Invalidate)?)
    })
}

/// To everybody.
pub fn shows_pages(_: &Path, _: &Metadata) -> bool {
    true
}
