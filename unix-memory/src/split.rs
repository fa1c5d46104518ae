//! Parts of a mapping as mappings of their own, and one mapping of such parts.

use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use crate::call;
use crate::error::{Arguments, Call, Error, Failed, Reason, Result};
use crate::mapping::Mapping;
use crate::os;
use crate::page::{check_range, max_len, page_size, round_down};
use crate::protection::{Access, Protection};
use crate::region::Region;
use crate::spare;

impl<A: Access> Mapping<A> {
    /// Makes two mappings of one: the bytes before `mid`, and those from `mid` on.
    ///
    /// `mid`, in bytes from the start, must be at the start of a page, unless it is 0 or the
    /// length: a page is protected and unmapped as a whole. So a part can be given another
    /// protection, a guard page made, or the end unmapped. [`join`](Self::join) undoes it. No
    /// system call is made, except on Linux for memory that is not private and anonymous in ordinary
    /// pages, where the kernel is asked for the size of the page.
    ///
    /// # Errors
    /// The mapping comes back inside the error: `EINVAL` for a `mid` past the end
    /// ([`Reason::MappingLength`]), inside a page ([`Reason::Unaligned`]) or inside a huge page
    /// ([`Reason::HugePage`]).
    ///
    /// ```
    /// use unix_memory::{Mapping, NoAccess, page_size};
    ///
    /// // A buffer with a guard page behind it.
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
    pub fn split_at(self, mid: usize) -> core::result::Result<(Self, Self), Failed<Self>> {
        if let Err(error) = self.region().check_split(mid) {
            return Err(Failed::new(error, self));
        }
        let region = ManuallyDrop::new(self.into_region());
        let anonymous = region.is_private_anonymous();
        if mid != 0 && mid != region.len() {
            // The kernel may make several mappings of one.
            spare::keep();
        }
        let part = |offset: usize, len: usize| {
            if len == 0 {
                return Region::empty(anonymous, region.known());
            }
            // SAFETY: `offset` is at most the length.
            let start = unsafe { region.start().add(offset) };
            // SAFETY: the region, which is not dropped, owned the pages; `mid` is at the start of
            // one, so that each is in one part only.
            unsafe { Region::from_raw(start, len, anonymous) }
        };
        let (first, second) = (part(0, mid), part(mid, region.len() - mid));
        Ok((Self::from_region(first), Self::from_region(second)))
    }

    /// Makes one mapping of two, of which `next` begins where this one ends.
    ///
    /// They may have come from one mapping by [`split_at`](Self::split_at), or happen to be
    /// neighbours; both are private anonymous memory, or neither.
    ///
    /// # Errors
    /// Both come back inside the error: `EINVAL` where they are no neighbours, or not of one kind
    /// ([`Reason::NotAdjacent`]).
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
    pub fn join(self, next: Self) -> core::result::Result<Self, Failed<(Self, Self)>> {
        if next.is_empty() {
            return Ok(self);
        }
        if self.is_empty() {
            return Ok(next);
        }
        if let Err(error) = self.region().check_join(next.region(), A::PROTECTION) {
            return Err(Failed::new(error, (self, next)));
        }
        let first = ManuallyDrop::new(self.into_region());
        let second = ManuallyDrop::new(next.into_region());
        let len = first.len() + second.len();
        // SAFETY: both were just checked, and are not dropped.
        Ok(Self::from_region(unsafe { first.with(&second, len) }))
    }
}

impl Region {
    /// Whether the region can be cut before byte `mid`.
    fn check_split(&self, mid: usize) -> Result<()> {
        let refuse = |reason| {
            let arguments = Arguments::At(mid);
            Err(Error::new(Call::Split, libc::EINVAL, arguments, reason))
        };
        check_range(Call::Split, &(..mid), self.len())?;
        if mid == 0 || mid == self.len() {
            return Ok(());
        }
        let address = self.start().as_ptr().wrapping_add(mid);
        if round_down(address.addr()) != address.addr() {
            return refuse(Reason::Unaligned(page_size()));
        }
        // SAFETY: the page is the region's own.
        if !self.is_private_anonymous() && unsafe { os::is_in_huge_page(address) } {
            return refuse(Reason::HugePage);
        }
        Ok(())
    }

    /// Whether `next` begins where this one ends, and is of its kind.
    fn check_join(&self, next: &Self, protection: Protection) -> Result<()> {
        let (this, that) = (self.pages().addresses(), next.pages().addresses());
        let touch = self.start().addr().get() + self.len() == next.start().addr().get();
        let alike = self.is_private_anonymous() == next.is_private_anonymous();
        let fits = this.len() <= max_len() - that.len();
        if touch && this.end == that.start && alike && fits {
            // For the kernel, both are one range from now on.
            // SAFETY: the pages are the two regions' own, and stay as protected as they are.
            return unsafe { self.confirm(this.len() + that.len(), protection) };
        }
        let arguments = Arguments::Length(next.len());
        Err(Error::new(
            Call::Join,
            libc::EINVAL,
            arguments,
            Reason::NotAdjacent,
        ))
    }

    /// Sets the protection of `len` bytes of pages, from this region's first on, to what it is.
    ///
    /// # Safety
    /// They are the caller's, and so protected.
    unsafe fn confirm(&self, len: usize, protection: Protection) -> Result<()> {
        let start = self.pages().start;
        // SAFETY: as the caller vouches.
        unsafe { call::mprotect(start, len, protection.bits()) }
            .map_err(|errno| Error::kernel(Call::Mprotect, errno, Arguments::Length(len)))
    }

    /// The region of `len` bytes from the start of this one on, into `next`.
    ///
    /// # Safety
    /// The pages of `next` follow this one's and are of its kind; neither region is used again.
    pub unsafe fn with(&self, next: &Self, len: usize) -> Self {
        // Where both came from one mapping, this one's pointer may speak for the whole. Otherwise
        // the kernel is taken to have made one range of the two, of which this is the pointer: it
        // comes from outside of what the compiler knows, as those of `mmap` do.
        let _of_the_other = next.start().as_ptr().expose_provenance();
        let address = self.start().as_ptr().expose_provenance();
        let start = core::ptr::with_exposed_provenance_mut(address);
        // SAFETY: it is the address of a pointer that is not null.
        let start = unsafe { NonNull::new_unchecked(start) };
        // SAFETY: the caller gives up both regions, whose pages these are, of one kind.
        unsafe { Self::from_raw(start, len, self.is_private_anonymous()) }
    }
}
