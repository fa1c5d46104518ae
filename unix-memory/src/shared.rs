//! The guard of memory that others may change.

use core::marker::PhantomData;
use core::ops::RangeBounds;

use crate::advice::Advice;
use crate::copy;
use crate::error::{Call, Failed, Result};
use crate::flush::Flush;
use crate::guard::guard;
use crate::lock::LockGuard;
use crate::mapping::Mapping;
use crate::page::{check_range, check_span};
use crate::protection::{Access, Protection, ReadWrite, Readable, Writable};
#[cfg(feature = "std")]
use crate::region::Pages;
use crate::region::Region;
use crate::residency::Residency;

/// Mapped memory that others may change at any time, unmapped on drop: any file, device or shared
/// memory, mapped shared or privately.
///
/// A Rust reference promises that nobody else writes. Nothing can promise that of a file: another
/// process may write to it, even pages of a private mapping show that until they are first written
/// to. So this guard gives out no `&[u8]`; bytes are copied out and in, with atomic accesses of
/// whole words, and making one is safe. Whoever knows that nobody else writes says so once, with
/// [`assume_unshared`](Self::assume_unshared).
///
/// It comes from [`MapOptions`](crate::MapOptions): `map_shared`, `map_private`,
/// `map_anonymous_shared`.
///
/// * **Size**: two words; `Option<SharedMapping<A>>` too. `Send` and `Sync`.
/// * **Length zero**: no pages are mapped, and its methods make no system calls.
/// * **Truncation**: touching a page that lies wholly past the end of its file raises SIGBUS, which
///   ends the process unless it handles the signal. (It is no undefined behaviour.)
/// * **Devices**: bytes are accessed in whole words, their neighbours with them: not for registers.
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
#[must_use = "it is unmapped when it is dropped"]
pub struct SharedMapping<A: Access> {
    region: Region,
    access: PhantomData<A>,
}

guard!(
    SharedMapping,
    "let mapping: SharedMapping<unix_memory::ReadWrite> = unix_memory::MapOptions::new()
    .len(2 * unix_memory::page_size())
    .map_anonymous_shared(unix_memory::ReadWrite)?;"
);

impl<A: Access> SharedMapping<A> {
    /// All its pages.
    #[cfg(feature = "std")]
    pub(crate) fn pages(&self) -> Pages {
        self.region.pages()
    }

    /// The address of the first byte, for writing where that is allowed.
    #[cfg(feature = "std")]
    pub(crate) const fn start(&self) -> *mut u8 {
        self.region.start().as_ptr()
    }

    /// Vouches that only this mapping's owner changes the bytes from now on, and gives the guard
    /// that derefs to `[u8]`.
    ///
    /// # Safety
    /// As long as the result, or what it becomes by [`protect`](Mapping::protect), lives:
    /// * nobody writes to the file's mapped part (or to the memory, where there is no file) but
    ///   through the result: no other process, no other mapping in this one, no `write(2)`;
    /// * nobody truncates the file to less than the mapped part, nor collapses a range of it, so
    ///   that reading cannot raise SIGBUS; punching a hole is writing;
    /// * if the result is written to, nobody else holds a reference that this changes.
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
        Mapping::from_region(self.into_region())
    }
}

impl<A: Readable> SharedMapping<A> {
    /// Copies `buffer.len()` bytes from `offset` on out of the mapping.
    ///
    /// Bytes that somebody writes meanwhile come old or new, each word of the machine at its own
    /// time. `offset` is in bytes from the start of the mapping.
    ///
    /// # Errors
    /// `EINVAL` where the range does not lie in the mapping; nothing is copied then.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadOnly};
    /// let zero = std::fs::File::open("/dev/zero")?;
    /// let mapping = MapOptions::new().len(10).map_private(&zero, ReadOnly)?;
    /// let mut bytes = [1; 4];
    /// mapping.read_at(6, &mut bytes)?;
    /// assert_eq!(bytes, [0; 4]);
    /// assert!(mapping.read_at(7, &mut bytes).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_at(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        check_span(Call::Read, offset, buffer.len(), self.len())?;
        // SAFETY: the range was checked to lie in the mapping, whose pages are whole and can be
        // read; `buffer`, a reference, is not part of it.
        unsafe { copy::load(self.as_ptr().wrapping_add(offset), buffer) };
        Ok(())
    }

    /// Copies the whole mapping.
    ///
    /// # Errors
    /// None today; a mapping whose file was truncated may come to be told here.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadOnly};
    /// let zero = std::fs::File::open("/dev/zero")?;
    /// let mapping = MapOptions::new().len(10).map_private(&zero, ReadOnly)?;
    /// assert_eq!(mapping.to_vec()?, [0; 10]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "std")]
    pub fn to_vec(&self) -> Result<std::vec::Vec<u8>> {
        let mut bytes = std::vec![0; self.len()];
        self.read_at(0, &mut bytes)?;
        Ok(bytes)
    }
}

impl<A: Writable> SharedMapping<A> {
    /// Copies `bytes` into the mapping, from `offset` on.
    ///
    /// Others see it come word by word of the machine, in no promised order. Bytes beside the
    /// range are never changed, also when others write to them meanwhile. `offset` is in bytes from
    /// the start of the mapping.
    ///
    /// # Errors
    /// `EINVAL` where the range does not lie in the mapping; nothing is copied then.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite};
    /// let mapping = MapOptions::new().len(10).map_anonymous_shared(ReadWrite)?;
    /// mapping.write_at(6, b"last")?;
    /// assert!(mapping.write_at(7, b"last").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_at(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        check_span(Call::Write, offset, bytes.len(), self.len())?;
        // SAFETY: the range was checked to lie in the mapping, whose pages are whole and can be
        // written; `bytes`, a reference, is not part of it.
        unsafe { copy::store(bytes, self.region.start().as_ptr().wrapping_add(offset)) };
        Ok(())
    }

    /// Sets every byte of `range`, in bytes from the start of the mapping, to `byte`.
    ///
    /// # Errors
    /// `EINVAL` where the range does not lie in the mapping; nothing is changed then.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite};
    /// let mapping = MapOptions::new().len(10).map_anonymous_shared(ReadWrite)?;
    /// mapping.fill(8.., b'x')?;
    /// assert_eq!(mapping.to_vec()?, *b"\0\0\0\0\0\0\0\0xx");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn fill(&self, range: impl RangeBounds<usize>, byte: u8) -> Result<()> {
        let range = check_range(Call::Fill, &range, self.len())?;
        let start = self.region.start().as_ptr().wrapping_add(range.start);
        // SAFETY: the range was checked to lie in the mapping, whose pages are whole and can be
        // written.
        unsafe { copy::fill(start, range.len(), byte) };
        Ok(())
    }
}

static_assertions::assert_impl_all!(SharedMapping<ReadWrite>: Send, Sync, Unpin);
static_assertions::assert_eq_size!(
    SharedMapping<ReadWrite>,
    Option<SharedMapping<ReadWrite>>,
    [usize; 2]
);
