//! Splitting a mapping into parts, and joining parts into one mapping.

use core::mem::ManuallyDrop;

use super::Mapping;
use crate::error::Failed;
use crate::protection::Access;
use crate::region::spare;

impl<A: Access> Mapping<A> {
    /// Splits the mapping in two: the bytes before `mid`, and those from `mid` on.
    ///
    /// `mid`, in bytes from the start, must be at the start of a page, unless it is 0 or the length:
    /// a page is protected and unmapped as a whole. This way, a part can get another protection,
    /// become a guard page, or be unmapped. [`join`](Self::join) undoes it. This makes no system
    /// call, except on Linux for memory that is not private and anonymous in ordinary pages, for
    /// which it asks the kernel for the page size.
    ///
    /// # Errors
    /// The mapping comes back inside the error: `EINVAL` for a `mid` past the end
    /// ([`Reason::MappingLength`](crate::Reason::MappingLength)), inside a page
    /// ([`Reason::Unaligned`](crate::Reason::Unaligned)) or inside a huge page
    /// ([`Reason::HugePage`](crate::Reason::HugePage)).
    ///
    /// ```
    /// use unix_memory::{Mapping, NoAccess, page_size};
    ///
    /// // A buffer with a guard page after it.
    /// let mapping = Mapping::anonymous(4 * page_size())?;
    /// let (mut buffer, guard) = mapping.split_at(3 * page_size())?;
    /// let guard = guard.protect(NoAccess)?;
    /// buffer.fill(1);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    ///
    /// A slice of the whole does not outlive it.
    ///
    /// ```compile_fail,E0505
    /// # use unix_memory::{Mapping, page_size};
    /// let mapping = Mapping::anonymous(2 * page_size())?;
    /// let slice = &mapping[..];
    /// let halves = mapping.split_at(page_size())?;
    /// println!("{slice:?}");
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "the two parts are not worth a way through memory"
    )]
    #[doc(alias = "split_off")]
    #[doc(alias = "split_to")]
    pub fn split_at(self, mid: usize) -> core::result::Result<(Self, Self), Failed<Self>> {
        if !self.region().splits_at(mid) {
            return self.split_with_care(mid);
        }
        // SAFETY: that was just checked. [inside]
        Ok(unsafe { self.cut(mid) })
    }

    #[cold]
    fn split_with_care(self, mid: usize) -> core::result::Result<(Self, Self), Failed<Self>> {
        match self.region().check_split(mid) {
            // SAFETY: that was just checked. [inside]
            Ok(()) => Ok(unsafe { self.cut(mid) }),
            Err(error) => Err(Failed::new(error, self)),
        }
    }

    /// # Safety
    /// The region can be cut there.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "the two parts are not worth a way through memory"
    )]
    unsafe fn cut(self, mid: usize) -> (Self, Self) {
        let access = self.access;
        let region = ManuallyDrop::new(self.into_region());
        if mid != 0 && mid != region.len() {
            // The kernel may make several mappings of one.
            spare::keep();
        }
        // SAFETY: the region is not dropped; `mid` is at the start of a page, so that each page is in
        // one part only. [inside, once]
        let part = |offset: usize, len: usize| unsafe { region.part(offset, len) };
        let (first, second) = (part(0, mid), part(mid, region.len() - mid));
        (
            Self::from_region(first, access),
            Self::from_region(second, access),
        )
    }

    /// Joins two mappings into one; `next` begins where this one ends.
    ///
    /// They may be parts from [`split_at`](Self::split_at), or merely happen to be adjacent. Both
    /// must have the same protection, and either both or neither must be private anonymous memory.
    ///
    /// # Errors
    /// Both come back inside the error: `EINVAL` if they are not adjacent or not of the same kind
    /// ([`Reason::NotAdjacent`](crate::Reason::NotAdjacent)).
    ///
    /// ```
    /// use unix_memory::{Mapping, NoAccess, ReadWrite, page_size};
    ///
    /// let (first, second) = Mapping::anonymous(2 * page_size())?.split_at(page_size())?;
    /// let second = second.protect(NoAccess)?; // for a while
    /// let mapping = first.join(second.protect(ReadWrite)?)?;
    /// assert_eq!(mapping.len(), 2 * page_size());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[inline]
    #[doc(alias = "merge")]
    pub fn join(self, next: Self) -> core::result::Result<Self, Failed<(Self, Self)>> {
        let is_alike = self.protection() == next.protection();
        if !is_alike || !self.region().touches(next.region()) {
            return self.join_with_care(next);
        }
        // SAFETY: that was just checked. [inside]
        Ok(unsafe { self.with(next) })
    }

    #[cold]
    fn join_with_care(self, next: Self) -> core::result::Result<Self, Failed<(Self, Self)>> {
        if next.is_empty() {
            return Ok(self);
        }
        if self.is_empty() {
            return Ok(next);
        }
        let (here, there) = (self.protection(), next.protection());
        match self.region().check_join(next.region(), here, there) {
            // SAFETY: that was just checked. [inside]
            Ok(()) => Ok(unsafe { self.with(next) }),
            Err(error) => Err(Failed::new(error, (self, next))),
        }
    }

    /// # Safety
    /// The two can be joined.
    #[inline]
    unsafe fn with(self, next: Self) -> Self {
        let access = self.access;
        let first = ManuallyDrop::new(self.into_region());
        let second = ManuallyDrop::new(next.into_region());
        let len = first.len() + second.len();
        // SAFETY: as the caller vouches; neither is dropped. [caller, once]
        Self::from_region(unsafe { first.with(&second, len) }, access)
    }
}
