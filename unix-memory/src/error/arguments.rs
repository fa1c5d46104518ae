//! The arguments of a refused call, for its message.

use core::fmt;
use core::ops::Range;

/// Those arguments of a call that matter to a reader of its error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Arguments {
    None,
    /// A number of bytes, without a file.
    Length(usize),
    /// A number of bytes, if known, of a file from an offset on.
    File {
        offset: u64,
        len: Option<usize>,
    },
    /// A position in a mapping.
    At(usize),
    /// The change of a length.
    Resize {
        from: usize,
        to: usize,
    },
    /// A range of a mapping.
    Range {
        start: usize,
        len: usize,
    },
    /// A range of a mapping: number `index` of many that were given.
    Span {
        index: usize,
        start: usize,
        len: usize,
    },
    /// A range of a mapping, and where in the mapping it is copied to.
    Move {
        start: usize,
        len: usize,
        to: usize,
    },
    /// What should be a range of a mapping, but ends before it begins.
    Bounds {
        start: usize,
        end: usize,
    },
    /// Another process, by its process ID.
    Process(u32),
    /// Memory that need not be this crate's, by its address.
    Memory {
        address: usize,
        len: usize,
    },
    /// An object by its name, or memory by the name that it was to get.
    Name(Name),
    /// The length that a file was to get.
    #[cfg(feature = "std")]
    Size(u64),
}

/// A name, or as much of it as an error message needs.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    /// The first bytes, and zeros.
    bytes: [u8; 30],
    len: u8,
    is_whole: bool,
}

impl Name {
    pub(crate) fn new(name: &[u8]) -> Self {
        let mut bytes = [0; 30];
        let part = &name[..name.len().min(bytes.len())];
        bytes[..part.len()].copy_from_slice(part);
        Self {
            bytes,
            #[allow(clippy::cast_possible_truncation, reason = "at most 30")]
            len: part.len() as u8,
            is_whole: part.len() == name.len(),
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = &self.bytes[..usize::from(self.len)];
        let more = if self.is_whole { "" } else { "..." };
        write!(f, "\"{}{more}\"", part.escape_ascii())
    }
}

impl Arguments {
    pub(crate) const fn range(range: &Range<usize>) -> Self {
        Self::Range {
            start: range.start,
            len: range.end - range.start,
        }
    }
}

/// A number of bytes, with its noun.
pub(super) struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0 == 1 { "byte" } else { "bytes" };
        write!(f, "{} {noun}", self.0)
    }
}

impl fmt::Display for Arguments {
    /// What follows the call's name, with a space before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |len: usize| Bytes(len as u64);
        match *self {
            Self::None => Ok(()),
            Self::Length(len) => write!(f, " of {}", bytes(len)),
            Self::File {
                offset,
                len: Some(len),
            } => write!(f, " of {} at file offset {offset}", bytes(len)),
            Self::File { offset, len: None } => write!(f, " at file offset {offset}"),
            Self::At(position) => write!(f, " {position}"),
            Self::Resize { from, to } => write!(f, " from {from} to {}", bytes(to)),
            Self::Range { start, len } => write!(f, " of {} at {start}", bytes(len)),
            Self::Span { index, start, len } => {
                write!(f, " of {} at {start} (span {index})", bytes(len))
            }
            Self::Move { start, len, to } => {
                write!(f, " of {} at {start} to {to}", bytes(len))
            }
            Self::Bounds { start, end } => write!(f, " of bytes {start}..{end}"),
            Self::Process(number) => write!(f, " of process {number}"),
            Self::Memory { address, len } => write!(f, " of {} at {address:#x}", bytes(len)),
            Self::Name(name) => write!(f, " of {name:?}"),
            #[cfg(feature = "std")]
            Self::Size(len) => write!(f, " to {}", Bytes(len)),
        }
    }
}
