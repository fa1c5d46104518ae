//! Why a byte of a mapping of a file cannot be reached.

use core::ffi::c_int;
use core::fmt;

use super::errno;

/// Why a byte of a mapping cannot be reached, as far as that can be asked: part of
/// [`Reason::Fault`](crate::Reason::Fault).
///
/// The kernel reports the same `EFAULT` in each case, and a mapping keeps no descriptor of its file that
/// could be asked. [`MappedFile`](crate::MappedFile) keeps one. Whoever has the file of another mapping
/// can ask [`FaultCause::of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultCause {
    /// Not known: the file was truncated, or its disk is full or failed.
    Unknown,
    /// The file ends before the page of the byte: it was truncated.
    Truncated,
    /// The file system has no free space for ordinary users, which the page needs if it is in a hole of the
    /// file, or is shared with another file (`cp --reflink`).
    NoSpace,
    /// The byte can be read, but not written: the file system is full, a quota is used up, or the disk
    /// failed.
    NotWritable,
    /// Reading the byte from the file fails too, with this `errno`: `EIO`, for example.
    ReadError(c_int),
}

impl FaultCause {
    /// Writes what is the matter with the byte at `at`.
    pub(super) fn fmt(self, at: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => write!(
                f,
                "byte {at} cannot be reached, because the file was truncated, or its disk is full or \
                 failed"
            ),
            Self::Truncated => write!(
                f,
                "byte {at} cannot be reached, because the file was truncated and now ends before it: \
                 lengthen the file, or map what is left of it"
            ),
            Self::NoSpace => write!(
                f,
                "byte {at} cannot be reached, because its file system is full: free some space"
            ),
            Self::NotWritable => write!(
                f,
                "byte {at} can be read, but not written, because its file system is full, a quota is \
                 used up, or the disk failed"
            ),
            Self::ReadError(number) => {
                write!(
                    f,
                    "byte {at} cannot be reached, and reading it from the file fails too: "
                )?;
                match errno::text(number) {
                    Some(text) => f.write_str(text),
                    None => write!(f, "error number {number}"),
                }
            }
        }
    }
}
