//! Shared mappings that grow and shrink, on Linux and Android.

use super::SharedMapping;
use crate::error::Result;
use crate::protection::Access;
use crate::region::resize::Move;

/// Resizing, on Linux and Android.
impl<A: Access> SharedMapping<A> {
    /// Changes the length to `len` bytes, and moves the mapping if necessary.
    ///
    /// If a mapping of a file grows, it shows more of the file, from where it ended; what is past the
    /// end of the file cannot be accessed until the file has grown too. Memory shared with `fork`ed
    /// processes does not grow with its mapping. Nothing is written. Shrinking unmaps whole pages,
    /// and never moves. Source: mremap(2).
    ///
    /// # Errors
    /// The mapping is as it was: `ENOMEM` for more than the address space, its limit (`RLIMIT_AS`),
    /// the limit of mappings or a length allows, or `EINVAL` for more than there are addresses; `EAGAIN` over the limit on locked memory; `EFAULT`
    /// where advice on a part has made several mappings of it in the kernel; `ENOMEM` with
    /// [`Reason::Stack`](crate::Reason) where the addresses behind it are kept for the stack of the main
    /// thread, and an unknown limit keeps it from moving; `EINVAL` for an empty
    /// mapping ([`Reason::EmptyMapping`](crate::Reason)), and for parts of huge pages
    /// ([`Reason::HugePage`](crate::Reason) when it shrinks). If the kernel
    /// refuses to unmap the end of a mapping that shrinks, the error is that of munmap(2)
    /// ([`Call::Munmap`](crate::Call::Munmap)).
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let file = tempfile::tempfile()?;
    /// file.set_len(100)?;
    /// let mut mapping = MapOptions::new().map_shared(&file, ReadWrite)?;
    /// file.set_len(1 << 20)?;
    /// mapping.resize(1 << 20)?;
    /// mapping.write_at((1 << 20) - 3, b"end")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "mremap")]
    #[doc(alias = "MREMAP_MAYMOVE")]
    #[doc(alias = "remap")]
    #[doc(alias = "RemapOptions")]
    #[doc(alias = "MremapFlags")]
    #[doc(alias = "may_move")]
    pub fn resize(&mut self, len: usize) -> Result<()> {
        self.region_mut().resize_shared(len, Move::Allowed)
    }

    /// Changes the length to `len` bytes without moving the mapping.
    ///
    /// # Errors
    /// Those of [`resize`](Self::resize); `ENOMEM` also if the addresses behind it are taken
    /// ([`Reason::Occupied`](crate::Reason)), or kept for the stack of the main thread
    /// ([`Reason::Stack`](crate::Reason); see [`MapOptions::at`](crate::MapOptions::at)).
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadOnly};
    ///
    /// let program = std::fs::File::open(std::env::current_exe()?)?;
    /// let mut mapping = MapOptions::new().map_shared(&program, ReadOnly)?;
    /// mapping.resize_in_place(10)?;
    /// assert_eq!(mapping.len(), 10);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "mremap")]
    pub fn resize_in_place(&mut self, len: usize) -> Result<()> {
        self.region_mut().resize_shared(len, Move::Forbidden)
    }
}
