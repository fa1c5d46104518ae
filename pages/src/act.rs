//! Acting on the pages of a file before looking at it.

use std::fs::File;
use std::io;
use std::ops::Range;

use unix_memory::{ReadOnly, SharedMapping};

use crate::map;
use crate::progress::Done;

/// How many bytes are brought in between two updates of the progress.
const STEP: usize = 8 << 20;

/// Brings in the pages that hold `bytes`, and calls `done` with how many more bytes are in memory.
pub fn load(file: &File, bytes: &Range<u64>, done: Done<'_>) -> io::Result<()> {
    map::each(file, bytes, |_, mapping| populate(mapping, done))
}

fn populate(mapping: &SharedMapping<ReadOnly>, done: Done<'_>) -> io::Result<()> {
    let mut before = 0;
    for reached in mapping.populate_in_steps(STEP) {
        let reached = reached.map_err(map::plain)? as u64;
        done(reached - before)?;
        before = reached;
    }
    Ok(())
}

/// Keeps the pages that hold `bytes` in memory as long as the result lives.
pub fn lock(
    file: &File,
    bytes: &Range<u64>,
    done: Done<'_>,
) -> io::Result<SharedMapping<ReadOnly>> {
    let mapping = map::map(file, bytes)?;
    // The slow part comes first, step by step.
    populate(&mapping, done)?;
    // Once forgotten, the guard holds the pages until they are unmapped.
    std::mem::forget(mapping.lock().map_err(map::plain)?);
    Ok(mapping)
}
