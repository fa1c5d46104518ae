//! The bytes of a mapping that keeps its file, read from the file where that is faster.

use std::os::fd::AsFd;

use crate::copy::Copier;
use crate::error::{Call, Result};
use crate::page::check_span;
use crate::protection::Readable;
use crate::shared::chunks::ChunksIn;
use crate::shared::mapped_file::MappedFile;

/// Copying out, faster than out of a mapping without its file.
///
/// On Linux and Android a regular file and its shared mapping are the same pages, and pread(2) copies
/// them faster than the calls that copy out of a mapping. So if the processor does not copy, because
/// the [fault handler](crate::install_fault_handler) is not installed, these methods read the file. If
/// that does not return all bytes, they copy out of the mapping. Source: mmap(2), pread(2).
impl<F: AsFd, A: Readable> MappedFile<F, A> {
    /// Copies `buffer.len()` bytes out of the mapping, from `offset` on, as
    /// [`SharedMapping::read_at`](crate::SharedMapping::read_at) does.
    ///
    /// # Errors
    /// Those of [`SharedMapping::read_at`](crate::SharedMapping::read_at), [explained](Self::explain).
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadOnly};
    ///
    /// let program = std::fs::File::open(std::env::current_exe()?)?;
    /// let program = MapOptions::new().map_file(program, ReadOnly)?;
    /// let mut bytes = [0; 4];
    /// program.read_at(0, &mut bytes)?;
    /// assert_eq!(bytes, program.to_vec()?[..4]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "pread")]
    pub fn read_at(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        check_span(Call::Read, offset, buffer.len(), self.len())?;
        if Copier::is_by_kernel()
            && self
                .source()
                .is_some_and(|source| source.fill(offset, buffer))
        {
            return Ok(());
        }
        let read = (**self).read_at(offset, buffer);
        read.map_err(|error| self.explain(error))
    }

    /// Returns the pieces one after another, each copied into `buffer` and as long as it, as
    /// [`SharedMapping::chunks_in`](crate::SharedMapping::chunks_in) does: the way to go through a
    /// large file once.
    ///
    /// # Panics
    /// If `buffer` is empty.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadOnly};
    ///
    /// let program = std::fs::File::open(std::env::current_exe()?)?;
    /// let program = MapOptions::new().map_file(program, ReadOnly)?;
    /// let mut buffer = vec![0; 256 << 10];
    /// let mut chunks = program.chunks_in(&mut buffer);
    /// let mut lines = 0;
    /// while let Some(chunk) = chunks.next() {
    ///     lines += chunk?.iter().filter(|&&byte| byte == b'\n').count();
    /// }
    /// # assert_ne!(lines, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "pread")]
    pub fn chunks_in<'a>(&'a self, buffer: &'a mut [u8]) -> ChunksIn<'a, A> {
        let mut chunks = (**self).chunks_in(buffer);
        if Copier::is_by_kernel() {
            chunks.source = self.source();
        }
        chunks
    }
}
