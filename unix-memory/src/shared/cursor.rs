//! A shared mapping that `std::io` reads and writes.

use std::io::{BufRead, Error, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::ops::Deref;
use std::vec::Vec;

use crate::error::Reason;
use crate::protection::{Access, Readable, Writable};
use crate::shared::SharedMapping;

/// This many bytes are copied at once for `BufRead`.
const BUFFER: usize = 8 << 10;

/// A position in a [`SharedMapping`] at which `std::io` reads and writes: it implements [`Read`],
/// [`BufRead`], [`Write`] and [`Seek`], as [`std::io::Cursor`] does for a slice.
///
/// `M` refers to the mapping: `&SharedMapping<A>`, `Box`, `Rc`, `Arc`. Each method dereferences it
/// once, so it may refer to another mapping at the next call: the position stays as it is, and the
/// buffer of `BufRead` is shown as far as it lies in the mapping.
///
/// * **Truncation**: if memory is gone, reading and writing return what could be copied before, then
///   an error with the [`ErrorKind`] of `EFAULT` and the [`Error`](crate::Error) inside.
/// * **The end**: a mapping does not grow. At its end, or beyond, reading returns 0 bytes, and so
///   does writing (`write_all` then fails with [`ErrorKind::WriteZero`]).
/// * **`BufRead`** has a buffer of its own, allocated at first use, and shows the bytes as they were
///   when it was filled: up to 8 KiB at a time. [`Read`] never reads from it.
/// * **`flush`** does nothing: what was written is in the mapping. To write it to the file, see
///   [`SharedMapping::flush`].
///
/// ```
/// use std::io::{BufRead, Read, Seek, Write};
/// use unix_memory::{Cursor, MapOptions, ReadWrite};
///
/// let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadWrite)?;
/// let mut cursor = Cursor::new(&mapping);
/// write!(cursor, "one\ntwo\n")?;
/// cursor.rewind()?;
/// let mut line = String::new();
/// cursor.read_line(&mut line)?;
/// assert_eq!(line, "one\n");
/// let mut rest = [0; 4];
/// cursor.read_exact(&mut rest)?;
/// assert_eq!(&rest, b"two\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cursor<M> {
    mapping: M,
    /// In bytes from the start of the mapping; it may lie beyond its end.
    position: u64,
    buffer: Vec<u8>,
    /// The offset from which the bytes of `buffer` come.
    buffered_at: usize,
}

impl<M> Cursor<M> {
    /// Makes a cursor at the start of `mapping`.
    pub const fn new(mapping: M) -> Self {
        Self {
            mapping,
            position: 0,
            buffer: Vec::new(),
            buffered_at: 0,
        }
    }

    /// Returns the position, in bytes from the start of the mapping.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Moves to `position`, in bytes from the start of the mapping; it may lie beyond its end.
    pub const fn set_position(&mut self, position: u64) {
        self.position = position;
    }

    /// Returns the reference to the mapping.
    pub const fn get_ref(&self) -> &M {
        &self.mapping
    }

    /// Returns the reference to the mapping, by value.
    pub fn into_inner(self) -> M {
        self.mapping
    }
}

/// Returns the offset of `position` in `mapping`, at most its end, and how many bytes follow from
/// there on.
fn rest<A: Access>(mapping: &SharedMapping<A>, position: u64) -> (usize, usize) {
    let len = mapping.len();
    let offset = usize::try_from(position).map_or(len, |position| position.min(len));
    (offset, len - offset)
}

/// Returns how much was copied: all of `len` bytes, or those before a fault, if any.
fn copied(len: usize, result: crate::error::Result<()>) -> Result<usize> {
    match result {
        Ok(()) => Ok(len),
        Err(error) => match error.reason() {
            Reason::Fault { done, .. } if done > 0 => Ok(done),
            _ => Err(error.into()),
        },
    }
}

impl<M, A> Read for Cursor<M>
where
    M: Deref<Target = SharedMapping<A>>,
    A: Readable,
{
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mapping: &SharedMapping<A> = &self.mapping;
        let (offset, rest) = rest(mapping, self.position);
        let len = buffer.len().min(rest);
        let done = copied(len, mapping.read_at(offset, &mut buffer[..len]))?;
        self.position += done as u64;
        Ok(done)
    }

    fn read_to_end(&mut self, bytes: &mut Vec<u8>) -> Result<usize> {
        let mapping: &SharedMapping<A> = &self.mapping;
        let (offset, rest) = rest(mapping, self.position);
        let before = bytes.len();
        let result = mapping.append_to(bytes, offset, rest);
        let done = bytes.len() - before;
        self.position += done as u64;
        result?;
        Ok(done)
    }
}

impl<M, A> BufRead for Cursor<M>
where
    M: Deref<Target = SharedMapping<A>>,
    A: Readable,
{
    fn fill_buf(&mut self) -> Result<&[u8]> {
        let mapping: &SharedMapping<A> = &self.mapping;
        let (offset, rest) = rest(mapping, self.position);
        if rest == 0 {
            return Ok(&[]);
        }
        let buffered = self.buffered_at..self.buffered_at + self.buffer.len();
        if !buffered.contains(&offset) {
            self.buffer.clear();
            self.buffered_at = offset;
            let len = BUFFER.min(rest);
            let result = mapping.append_to(&mut self.buffer, offset, len);
            if self.buffer.is_empty() {
                result?;
            }
        }
        let shown = &self.buffer[offset - self.buffered_at..];
        // The mapping may differ from the one that the buffer was filled from, and be shorter.
        Ok(&shown[..shown.len().min(rest)])
    }

    fn consume(&mut self, amount: usize) {
        self.position = self.position.saturating_add(amount as u64);
    }
}

impl<M, A> Write for Cursor<M>
where
    M: Deref<Target = SharedMapping<A>>,
    A: Writable,
{
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let mapping: &SharedMapping<A> = &self.mapping;
        let (offset, rest) = rest(mapping, self.position);
        let len = bytes.len().min(rest);
        // It may show bytes that are overwritten now.
        self.buffer.clear();
        let done = copied(len, mapping.write_at(offset, &bytes[..len]))?;
        self.position += done as u64;
        Ok(done)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl<M, A> Seek for Cursor<M>
where
    M: Deref<Target = SharedMapping<A>>,
    A: Access,
{
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => (self.mapping.len() as u64).checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let before = || Error::new(ErrorKind::InvalidInput, "a position before the first byte");
        self.position = position.ok_or_else(before)?;
        Ok(self.position)
    }
}
