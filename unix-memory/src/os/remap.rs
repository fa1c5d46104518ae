//! Linux and Android: `mremap`.

use core::ffi::c_void;
use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::call::{Errno, errno};
use crate::error::Result;
use crate::page::page_size;
use crate::protection::Access;
use crate::resize::Move;
use crate::shared::SharedMapping;

/// Gives the mapping of `old` bytes at `start` a length of `new` bytes, elsewhere if it `may_move`.
///
/// # Safety
/// The pages are the caller's, and nothing refers to them.
pub unsafe fn remap(
    start: NonNull<u8>,
    old: usize,
    new: usize,
    may_move: bool,
) -> core::result::Result<NonNull<u8>, Errno> {
    let flags = if may_move { sys::MREMAP_MAYMOVE } else { 0 };
    // SAFETY: the caller gives up the old range; without MREMAP_FIXED nothing else is replaced.
    let address = unsafe { sys::mremap(start.as_ptr().cast(), old, new, flags) };
    to_result(address)
}

/// Whether `address`, where a page of the caller's begins, is inside a huge page of hugetlbfs.
///
/// # Safety
/// The page is the caller's.
pub unsafe fn is_in_huge_page(address: *mut u8) -> bool {
    let page = page_size();
    // To change a length into the same one does nothing; but first the kernel looks whether the
    // address is one that a page of this mapping can have. (Before Linux 5.16 it did not.)
    // SAFETY: nothing is moved or resized.
    let same = unsafe { sys::mremap(address.cast(), page, page, 0) };
    to_result(same) == Err(libc::EINVAL)
}

fn to_result(address: *mut c_void) -> core::result::Result<NonNull<u8>, Errno> {
    if address == sys::MAP_FAILED {
        return Err(errno());
    }
    NonNull::new(address.cast()).ok_or(libc::ENOMEM)
}

/// With Linux and Android: resizing what others may change.
impl<A: Access> SharedMapping<A> {
    /// Changes the length to `len` bytes, elsewhere in memory if need be.
    ///
    /// A mapping of a file that grows shows more of the file, from where it ended; what is past the
    /// end of the file cannot be accessed until the file has grown too. Memory that `fork`ed
    /// processes share does not grow with its mapping. Nothing is written; shrinking gives whole
    /// pages back, and never moves. Source: mremap(2).
    ///
    /// # Errors
    /// The mapping is as it was: `ENOMEM` for more than the address space, its limit
    /// (`RLIMIT_AS`), the limit of mappings or a length allows; `EAGAIN` over the limit on locked
    /// memory; `EFAULT` where advice on a part has made several mappings of it in the kernel;
    /// `EINVAL` for an empty mapping ([`Reason::EmptyMapping`](crate::Reason)), and for parts of huge
    /// pages.
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
    pub fn resize(&mut self, len: usize) -> Result<()> {
        self.region_mut().resize_shared(len, Move::Allowed)
    }

    /// Changes the length to `len` bytes where the mapping is.
    ///
    /// # Errors
    /// As [`resize`](Self::resize); `ENOMEM` also where the addresses behind it are taken.
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
