//! Copies of memory that may be gone, by each mechanism.

use std::fs::File;
use std::os::unix::fs::FileExt;

use libc::{ENOSYS, ENOTSUP, EPERM};
use unix_memory::{
    FaultCause, MapOptions, Mechanism, ReadOnly, ReadWrite, Reason, SharedMapping, page_size,
};

use crate::skip;

/// Where the mapping of [`truncated`] begins in its file: not at a page boundary.
pub const START: usize = 5;

/// The reason of a copy that stopped after `done` bytes, at the byte at `at`, for a cause that is not known.
#[must_use]
pub const fn stopped(done: usize, at: usize) -> Reason {
    let cause = FaultCause::Unknown;
    Reason::Fault { done, at, cause }
}

/// The mechanisms that work here, in addition to the default choice.
///
/// # Panics
/// If nothing can be mapped.
#[must_use]
pub fn mechanisms() -> Vec<Option<Mechanism>> {
    let mapping = MapOptions::new()
        .len(1)
        .map_anonymous_shared(ReadOnly)
        .unwrap();
    let works = |&mechanism: &Mechanism| {
        let result = mapping.read_at_with(mechanism, 0, &mut [1]);
        if let Err(error) = result {
            assert!(matches!(error.errno(), ENOSYS | ENOTSUP | EPERM), "{error}");
            // That test makes children itself.
            if error.reason() != Reason::NoHandler {
                skip(&format!("{mechanism:?}"), &error.to_string());
            }
        }
        result.is_ok()
    };
    let all = [Mechanism::Handler, Mechanism::ProcessVm, Mechanism::Pipe];
    std::iter::once(None)
        .chain(all.into_iter().filter(works).map(Some))
        .collect()
}

/// A copy out of `mapping`, `by` a mechanism or by the default choice.
///
/// # Errors
/// Those of `read_at`.
pub fn read(
    mapping: &SharedMapping<ReadWrite>,
    by: Option<Mechanism>,
    offset: usize,
    buffer: &mut [u8],
) -> unix_memory::Result<()> {
    match by {
        None => mapping.read_at(offset, buffer),
        Some(mechanism) => mapping.read_at_with(mechanism, offset, buffer),
    }
}

/// A copy into `mapping`, `by` a mechanism or by the default choice.
///
/// # Errors
/// Those of `write_at`.
pub fn write(
    mapping: &SharedMapping<ReadWrite>,
    by: Option<Mechanism>,
    offset: usize,
    bytes: &[u8],
) -> unix_memory::Result<()> {
    match by {
        None => mapping.write_at(offset, bytes),
        Some(mechanism) => mapping.write_at_with(mechanism, offset, bytes),
    }
}

/// The byte of the file at `offset`, never zero.
///
/// # Panics
/// Never.
#[must_use]
pub fn byte(offset: usize) -> u8 {
    u8::try_from(offset % 251).unwrap() + 1
}

/// A file of `pages` pages and its mapping from offset `START` on; after that, the file is cut to
/// `left` bytes.
///
/// # Panics
/// If that is not possible.
pub fn truncated(pages: usize, left: usize) -> (File, SharedMapping<ReadWrite>) {
    let file = tempfile::tempfile().unwrap();
    let bytes: Vec<u8> = (0..pages * page_size()).map(byte).collect();
    file.write_all_at(&bytes, 0).unwrap();
    let options = MapOptions::new().offset(START as u64);
    let mapping = options.map_shared(&file, ReadWrite).unwrap();
    file.set_len(left as u64).unwrap();
    (file, mapping)
}
