//! The guard of memory that others may change.

pub mod atomic;
mod bytes;
pub mod chunks;
pub mod claims;
#[cfg(feature = "std")]
pub mod cursor;
#[cfg(feature = "std")]
pub mod mapped_file;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod resize;
mod values;

use core::ops::RangeBounds;

use crate::advice::Advice;
use crate::error::{Failed, Result};
use crate::guard::flush::Flush;
use crate::guard::guard;
use crate::lock::guard::LockGuard;
use crate::mapping::Mapping;
use crate::protection::{Access, Protection, ReadWrite, Readable, Writable};
use crate::region::Region;
use crate::region::residency::Residency;
use crate::shared::claims::Claims;

/// Mapped memory that others may change at any time, unmapped on drop: any file, device or shared
/// memory, mapped shared or privately.
///
/// A Rust reference promises that nobody else writes. Nothing can promise that of a file: another
/// process may write to it, even pages of a private mapping show that until they are first written
/// to. So this guard gives out no `&[u8]`, and making one is safe. Bytes are copied out and in
/// ([`read_at`](Self::read_at), [`write_at`](Self::write_at)), one by one as others see it, so that
/// each comes old or new; or are used as [`atomics`](Self::atomics). Whoever knows that nobody else
/// writes says so once, with [`assume_unshared`](Self::assume_unshared).
///
/// It comes from [`MapOptions`](crate::MapOptions): `map_shared`, `map_private`,
/// `map_anonymous_shared`.
///
/// * **Size**: three words; `Option<SharedMapping<A>>` too. `Send` and `Sync`.
/// * **Length zero**: no pages are mapped, and its methods make no system calls.
/// * **Truncation**: a page that lies wholly past the end of its file is gone, as one is that could
///   not be read from a disk, or for which a disk has no room. A copy of its bytes is an error that
///   says how far it got ([`Reason::Fault`](crate::Reason)); the process lives. In what is left of
///   the last page, past the end of the file, bytes are zero. To use an *atomic* in a page that is
///   gone raises SIGBUS, which ends the process unless it handles the signal.
/// * **Speed**: the kernel copies, which takes a system call, unless
///   [`install_fault_handler`](crate::install_fault_handler) was called. That holds for memory
///   without a file too: its pages can be gone as well ([`Mechanism`](crate::Mechanism) says why).
/// * **Devices**: bytes are accessed in units of any size: not for registers.
/// * **Doors to other memory**: some files, as `/dev/mem` or the rings of io_uring, make the kernel
///   access memory as their bytes say. As with `/proc/self/mem`, what is done through them is
///   beyond what Rust can promise of safe code.
/// * **fork**: a child shares what is mapped shared, and gets its own copy of the rest.
///
/// ```
/// use unix_memory::{MapOptions, ReadWrite};
///
/// let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadWrite)?;
/// mapping.write_at(98, b"hi")?;
/// let mut bytes = [0; 3];
/// mapping.read_at(97, &mut bytes)?;
/// assert_eq!(&bytes, b"\0hi");
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// What does not compile: a reference to its bytes, and writing to what is read-only.
///
/// ```compile_fail,E0308
/// # use unix_memory::{MapOptions, ReadOnly};
/// let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadOnly)?;
/// let slice: &[u8] = &mapping;
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// ```compile_fail,E0599
/// # use unix_memory::{MapOptions, ReadOnly};
/// let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadOnly)?;
/// mapping.write_at(0, b"no")?;
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "Mmap")]
#[doc(alias = "MmapMut")]
#[doc(alias = "MmapRaw")]
#[must_use = "it is unmapped when it is dropped"]
#[repr(C)] // That of another protection has the same fields at the same places.
pub struct SharedMapping<A: Access> {
    region: Region,
    /// For the region as it is now.
    pub(crate) claims: Claims,
    access: A,
}

guard!(
    SharedMapping,
    protect,
    "let mapping: SharedMapping<unix_memory::ReadWrite> = unix_memory::MapOptions::new()
    .len(2 * unix_memory::page_size())
    .map_anonymous_shared(unix_memory::ReadWrite)?;",
    claims: Claims::new()
);

impl<A: Access> SharedMapping<A> {
    /// Vouches that only this mapping's owner changes the bytes from now on, and gives the guard
    /// that derefs to `[u8]`.
    ///
    /// # Safety
    /// As long as the result, or what it becomes by [`protect`](Mapping::protect), lives:
    /// * nobody writes to the file's mapped part (or to the memory, where there is no file) but
    ///   through the result: no other process, no other mapping in this one, no `write(2)`;
    /// * nobody truncates the file to less than the mapped part, nor collapses a range of it, so
    ///   that reading cannot raise SIGBUS; punching a hole is writing;
    /// * if the result is written to, nobody else holds a reference that this changes; and a private
    ///   mapping of a file in huge pages was made without
    ///   [`no_reserve`](crate::MapOptions::no_reserve), so that there are pages for its copies.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadWrite)?;
    /// // SAFETY: this process does not fork, so that nobody else has the memory.
    /// let mut mapping = unsafe { mapping.assume_unshared() };
    /// mapping[99] = 1;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub unsafe fn assume_unshared(self) -> Mapping<A> {
        let access = self.access;
        Mapping::from_region(self.into_region(), access)
    }
}

impl<A: Writable> SharedMapping<A> {
    /// The address of the first byte, for writing.
    ///
    /// Others may access the bytes at the same time, as may other methods of this mapping, which do
    /// so by atomics: what is read or written by this pointer must be, too, or nobody else be
    /// there.
    #[must_use]
    pub const fn as_mut_ptr(&self) -> *mut u8 {
        self.region.start().as_ptr()
    }
}

static_assertions::assert_impl_all!(SharedMapping<ReadWrite>: Send, Sync, Unpin);
static_assertions::assert_eq_size!(
    SharedMapping<ReadWrite>,
    Option<SharedMapping<ReadWrite>>,
    [usize; 3]
);
