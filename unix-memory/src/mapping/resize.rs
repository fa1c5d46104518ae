//! Mappings that grow and shrink.

use super::Mapping;
use crate::error::Result;
use crate::protection::Access;
use crate::region::resize::Move;

impl<A: Access> Mapping<A> {
    /// Changes the length to `len` bytes, and moves the mapping if need be.
    ///
    /// Old content stays, as far as it fits; new bytes are zeros. (If the mapping cannot be written,
    /// the rest of the old last page stays as it was.) Shrinking gives whole pages back, and never
    /// moves. Any mapping can shrink; only private anonymous memory can grow: to grow other memory,
    /// turn the mapping into a [`SharedMapping`](crate::SharedMapping) first.
    ///
    /// A mapping that was made with [`lock`](crate::MapOptions::lock) or
    /// [`dont_dump`](crate::MapOptions::dont_dump), or was given [`Advice::DontDump`], stays locked
    /// and left out of core dumps, new pages included, even if it has no bytes in between. Pages that
    /// are moved, as on Linux and NetBSD, keep other advice; new pages of a mapping that the kernel
    /// holds in several pieces, copied pages, and a mapping that had no bytes do not have it.
    /// `MAP_NORESERVE` and `MAP_STACK` are lost in the same cases, as is a lock on a part whose guard
    /// was forgotten.
    ///
    /// [`Advice::DontDump`]: crate::Advice::DontDump
    ///
    /// # Errors
    /// The mapping is as it was: `ENOMEM` for more than the address space, its limit (`RLIMIT_AS`),
    /// the limit of mappings or a length ([`Reason::LengthLimit`](crate::Reason::LengthLimit))
    /// allows; `EAGAIN` over the limit on locked memory; `EINVAL` for other than private anonymous
    /// memory ([`Reason::NotAnonymous`](crate::Reason::NotAnonymous)), for explicit huge pages
    /// that are to grow, or to shrink by a part of one ([`Reason::HugePage`](crate::Reason)), on Linux for more than there are addresses,
    /// and on Emscripten to fewer pages, or to less of a file
    /// ([`Reason::Unsupported`](crate::Reason::Unsupported)). If the kernel refuses to unmap the end of
    /// a mapping that shrinks, the error is that of munmap(2) ([`Call::Munmap`](crate::Call::Munmap)).
    ///
    /// # Platform
    /// On Linux and NetBSD, mremap(2) moves the pages. Elsewhere, and where advice or protection has
    /// made several mappings of it in the kernel, memory is added at the end; if there is no room,
    /// the bytes are copied to a new mapping.
    ///
    /// ```
    /// let mut mapping = unix_memory::Mapping::anonymous(100)?;
    /// mapping[99] = 1;
    /// mapping.resize(1 << 20)?;
    /// assert_eq!(mapping[99..102], [1, 0, 0]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    ///
    /// A slice does not outlive it.
    ///
    /// ```compile_fail,E0502
    /// let mut mapping = unix_memory::Mapping::anonymous(100)?;
    /// let slice = &mapping[..];
    /// mapping.resize(1 << 20)?;
    /// println!("{slice:?}");
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mremap")]
    #[doc(alias = "MREMAP_MAYMOVE")]
    #[inline]
    #[doc(alias = "remap")]
    #[doc(alias = "RemapOptions")]
    #[doc(alias = "MremapFlags")]
    #[doc(alias = "may_move")]
    #[doc(alias = "MREMAP_DONTUNMAP")]
    pub fn resize(&mut self, len: usize) -> Result<()> {
        let protection = self.protection();
        self.region_mut().resize(len, protection, Move::Allowed)
    }

    /// Changes the length to `len` bytes where the mapping is.
    ///
    /// # Errors
    /// As [`resize`](Self::resize); `ENOMEM` also where the addresses behind it are taken
    /// ([`Reason::Occupied`](crate::Reason)), or kept for the stack of the main thread
    /// ([`Reason::Stack`](crate::Reason); see [`MapOptions::at`](crate::MapOptions::at)).
    ///
    /// ```
    /// let mut mapping = unix_memory::Mapping::anonymous(1 << 20)?;
    /// let address = mapping.as_ptr();
    /// mapping.resize_in_place(1 << 10)?;
    /// assert_eq!((mapping.as_ptr(), mapping.len()), (address, 1 << 10));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mremap")]
    #[inline]
    pub fn resize_in_place(&mut self, len: usize) -> Result<()> {
        let protection = self.protection();
        self.region_mut().resize(len, protection, Move::Forbidden)
    }
}
