//! Mapping a file, one part after another: a file can be longer than the address space.

use std::fs::File;
use std::io;
use std::ops::Range;

use unix_memory::{Error, MapOptions, ReadOnly, Reason, SharedMapping, page_size};

/// How many bytes are mapped at once: a divisor of the address space, and a multiple of every page
/// size.
const PART: u64 = if usize::BITS < 64 { 64 << 20 } else { 1 << 30 };

/// Maps the pages of the file that hold `bytes`, which lie in it.
pub fn map(file: &File, bytes: &Range<u64>) -> io::Result<SharedMapping<ReadOnly>> {
    let start = page_start(bytes.start);
    let len = usize::try_from(bytes.end - start).unwrap_or(usize::MAX);
    let options = MapOptions::new().offset(start).len(len);
    // If there are no shared mappings, a private one shows the same pages.
    match options.map_shared(file, ReadOnly) {
        Err(error) if error.reason() == Reason::PrivateOnly => {
            options.map_private(file, ReadOnly).map_err(plain)
        }
        result => result.map_err(plain),
    }
}

/// Calls `f` with each part of `bytes` in order: where it starts in the file, and its mapping.
pub fn each(
    file: &File,
    bytes: &Range<u64>,
    mut f: impl FnMut(u64, &SharedMapping<ReadOnly>) -> io::Result<()>,
) -> io::Result<()> {
    let mut start = page_start(bytes.start);
    while start < bytes.end {
        let end = bytes.end.min(start.saturating_add(PART));
        f(start, &map(file, &(start..end))?)?;
        start = end;
    }
    Ok(())
}

/// Where the page with this byte begins.
pub fn page_start(byte: u64) -> u64 {
    byte - byte % page_size() as u64
}

/// Words for the library's error that make sense to users who know nothing about mappings, for the
/// likely errors.
pub fn plain(error: Error) -> io::Error {
    let text = match error.reason() {
        Reason::FileLength(_) | Reason::Fault { .. } => {
            "the file was truncated while it was looked at, or its disk cannot be read"
        }
        Reason::NoMappings => "its file system cannot report which of its pages are in memory",
        Reason::Unsupported => "this system does not report which pages are in memory",
        Reason::LockLimit {
            asked,
            limit,
            locked,
        } => {
            return io::Error::new(
                io::ErrorKind::OutOfMemory,
                format!(
                    "{asked} bytes would have to be locked, and without privilege this process may lock {limit}, \
                     of which {locked} are in use; `ulimit -l` shows the limit"
                ),
            );
        }
        _ => match error.errno() {
            libc::EFAULT => {
                "the file was truncated while it was looked at, or its disk cannot be read"
            }
            libc::ENOSYS => "this system does not report which pages are in memory",
            libc::ENOMEM => {
                return io::Error::new(
                    io::ErrorKind::OutOfMemory,
                    format!(
                        "not enough memory, or too many files are locked at once (on Linux, see \
                         /proc/sys/vm/max_map_count): {error}"
                    ),
                );
            }
            _ => return error.into(),
        },
    };
    let kind = io::Error::from_raw_os_error(error.errno()).kind();
    io::Error::new(kind, text)
}
