//! Turning memory into zeros and giving it back.

use core::ops::RangeBounds;

use super::Mapping;
use crate::error::Result;
use crate::protection::Writable;

impl<A: Writable> Mapping<A> {
    /// Sets the bytes of `range` to zero, and gives the memory behind them back to the system.
    ///
    /// The bytes always become zero. The memory is given back as far as possible: pages that are
    /// fully locked, and explicit huge pages, which the pool keeps for the mapping anyway, are filled
    /// with zeros and stay. Pages that are locked on fault are given back (since Linux 5.18), and come
    /// back, locked, when they are used again.
    /// `range` is in bytes from the start of the mapping and is never rounded: it must begin at a
    /// page boundary, and end at one or with the mapping.
    ///
    /// Source: madvise(2).
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in the mapping or is not whole pages
    /// ([`Reason::Unaligned`](crate::Reason::Unaligned)), and for memory that is not private and
    /// anonymous ([`Reason::NotAnonymous`](crate::Reason::NotAnonymous)), since behind other memory
    /// there are no zeros. Explicit huge pages are known to be anonymous by `/proc/self/maps`; where that
    /// cannot be read, they are refused as a file is. Nothing has changed then.
    ///
    /// # Platform
    /// `MADV_DONTNEED` on Linux, which gives the memory back at once. On other systems, this writes
    /// zeros, and then `MADV_FREE`, where it exists, lets the system take the pages when it needs
    /// them.
    ///
    /// ```
    /// use unix_memory::{Mapping, page_size};
    ///
    /// let mut mapping = Mapping::anonymous(4 * page_size())?;
    /// mapping.fill(7);
    /// mapping.discard(page_size()..)?;
    /// assert!(mapping[..page_size()].iter().all(|&byte| byte == 7));
    /// assert!(mapping[page_size()..].iter().all(|&byte| byte == 0));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "madvise")]
    #[doc(alias = "MADV_DONTNEED")]
    #[doc(alias = "MADV_FREE")]
    #[inline]
    pub fn discard(&mut self, range: impl RangeBounds<usize>) -> Result<()> {
        // SAFETY: `A` says that the pages can be written, and nobody else refers to them: `self` is
        // borrowed exclusively. [access, borrowed]
        unsafe { self.region().discard(&range) }
    }
}
