//! The guard of memory that behaves like Rust memory.

mod discard;
pub mod raw;
mod resize;
mod split;
pub mod view;
mod write_only;

// What only some systems can do.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod keys;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod permanent;

use core::borrow::{Borrow, BorrowMut};
use core::ops::{Deref, DerefMut, RangeBounds};

use crate::advice::Advice;
use crate::error::{Failed, Result};
use crate::guard::flush::Flush;
use crate::guard::guard;
use crate::lock::guard::LockGuard;
use crate::protection::{Access, Protection, ReadWrite, Readable, Writable};
use crate::region::Region;
use crate::region::residency::Residency;

/// Mapped memory that only this program changes, unmapped on drop.
///
/// `A` is what may be done with it, as a type: it derefs to `[u8]` where `A` can be read, mutably
/// where it can be written, so that writing to a read-only mapping does not compile.
/// [`protect`](Self::protect) changes the protection and the type together.
///
/// It comes from [`Mapping::anonymous`] or
/// [`MapOptions::map_anonymous`](crate::MapOptions::map_anonymous), zeroed; or out of a
/// [`SharedMapping`](crate::SharedMapping) for which one `unsafe` call vouches.
///
/// * **Size**: two words; `Option<Mapping<A>>` too. (One word more where `A` is
///   [`Protection`], and its protection a value.) `Send` and `Sync`.
/// * **Length zero**: no pages are mapped, no system calls are made, the slice is empty.
/// * **fork**: a child gets its own copy of private memory, and drops it for itself. The kernel sets
///   no explicit huge pages aside for it: SIGBUS ends a child that uses them when the system's pool
///   is empty.
/// * **exec** and exit: mappings are gone, and are not dropped.
///
/// ```
/// use unix_memory::{Mapping, ReadOnly};
///
/// let mut mapping = Mapping::anonymous(1 << 20)?;
/// mapping[..5].copy_from_slice(b"hello");
/// let mapping = mapping.protect(ReadOnly)?;
/// assert_eq!(&mapping[..6], b"hello\0");
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// What does not compile: writing to what is read-only,
///
/// ```compile_fail,E0594
/// # use unix_memory::{Mapping, ReadOnly};
/// let mut mapping = Mapping::anonymous(100)?.protect(ReadOnly)?;
/// mapping[0] = 1;
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// reading where there is no access,
///
/// ```compile_fail,E0608
/// # use unix_memory::{Mapping, NoAccess};
/// let mapping = Mapping::anonymous(100)?.protect(NoAccess)?;
/// let byte = mapping[0];
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// and keeping a slice, or a lock, beyond a change of protection, an unmapping or a drop.
///
/// ```compile_fail,E0505
/// # use unix_memory::{Mapping, ReadOnly};
/// let mapping = Mapping::anonymous(100)?;
/// let slice = &mapping[..];
/// let read_only = mapping.protect(ReadOnly)?;
/// println!("{slice:?}");
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// ```compile_fail,E0505
/// # use unix_memory::Mapping;
/// let mapping = Mapping::anonymous(100)?;
/// let guard = mapping.lock()?;
/// mapping.unmap()?;
/// drop(guard);
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "Mmap")]
#[doc(alias = "MmapMut")]
#[must_use = "it is unmapped when it is dropped"]
#[repr(C)] // A guard of another protection has the same fields at the same places.
#[doc(alias = "Allocation")]
#[doc(alias = "MmapNone")]
pub struct Mapping<A: Access> {
    region: Region,
    access: A,
}

guard!(
    Mapping,
    protect_in_place,
    "let mapping = Mapping::anonymous(2 * unix_memory::page_size())?;"
);

impl<A: Writable> Mapping<A> {
    /// The address of the first byte, for writing.
    #[must_use]
    pub const fn as_mut_ptr(&mut self) -> *mut u8 {
        self.region.start().as_ptr()
    }
}

impl<A: Readable> Deref for Mapping<A> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the region owns these bytes, at most `isize::MAX`, and unmaps them when dropped,
        // which this borrow delays; `A` says that they can be read, and they hold what the kernel
        // put there or what was written. Nobody changes them meanwhile: writing through this guard
        // takes `&mut`, and nobody else can, for private anonymous memory because nobody else has
        // it, otherwise because `assume_unshared` vouched so. [owned, access, borrowed, unchanging]
        unsafe { core::slice::from_raw_parts(self.region.start().as_ptr(), self.region.len()) }
    }
}

impl<A: Writable> DerefMut for Mapping<A> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `deref`; `A` says that they can be written, and the borrow is exclusive.
        // [owned, access, borrowed]
        unsafe { core::slice::from_raw_parts_mut(self.region.start().as_ptr(), self.region.len()) }
    }
}

impl<A: Readable> AsRef<[u8]> for Mapping<A> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<A: Writable> AsMut<[u8]> for Mapping<A> {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl<A: Readable> Borrow<[u8]> for Mapping<A> {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl<A: Writable> BorrowMut<[u8]> for Mapping<A> {
    fn borrow_mut(&mut self) -> &mut [u8] {
        self
    }
}

static_assertions::assert_impl_all!(Mapping<ReadWrite>: Send, Sync, Unpin);
static_assertions::assert_eq_size!(Mapping<ReadWrite>, Option<Mapping<ReadWrite>>, [usize; 2]);
