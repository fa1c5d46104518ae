//! Cutting regions in two, and joining two into one.

use core::ptr::NonNull;

use super::Region;
use super::limit::why_not_split;
use super::plain::MOST;
use crate::arch::{IS_OUTSIDE, from_outside};
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::os::{self, call};
use crate::page::{check_range, max_len, page_size, round_down};
use crate::protection::Protection;

impl Region {
    /// Whether [`check_split`](Self::check_split) accepts `mid`, and both parts have bytes, as far as that
    /// can be decided at once.
    #[inline]
    pub fn splits_at(&self, mid: usize) -> bool {
        // Private anonymous memory begins at the start of a page.
        self.is_private_anonymous() && mid != 0 && mid < self.len() && mid & (page_size() - 1) == 0
    }

    /// Whether the region can be cut before byte `mid`.
    #[cold]
    pub fn check_split(&self, mid: usize) -> Result<()> {
        check_range(Call::Split, &(..mid), self.len())?;
        if mid == 0 || mid == self.len() {
            return Ok(());
        }
        let address = self.start().as_ptr().wrapping_add(mid);
        if round_down(address.addr()) != address.addr() {
            return Err(no_split(mid, Reason::Unaligned(page_size())));
        }
        // SAFETY: the page is the region's own. [owned, harmless]
        if !self.is_private_anonymous() && unsafe { os::is_in_huge_page(address) } {
            return Err(no_split(mid, Reason::HugePage));
        }
        Ok(())
    }

    /// The `len` bytes from `offset` on as a region of their own.
    ///
    /// # Safety
    /// They lie in the region. Only one of the region and its parts unmaps a given page; parts that
    /// unmap pages begin and end at the start of a page, or end with the region.
    #[inline]
    pub unsafe fn part(&self, offset: usize, len: usize) -> Self {
        let anonymous = self.is_private_anonymous();
        if len == 0 {
            return Self::empty(anonymous, self.known());
        }
        // SAFETY: `offset` is at most the length. [caller, inside]
        let start = unsafe { self.start().add(offset) };
        // SAFETY: the region owned the pages, as the caller vouches. [caller, owned]
        unsafe { Self::from_raw(start, len, anonymous) }
    }

    /// Whether [`check_join`](Self::check_join) accepts `next`, which has the same protection, as far as
    /// that can be decided at once.
    #[inline]
    pub fn touches(&self, next: &Self) -> bool {
        // Private anonymous memory begins at the start of a page, and an empty region at none that is
        // the end of another.
        IS_OUTSIDE
            && self.is_private_anonymous()
            && next.is_private_anonymous()
            && self.start().addr().get() + self.len() == next.start().addr().get()
            && self.len() + next.len() <= MOST
            && self.len() != 0
            && next.len() != 0
    }

    /// Whether `next` begins where this one ends, is of its kind, and has its protection.
    #[cold]
    pub fn check_join(
        &self,
        next: &Self,
        protection: Protection,
        of_next: Protection,
    ) -> Result<()> {
        let (this, that) = (self.pages().addresses(), next.pages().addresses());
        let touch = self.start().addr().get() + self.len() == next.start().addr().get();
        let alike =
            self.is_private_anonymous() == next.is_private_anonymous() && protection == of_next;
        let fits = this.len() <= max_len() - that.len();
        if touch && this.end == that.start && alike && fits {
            if IS_OUTSIDE {
                return Ok(());
            }
            // For the kernel, both are one range from now on.
            // SAFETY: the pages are the two regions' own, and stay as protected as they are.
            // [owned, harmless]
            return unsafe { self.confirm(this.len() + that.len(), protection) };
        }
        Err(not_adjacent(next.len()))
    }

    /// Sets the protection of `len` bytes of pages, from this region's first on, to what it is.
    ///
    /// # Safety
    /// They are the caller's, and have this protection.
    unsafe fn confirm(&self, len: usize, protection: Protection) -> Result<()> {
        let start = self.pages().start;
        // SAFETY: as the caller vouches. [caller]
        unsafe { call::mprotect(start, len, protection.bits()) }.map_err(|errno| {
            let (arguments, reason) = (Arguments::Length(len), why_not_split(errno));
            Error::new(Call::Mprotect, errno, arguments, reason)
        })
    }

    /// The region of `len` bytes from the start of this one on, into `next`.
    ///
    /// # Safety
    /// The pages of `next` follow this one's and are of its kind; neither region is used again.
    #[inline]
    pub unsafe fn with(&self, next: &Self, len: usize) -> Self {
        // Where both came from one mapping, this one's pointer may be valid for the whole. Otherwise
        // assembly, or the kernel call before this, counts as having made one range of the two, to
        // which this is the pointer: it comes from outside of what the compiler knows, like the
        // pointers of `mmap`.
        let _of_the_other = next.start().as_ptr().expose_provenance();
        let address = from_outside(self.start().as_ptr().expose_provenance());
        let start = core::ptr::with_exposed_provenance_mut(address);
        // SAFETY: it is the address of a pointer that is not null. [inside]
        let start = unsafe { NonNull::new_unchecked(start) };
        // SAFETY: the caller gives up both regions, whose pages these are, of one kind.
        // [caller, once]
        unsafe { Self::from_raw(start, len, self.is_private_anonymous()) }
    }
}

/// The error where `len` bytes cannot be joined to a region.
#[cold]
const fn not_adjacent(len: usize) -> Error {
    let arguments = Arguments::Length(len);
    Error::new(Call::Join, libc::EINVAL, arguments, Reason::NotAdjacent)
}

/// The error where a region cannot be cut at `mid`.
#[cold]
const fn no_split(mid: usize, reason: Reason) -> Error {
    Error::new(Call::Split, libc::EINVAL, Arguments::At(mid), reason)
}
