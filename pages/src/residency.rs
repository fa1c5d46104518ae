//! Finding out which pages of a file are in memory.

use std::fs::File;
use std::io;
use std::ops::Range;

use unix_memory::page_size;

use crate::figures::Cached;
use crate::kernel::{self, Answer};
use crate::map;
use crate::progress::Done;
use crate::runs::Runs;

/// The largest range whose pages are asked about one by one even if few are in memory: one call of
/// mincore(2).
const FEW: u64 = 1024;

/// The number of parts into which a range is divided if most of it is not in memory.
const PARTS: u64 = 16;

/// Looks at the pages that hold `bytes` of the file, of which the kernel counts those that are `cached`,
/// and calls `done` with how many more bytes were looked at.
///
/// For pages that are not in memory, mincore(2) takes as long as for others: half a minute for a file of
/// a terabyte. So if the kernel counts no pages in a part, it is not asked about each of them.
pub fn look(
    file: &File,
    bytes: &Range<u64>,
    cached: Option<Cached>,
    done: Done<'_>,
) -> io::Result<Runs> {
    let mut runs = Runs::default();
    let bytes = map::page_start(bytes.start)..bytes.end;
    match cached {
        Some(cached) => descend(file, &bytes, cached.pages, &mut runs, done)?,
        None => ask(file, &bytes, &mut runs, done)?,
    }
    Ok(runs)
}

/// Looks at a range of which the kernel keeps `cached` pages.
fn descend(
    file: &File,
    bytes: &Range<u64>,
    cached: u64,
    runs: &mut Runs,
    done: Done<'_>,
) -> io::Result<()> {
    let page = page_size() as u64;
    let len = bytes.end - bytes.start;
    let pages = len.div_ceil(page);
    if cached == 0 {
        return done(len);
    }
    if pages <= FEW || cached > pages / (4 * PARTS) {
        return ask(file, bytes, runs, done);
    }
    let step = pages.div_ceil(PARTS) * page;
    let mut start = bytes.start;
    while start < bytes.end {
        let part = start..bytes.end.min(start.saturating_add(step));
        start = part.end;
        match kernel::cached(file, &part) {
            Answer::Cached(cached) => descend(file, &part, cached.pages, runs, done)?,
            Answer::Denied | Answer::Unknown => ask(file, &part, runs, done)?,
        }
    }
    Ok(())
}

/// Asks about each page.
fn ask(file: &File, bytes: &Range<u64>, runs: &mut Runs, done: Done<'_>) -> io::Result<()> {
    let page = page_size() as u64;
    map::each(file, bytes, |start, mapping| {
        let first = start / page;
        let mut reported = 0;
        for (resident, number) in mapping.residency().zip(0..) {
            let at = first + number;
            if resident.map_err(map::plain)? {
                runs.push(at..at + 1);
            }
            if number % (1 << 16) == 0 {
                done((number - reported) * page)?;
                reported = number;
            }
        }
        done(mapping.len() as u64 - reported * page)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_that_was_truncated_is_an_error() {
        if ::tests::lacks::own_pages("the pages of a file") {
            return;
        }
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&vec![1; page_size()]).expect("room");
        let len = page_size() as u64;
        let runs = look(&file, &(0..len), None, &mut |_| Ok(())).expect("it is there");
        assert_eq!(runs.count(), 1);
        let error = look(&file, &(0..2 * len), None, &mut |_| Ok(())).expect_err("it is shorter");
        assert!(error.to_string().contains("truncated"), "{error}");
    }

    #[test]
    fn all_bytes_are_said_to_be_done() {
        let file = tempfile::tempfile().expect("a file");
        let len = (300 << 20) + 1;
        file.set_len(len).expect("a hole");
        let none = Cached::default();
        for cached in [None, Some(none)] {
            let mut sum = 0;
            let mut add = |done| {
                sum += done;
                Ok(())
            };
            let runs = look(&file, &(0..len), cached, &mut add).expect("it is there");
            assert_eq!((sum, runs.count()), (len, 0));
        }
    }

    #[test]
    fn it_stops_when_it_is_asked_to() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(1 << 32).expect("a hole");
        let mut times = 0;
        let mut stop = |_| {
            times += 1;
            Err(io::ErrorKind::Interrupted.into())
        };
        let error = look(&file, &(0..1 << 32), None, &mut stop).expect_err("it is stopped");
        assert_eq!((error.kind(), times), (io::ErrorKind::Interrupted, 1));
    }
}
