//! A shared mapping in pieces, each of them copied.

#[cfg(feature = "std")]
use crate::bytes::read::Source;
use crate::error::Result;
use crate::protection::Readable;
use crate::shared::SharedMapping;

/// In pieces.
impl<A: Readable> SharedMapping<A> {
    /// Returns an iterator over copies of `size` bytes each; the last one may be shorter.
    ///
    /// After an error, the iterator continues with the next piece, so the rest of a mapping with a
    /// hole can be read.
    ///
    /// # Errors
    /// Each item may be an error of [`read_at`](Self::read_at), or `ENOMEM` if there is no memory for
    /// the copy.
    ///
    /// # Panics
    /// If `size` is zero, as `chunks` of slices does.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite};
    /// let mapping = MapOptions::new().len(5).map_anonymous_shared(ReadWrite)?;
    /// mapping.write_at(0, b"abcde")?;
    /// let chunks: Result<Vec<_>, _> = mapping.chunks(2).collect();
    /// assert_eq!(chunks?, [&b"ab"[..], b"cd", b"e"]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[cfg(feature = "std")]
    pub fn chunks(&self, size: usize) -> Chunks<'_, A> {
        assert_ne!(size, 0, "chunks of zero bytes");
        Chunks {
            mapping: self,
            rest: 0..self.len(),
            size,
        }
    }

    /// Returns the pieces one after another, each copied into `buffer` and as long as it; the last
    /// one may be shorter.
    ///
    /// It allocates nothing; each piece must be released before the next is requested.
    ///
    /// For speed, use a buffer that fits into the processor's first cache (8 to 16 KiB) if the [fault
    /// handler](crate::install_fault_handler) is installed; if it is not, the kernel makes the
    /// copies, and a buffer of 256 KiB takes fewer calls. For a file, reading is faster than copies
    /// by the kernel: see `MappedFile::chunks_in`.
    ///
    /// # Panics
    /// If `buffer` is empty.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite};
    /// let mapping = MapOptions::new().len(1000).map_anonymous_shared(ReadWrite)?;
    /// mapping.fill(.., 2)?;
    /// let mut buffer = [0; 64];
    /// let mut chunks = mapping.chunks_in(&mut buffer);
    /// let mut sum = 0;
    /// while let Some(chunk) = chunks.next() {
    ///     sum += chunk?.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    /// }
    /// assert_eq!(sum, 2000);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn chunks_in<'a>(&'a self, buffer: &'a mut [u8]) -> ChunksIn<'a, A> {
        assert_ne!(buffer.len(), 0, "chunks of zero bytes");
        ChunksIn {
            mapping: self,
            #[cfg(feature = "std")]
            source: None,
            buffer,
            offset: 0,
        }
    }
}

/// The iterator of [`SharedMapping::chunks`].
#[cfg(feature = "std")]
#[derive(Clone, Debug)]
#[must_use = "nothing is copied until it is asked for a piece"]
pub struct Chunks<'a, A: Readable> {
    mapping: &'a SharedMapping<A>,
    rest: core::ops::Range<usize>,
    size: usize,
}

#[cfg(feature = "std")]
impl<A: Readable> Iterator for Chunks<'_, A> {
    type Item = Result<std::vec::Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let len = self.size.min(self.rest.len());
        if len == 0 {
            return None;
        }
        let offset = self.rest.start;
        self.rest.start += len;
        let mut bytes = std::vec::Vec::new();
        let copied = self.mapping.append_to(&mut bytes, offset, len);
        Some(copied.map(|()| bytes))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = self.rest.len().div_ceil(self.size);
        (count, Some(count))
    }

    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        let skipped = n.saturating_mul(self.size).min(self.rest.len());
        self.rest.start += skipped;
        self.next()
    }
}

#[cfg(feature = "std")]
impl<A: Readable> ExactSizeIterator for Chunks<'_, A> {}

#[cfg(feature = "std")]
impl<A: Readable> core::iter::FusedIterator for Chunks<'_, A> {}

/// The pieces of [`SharedMapping::chunks_in`]. Not an `Iterator`, because the items borrow from it.
#[derive(Debug)]
#[must_use = "nothing is copied until it is asked for a piece"]
pub struct ChunksIn<'a, A: Readable> {
    mapping: &'a SharedMapping<A>,
    /// The file to read instead, if that is faster.
    #[cfg(feature = "std")]
    pub(super) source: Option<Source<'a>>,
    buffer: &'a mut [u8],
    offset: usize,
}

impl<A: Readable> ChunksIn<'_, A> {
    /// Returns the next piece; `None` at the end.
    ///
    /// # Errors
    /// Those of [`SharedMapping::read_at`]; the next call continues with the piece after that.
    #[allow(
        clippy::should_implement_trait,
        reason = "no iterator's items can borrow from it"
    )]
    pub fn next(&mut self) -> Option<Result<&[u8]>> {
        let len = self.buffer.len().min(self.mapping.len() - self.offset);
        if len == 0 {
            return None;
        }
        let offset = self.offset;
        self.offset += len;
        let chunk = &mut self.buffer[..len];
        #[cfg(feature = "std")]
        if self.source.is_some_and(|source| source.fill(offset, chunk)) {
            return Some(Ok(chunk));
        }
        Some(self.mapping.read_at(offset, chunk).map(|()| &*chunk))
    }

    /// Returns the offset of the next piece, in bytes from the start of the mapping.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }
}
