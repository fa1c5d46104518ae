//! The ends of rings as streams that do not block.

use std::io::{BufRead, Error, ErrorKind, Read, Result, Write};

use super::pair::{Consumer, Producer};
use super::shared::{SharedConsumer, SharedProducer};
use crate::error::Call;

impl Write for Producer {
    /// # Errors
    /// `WouldBlock` while the ring is full; `BrokenPipe` after the consumer was dropped;
    /// `PermissionDenied` in a child of the process that made the ring.
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.end.check(Call::Commit)?;
        if self.is_closed() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        written(self.push_slice(bytes), bytes)
    }

    /// Does nothing, since the consumer already has everything that was written.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Write for SharedProducer {
    /// # Errors
    /// `WouldBlock` while the ring is full; `BrokenPipe` after the consumer was dropped; those of
    /// [`push_slice`](Self::push_slice).
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.is_closed() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        written(self.push_slice(bytes)?, bytes)
    }

    /// Does nothing, since the consumer already has everything that was written.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

fn written(n: usize, bytes: &[u8]) -> Result<usize> {
    if n == 0 && !bytes.is_empty() {
        return Err(ErrorKind::WouldBlock.into());
    }
    Ok(n)
}

impl Read for Consumer {
    /// # Errors
    /// `WouldBlock` while the ring is empty and the producer still exists; `PermissionDenied` in a
    /// child of the process that made the ring.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.end.check(Call::Consume)?;
        // Read first, so that everything the producer gave before it closed is then visible.
        let closed = self.is_closed();
        let n = self.pop_slice(buffer);
        read(n, closed || buffer.is_empty())
    }
}

impl BufRead for Consumer {
    /// # Errors
    /// Those of [`read`](Read::read).
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.end.check(Call::Consume)?;
        let closed = self.is_closed();
        let bytes = self.available();
        read(bytes.len(), closed)?;
        Ok(bytes)
    }

    /// # Panics
    /// If `n` is more than [`fill_buf`](Self::fill_buf) returned.
    fn consume(&mut self, n: usize) {
        if let Err(error) = Consumer::consume(self, n) {
            panic!("{error}");
        }
    }
}

impl Read for SharedConsumer {
    /// # Errors
    /// `WouldBlock` while the ring is empty and the producer still exists; those of
    /// [`pop_slice`](Self::pop_slice).
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let closed = self.is_closed();
        let n = self.pop_slice(buffer)?;
        read(n, closed || buffer.is_empty())
    }
}

/// Turns a count of `n` bytes into a result: 0 is the end of the file if `is_end`, and `WouldBlock`
/// if not.
fn read(n: usize, is_end: bool) -> Result<usize> {
    if n == 0 && !is_end {
        return Err(Error::from(ErrorKind::WouldBlock));
    }
    Ok(n)
}
