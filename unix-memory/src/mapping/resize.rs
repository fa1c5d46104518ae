//! Mappings that grow and shrink.

use super::Mapping;
use crate::error::Result;
use crate::protection::Access;
use crate::region::resize::Move;

impl<A: Access> Mapping<A> {
    /// Changes the length to `len` bytes, and moves the mapping if necessary.
    ///
    /// Old content stays, as far as it fits; new bytes are zero. (If the mapping cannot be written, the
    /// rest of the old last page stays as it was.) Shrinking gives whole pages back, and never moves.
    /// Any mapping can shrink; only private anonymous memory can grow: to grow other memory, turn the
    /// mapping into a [`SharedMapping`](crate::SharedMapping) first.
    ///
    /// A mapping that was made with [`lock`](crate::MapOptions::lock) or
    /// [`dont_dump`](crate::MapOptions::dont_dump), or was given [`Advice::DontDump`], stays locked or
    /// left out of core dumps, including its new pages, even if it is empty for a while. Other advice
    /// stays on pages that the kernel moves, as on Linux and NetBSD. It is lost on pages that are
    /// copied, on new pages of a mapping that the kernel holds in several pieces, and if the mapping
    /// was empty. `MAP_NORESERVE`, `MAP_STACK` and a lock on a part whose guard was forgotten are lost
    /// in the same cases.
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
    /// On Linux and NetBSD, mremap(2) moves the pages. On other systems, and if advice or protection
    /// has split the mapping into several in the kernel, memory is added at the end; if there is no
    /// room, the bytes are copied to a new mapping.
    ///
    /// ```
    /// let mut mapping = unix_memory::Mapping::anonymous(100)?;
    /// mapping[99] = 1;
    /// mapping.resize(1 << 20)?;
    /// assert_eq!(mapping[99..102], [1, 0, 0]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    ///
    /// A slice does not outlive the call.
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
    /// Those of [`resize`](Self::resize); `ENOMEM` also where the addresses behind it are taken
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
