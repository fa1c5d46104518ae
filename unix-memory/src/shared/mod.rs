//! The guard of memory that others may change.

pub mod atomic;
mod bytes;
#[cfg(feature = "std")]
mod cause;
pub mod chunks;
pub mod claims;
mod compare;
#[cfg(feature = "std")]
pub mod cursor;
#[cfg(feature = "std")]
pub mod mapped_file;
#[cfg(feature = "std")]
mod mapped_reads;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod resize;
mod stopped;
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
/// process may write to it, and even a private mapping shows that until its pages are first written
/// to. So this guard never returns a `&[u8]`, and making one is safe. Bytes are copied out and in
/// ([`read_at`](Self::read_at), [`write_at`](Self::write_at)), one by one as far as others can see,
/// so each is either old or new; or they are used as [`atomics`](Self::atomics). If you know that
/// nobody else writes, say so once with [`assume_unshared`](Self::assume_unshared).
///
/// [`MapOptions`](crate::MapOptions) makes it: `map_shared`, `map_private`, `map_anonymous_shared`.
///
/// * **Size**: three words, also for `Option<SharedMapping<A>>`. `Send` and `Sync`.
/// * **Length zero**: no pages are mapped, and its methods make no system calls.
/// * **Truncation**: a page that lies wholly past the end of its file is gone; so is a page that
///   could not be read from a disk, or for which a disk has no room. Copying its bytes returns an
///   error that says how far the copy got ([`Reason::Fault`](crate::Reason)), and why it stopped, if
///   that can be asked ([`FaultCause`](crate::FaultCause)); the process lives. In the rest of the last
///   page, past the end of the file, bytes are zero. Using an *atomic* in a page that is gone raises
///   SIGBUS, which ends the process unless it handles the signal.
/// * **Speed**: the kernel copies, which takes a system call, unless
///   [`install_fault_handler`](crate::install_fault_handler) was called. This also applies to memory
///   without a file: its pages can be gone as well ([`Mechanism`](crate::Mechanism) says why).
/// * **Devices**: bytes are accessed in units of any size, which is not suitable for registers.
/// * **Doors to other memory**: some files, such as `/dev/mem` or the rings of io_uring, make the
///   kernel access memory that their bytes select. As with `/proc/self/mem`, what happens through
///   them is beyond what Rust can promise for safe code.
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
/// Making a reference to its bytes, and writing to a read-only one, do not compile:
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
#[repr(C)] // A mapping of another protection has the same fields at the same places.
pub struct SharedMapping<A: Access> {
    region: Region,
    /// The claims on the current region.
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
    /// Vouches that only the owner of this mapping changes the bytes from now on, and returns the
    /// guard that derefs to `[u8]`.
    ///
    /// # Safety
    /// As long as the result, or what it becomes by [`protect`](Mapping::protect), lives:
    /// * nobody writes to the file's mapped part (or to the memory, if there is no file) except
    ///   through the result: no other process, no other mapping in this one, no `write(2)`;
    /// * nobody truncates the file to less than the mapped part, or collapses a range of it, so that
    ///   reading cannot raise SIGBUS; punching a hole is writing;
    /// * if the result is written to, nobody else holds a reference to bytes that this changes; and a
    ///   private mapping of a file in huge pages was made without
    ///   [`no_reserve`](crate::MapOptions::no_reserve), so that there are pages for its copies.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadWrite)?;
    /// // SAFETY: this process does not fork, so nobody else has the memory.
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
    /// Returns the address of the first byte, for writing.
    ///
    /// Others may access the bytes at the same time, and so may other methods of this mapping, which
    /// do so by atomics. Reads and writes through this pointer must also be atomic, unless nobody
    /// else accesses the bytes.
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
