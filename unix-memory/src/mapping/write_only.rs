//! Memory that is only written.

use core::ops::RangeBounds;

use super::Mapping;
use crate::copy::store;
use crate::error::{Call, Result};
use crate::page::{check_range, check_span};
use crate::protection::WriteOnly;

/// Memory that is only written: the methods never read it.
impl Mapping<WriteOnly> {
    /// Copies `bytes` into the mapping from `offset` on, in bytes from the start.
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in the mapping; nothing is copied then.
    ///
    /// ```
    /// use unix_memory::{MapOptions, WriteOnly};
    ///
    /// let mut mapping = MapOptions::new().len(10).map_anonymous(WriteOnly)?;
    /// mapping.write_at(6, b"last")?;
    /// assert!(mapping.write_at(7, b"last").is_err());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn write_at(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        check_span(Call::Write, offset, bytes.len(), self.len())?;
        // SAFETY: `offset` is at most the length. [inside]
        let to = unsafe { self.region().start().as_ptr().add(offset) };
        // SAFETY: the range lies in the mapping, whose pages can be written and are borrowed
        // exclusively. [inside, access, borrowed]
        unsafe { store::store(to, bytes) };
        Ok(())
    }

    /// Sets every byte of `range`, in bytes from the start of the mapping, to `byte`.
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in the mapping; nothing is set then.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadOnly, WriteOnly};
    ///
    /// let mut mapping = MapOptions::new().len(10).map_anonymous(WriteOnly)?;
    /// mapping.fill(8.., b'x')?;
    /// assert_eq!(*mapping.protect(ReadOnly)?, *b"\0\0\0\0\0\0\0\0xx");
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "memset")]
    pub fn fill(&mut self, range: impl RangeBounds<usize>, byte: u8) -> Result<()> {
        let range = check_range(Call::Fill, &range, self.len())?;
        // SAFETY: the start of a range that was checked is at most the length. [inside]
        let to = unsafe { self.region().start().as_ptr().add(range.start) };
        // SAFETY: as for `write_at`. [inside, access, borrowed]
        unsafe { store::set(to, range.len(), byte) };
        Ok(())
    }

    /// The address of the first byte, for writing.
    #[must_use]
    pub const fn as_mut_ptr(&mut self) -> *mut u8 {
        self.region().start().as_ptr()
    }
}
