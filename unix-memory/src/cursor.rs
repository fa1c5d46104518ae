//! A shared mapping as `std::io` reads and writes.

use std::io::{BufRead, Error, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::ops::Deref;
use std::vec::Vec;

use crate::error::Reason;
use crate::protection::{Access, Readable, Writable};
use crate::shared::SharedMapping;

/// So many bytes are copied at once for `BufRead`.
const BUFFER: usize = 8 << 10;

/// A position in a [`SharedMapping`], at which `std::io` reads and writes: [`Read`], [`BufRead`],
/// [`Write`] and [`Seek`], as [`std::io::Cursor`] has for a slice.
///
/// `M` is what leads to the mapping: `&SharedMapping<A>`, `Box`, `Rc`, `Arc`.
///
/// * **Truncation**: where memory is gone, reading and writing return what could be copied before,
///   then an error of [`ErrorKind`] as for `EFAULT`, with the [`Error`](crate::Error) inside.
/// * **The end**: a mapping does not grow. Reading at its end, or beyond, gives no bytes; so does
///   writing (`write_all` then fails with [`ErrorKind::WriteZero`]).
/// * **`BufRead`** has a buffer of its own, allocated at first use, and shows the bytes as they were
///   when it was filled: up to 8 KiB at a time. [`Read`] never reads from it.
/// * **`flush`** does nothing: what was written is in the mapping. To have it in the file, see
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
    /// Where the bytes of `buffer` come from.
    buffered_at: usize,
}

impl<M> Cursor<M> {
    /// At the start of `mapping`.
    pub const fn new(mapping: M) -> Self {
        Self {
            mapping,
            position: 0,
            buffer: Vec::new(),
            buffered_at: 0,
        }
    }

    /// In bytes from the start of the mapping.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Goes to `position`, in bytes from the start of the mapping; it may lie beyond its end.
    pub const fn set_position(&mut self, position: u64) {
        self.position = position;
    }

    /// What leads to the mapping.
    pub const fn get_ref(&self) -> &M {
        &self.mapping
    }

    /// What leads to the mapping.
    pub fn into_inner(self) -> M {
        self.mapping
    }
}

impl<M, A> Cursor<M>
where
    M: Deref<Target = SharedMapping<A>>,
    A: Access,
{
    /// Where the next byte is, at most at the end, and how many there are from there on.
    fn rest(&self) -> (usize, usize) {
        let len = self.mapping.len();
        let offset = usize::try_from(self.position).map_or(len, |position| position.min(len));
        (offset, len - offset)
    }

    /// Goes on by what was copied: all of `len` bytes, or those before a fault, if there are any.
    fn advance(&mut self, len: usize, copied: crate::Result<()>) -> Result<usize> {
        let done = match copied {
            Ok(()) => len,
            Err(error) => match error.reason() {
                Reason::Fault { done, .. } if done > 0 => done,
                _ => return Err(error.into()),
            },
        };
        self.position += done as u64;
        Ok(done)
    }
}

impl<M, A> Read for Cursor<M>
where
    M: Deref<Target = SharedMapping<A>>,
    A: Readable,
{
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let (offset, rest) = self.rest();
        let len = buffer.len().min(rest);
        let copied = self.mapping.read_at(offset, &mut buffer[..len]);
        self.advance(len, copied)
    }

    fn read_to_end(&mut self, bytes: &mut Vec<u8>) -> Result<usize> {
        let (_, rest) = self.rest();
        let start = bytes.len();
        bytes.try_reserve_exact(rest)?;
        bytes.resize(start + rest, 0);
        let mut done = 0;
        while done < rest {
            match self.read(&mut bytes[start + done..]) {
                // What leads to the mapping may lead to another each time, and that be shorter.
                Ok(0) => break,
                Ok(more) => done += more,
                Err(error) => {
                    bytes.truncate(start + done);
                    return Err(error);
                }
            }
        }
        bytes.truncate(start + done);
        Ok(done)
    }
}

impl<M, A> BufRead for Cursor<M>
where
    M: Deref<Target = SharedMapping<A>>,
    A: Readable,
{
    fn fill_buf(&mut self) -> Result<&[u8]> {
        let (offset, rest) = self.rest();
        let buffered = self.buffered_at..self.buffered_at + self.buffer.len();
        if !buffered.contains(&offset) {
            self.buffered_at = offset;
            self.buffer.resize(BUFFER.min(rest), 0);
            let copied = self.mapping.read_at(offset, &mut self.buffer);
            if let Err(error) = copied {
                let done = match error.reason() {
                    Reason::Fault { done, .. } => done,
                    _ => 0,
                };
                self.buffer.truncate(done);
                if done == 0 {
                    return Err(error.into());
                }
            }
        }
        Ok(&self.buffer[offset - self.buffered_at..])
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
        let (offset, rest) = self.rest();
        let len = bytes.len().min(rest);
        // It may show what is overwritten now.
        self.buffer.clear();
        let copied = self.mapping.write_at(offset, &bytes[..len]);
        self.advance(len, copied)
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
