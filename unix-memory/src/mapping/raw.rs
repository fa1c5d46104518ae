//! Mappings turned into raw parts and back, and mappings that live as long as the program.

use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use crate::mapping::Mapping;
use crate::protection::{Access, Readable, Writable};
use crate::region::Region;
use crate::shared::SharedMapping;

/// The kind of a mapping's memory, which decides what can be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backing {
    /// Private and anonymous, in ordinary pages: no file is behind it, and nobody else has the
    /// memory. It can grow, and be discarded page by page.
    PrivateAnonymous,
    /// Anything else: explicit huge pages, or memory that
    /// [`assume_unshared`](SharedMapping::assume_unshared) vouched for.
    Other,
}

impl<A: Access> Mapping<A> {
    /// The kind of its memory.
    ///
    /// ```
    /// use unix_memory::{Backing, Mapping};
    ///
    /// assert_eq!(Mapping::anonymous(100)?.backing(), Backing::PrivateAnonymous);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[must_use]
    pub const fn backing(&self) -> Backing {
        if self.region().is_private_anonymous() {
            Backing::PrivateAnonymous
        } else {
            Backing::Other
        }
    }

    /// Returns the bytes as a raw slice, which is no longer unmapped on drop.
    ///
    /// [`from_raw`](Self::from_raw), or [`from_raw_with`](Self::from_raw_with), makes it a mapping again,
    /// and needs its kind: ask [`backing`](Self::backing) for that first.
    ///
    /// ```
    /// use unix_memory::{Mapping, ReadWrite};
    ///
    /// let mapping = Mapping::anonymous(100)?;
    /// let backing = mapping.backing();
    /// let bytes = mapping.into_raw();
    /// // SAFETY: they come from a mapping with this protection and backing, and are used once.
    /// let mapping: Mapping<ReadWrite> = unsafe { Mapping::from_raw(bytes, backing) };
    /// assert_eq!(mapping.len(), 100);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[must_use = "the pages stay mapped"]
    #[doc(alias = "into_raw_parts")]
    pub fn into_raw(self) -> NonNull<[u8]> {
        let region = ManuallyDrop::new(self.into_region());
        NonNull::slice_from_raw_parts(region.start(), region.len())
    }

    /// Makes a mapping of raw bytes, whose pages it then owns.
    ///
    /// # Safety
    /// * Every page that holds one of the bytes is mapped with the protection of `A`, and nobody else
    ///   owns it: the pages were mapped by `mmap`, or come from [`into_raw`](Self::into_raw) of a
    ///   mapping. The pages hold at most `isize::MAX` bytes.
    /// * As long as the mapping lives, nobody else changes the bytes, and reading them cannot raise a
    ///   signal, as for [`assume_unshared`](SharedMapping::assume_unshared).
    /// * With [`Backing::PrivateAnonymous`], the memory is private and anonymous, in ordinary pages,
    ///   and begins at the start of a page.
    /// * If the memory is in explicit huge pages, it consists of whole ones.
    #[doc(alias = "from_raw_parts")]
    pub unsafe fn from_raw(bytes: NonNull<[u8]>, backing: Backing) -> Self
    where
        A: Default,
    {
        // SAFETY: as the caller vouches. [caller]
        unsafe { Self::from_raw_with(bytes, backing, A::default()) }
    }

    /// As [`from_raw`](Self::from_raw), of pages whose protection is known only when the program runs.
    ///
    /// # Safety
    /// As for [`from_raw`](Self::from_raw), with the protection of `access`.
    ///
    /// ```
    /// use unix_memory::{MapOptions, Mapping, Protection};
    ///
    /// let mapping = MapOptions::new().len(100).map_anonymous(Protection::READ)?;
    /// let (protection, backing) = (mapping.protection(), mapping.backing());
    /// let bytes = mapping.into_raw();
    /// // SAFETY: they come from a mapping with this protection and backing, and are used once.
    /// let mapping = unsafe { Mapping::from_raw_with(bytes, backing, protection) };
    /// assert_eq!(mapping.as_slice(), Some(&[0; 100][..]));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub unsafe fn from_raw_with(bytes: NonNull<[u8]>, backing: Backing, access: A) -> Self {
        let anonymous = matches!(backing, Backing::PrivateAnonymous);
        // (If there are no bytes, it has no pages, and the address is not used.)
        // SAFETY: as the caller vouches. [caller]
        let region = unsafe { Region::from_raw(bytes.cast(), bytes.len(), anonymous) };
        Self::from_region(region, access)
    }
}

impl<A: Readable> Mapping<A> {
    /// Never unmaps the memory: the bytes stay as long as the process lives.
    ///
    /// ```
    /// let bytes: &'static [u8] = unix_memory::Mapping::anonymous(100)?.leak();
    /// assert_eq!(bytes, [0; 100]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[must_use = "the pages stay mapped"]
    pub fn leak(self) -> &'static [u8] {
        let bytes = self.into_raw();
        // SAFETY: they can be read, as `A` says, and nobody else changes them; the mapping that
        // would have unmapped them is gone. [kept, access, unchanging]
        unsafe { bytes.as_ref() }
    }
}

impl<A: Writable> Mapping<A> {
    /// Never unmaps the memory, and returns the only reference to it, which can write the bytes.
    ///
    /// ```
    /// let bytes: &'static mut [u8] = unix_memory::Mapping::anonymous(100)?.leak_mut();
    /// bytes[0] = 1;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[must_use = "the pages stay mapped"]
    pub fn leak_mut(self) -> &'static mut [u8] {
        let mut bytes = self.into_raw();
        // SAFETY: they can be written, as `A` says, and nobody else has a reference; the mapping
        // that would have unmapped them is gone. [kept, access, borrowed]
        unsafe { bytes.as_mut() }
    }
}

/// Treats memory that nobody else changes as memory that others may change, for example to resize it
/// together with its file, and then vouch for it again.
impl<A: Access> From<Mapping<A>> for SharedMapping<A> {
    fn from(mapping: Mapping<A>) -> Self {
        let access = mapping.access;
        Self::from_region(mapping.into_region(), access)
    }
}
