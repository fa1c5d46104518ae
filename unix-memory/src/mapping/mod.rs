//! The guard of memory that behaves like ordinary Rust memory.

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
/// `A` is its protection, as a type: the mapping derefs to `[u8]` if `A` can be read, and mutably if
/// it can be written, so writing to a read-only mapping does not compile. [`protect`](Self::protect)
/// changes the protection and the type together.
///
/// [`Mapping::anonymous`] and [`MapOptions::map_anonymous`](crate::MapOptions::map_anonymous) make
/// one that is zeroed; or it comes from a [`SharedMapping`](crate::SharedMapping) for which an
/// `unsafe` call vouches.
///
/// * **Size**: two words, also for `Option<Mapping<A>>`. (If `A` is [`Protection`], whose value must
///   be stored, one word more.) `Send` and `Sync`.
/// * **Length zero**: no pages are mapped, no system calls are made, the slice is empty.
/// * **fork**: a child gets its own copy of private memory, and dropping that does not affect the
///   parent. The kernel sets no explicit huge pages aside for the child: if it uses them when the
///   system's pool is empty, SIGBUS ends it.
/// * **exec** and exit: mappings disappear without being dropped.
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
/// These do not compile: writing to a read-only mapping,
///
/// ```compile_fail,E0594
/// # use unix_memory::{Mapping, ReadOnly};
/// let mut mapping = Mapping::anonymous(100)?.protect(ReadOnly)?;
/// mapping[0] = 1;
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// reading a mapping without access,
///
/// ```compile_fail,E0608
/// # use unix_memory::{Mapping, NoAccess};
/// let mapping = Mapping::anonymous(100)?.protect(NoAccess)?;
/// let byte = mapping[0];
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// and keeping a slice or a lock beyond a change of protection, an unmapping or a drop.
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
        // it, otherwise because the caller of `assume_unshared` vouched for it.
        // [owned, access, borrowed, unchanging]
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
