//! Memory between guard pages.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

use unix_memory_sys as sys;

use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::map::options::MapOptions;
use crate::map::transparent::bring_in;
use crate::mapping::Mapping;
use crate::page::{max_len, page_size, round_up};
use crate::protection::{Access, NoAccess, Protection, Readable, Writable};
use crate::region::plain::MOST;
use crate::region::{Region, spare};

/// A mapping with inaccessible guard pages before and after it: running over either end raises
/// SIGSEGV instead of reaching other memory.
///
/// [`MapOptions::map_guarded`] makes it. It derefs to the bytes in the middle, as [`Mapping`] does,
/// and unmaps everything on drop.
///
/// ```
/// use unix_memory::{MapOptions, ReadWrite, page_size};
///
/// let page = page_size();
/// let mut stack = MapOptions::new().len(1 << 16).map_guarded(page, page, ReadWrite)?;
/// stack[0] = 1;
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[must_use = "it is unmapped when it is dropped"]
pub struct Guarded<A: Access> {
    /// All of it, as it was mapped: the parts below lie in it, one after another.
    room: ManuallyDrop<Region>,
    /// In bytes, whole pages.
    before: usize,
    mapping: ManuallyDrop<Mapping<A>>,
}

impl<A: Access> Guarded<A> {
    /// The mapping between the guard pages, for example to advise on it or to lock it.
    ///
    /// ```
    /// # use unix_memory::{Advice, MapOptions, ReadWrite, page_size};
    /// let guarded = MapOptions::new().len(100).map_guarded(page_size(), 0, ReadWrite)?;
    /// guarded.mapping().advise(Advice::WillNeed)?;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn mapping(&self) -> &Mapping<A> {
        &self.mapping
    }

    /// Makes it without options; `None` if more checks are needed, or the kernel refused.
    #[inline]
    fn plain(before: usize, len: usize, behind: usize, access: A) -> Option<Self> {
        const FEW: usize = MOST / 4;
        let mask = page_size() - 1;
        let are_pages = (before | behind) & mask == 0;
        // (Zero wraps.)
        if len.wrapping_sub(1) >= FEW || before > FEW || behind > FEW || !are_pages {
            return None;
        }
        let total = before + ((len + mask) & !mask) + behind;
        let flags = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS;
        let room = Region::plain(total, NoAccess.protection(), flags, -1, 0)?;
        spare::keep();
        // SAFETY: the middle lies in the room, which is not dropped before it. [inside, once]
        let middle = ManuallyDrop::new(unsafe { room.part(before, len) });
        // SAFETY: nothing refers to the pages. [new]
        unsafe { middle.protect(Protection::empty(), access.protection()) }.ok()?;
        let mapping = Mapping::from_region(ManuallyDrop::into_inner(middle), access);
        Some(Self {
            room: ManuallyDrop::new(room),
            before,
            mapping: ManuallyDrop::new(mapping),
        })
    }

    /// The pages before it, the mapping, and the pages after it.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite, page_size};
    /// let options = MapOptions::new().len(2 * page_size());
    /// let (guard, mapping, none) = options.map_guarded(page_size(), 0, ReadWrite)?.into_parts();
    /// assert_eq!((guard.len(), mapping.len(), none.len()), (page_size(), 2 * page_size(), 0));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn into_parts(self) -> (Mapping<NoAccess>, Mapping<A>, Mapping<NoAccess>) {
        let mut guarded = ManuallyDrop::new(self);
        let (room, before) = (&guarded.room, guarded.before);
        let end = before + round_up(guarded.mapping.len());
        // SAFETY: the guards are the room's first and last pages, and their owner is not dropped.
        // [inside, once]
        let first = unsafe { room.part(0, before) };
        // SAFETY: as above. [inside, once]
        let last = unsafe { room.part(end, room.len() - end) };
        // SAFETY: it is taken once. [once]
        let mapping = unsafe { ManuallyDrop::take(&mut guarded.mapping) };
        (
            Mapping::from_region(first, NoAccess),
            mapping,
            Mapping::from_region(last, NoAccess),
        )
    }
}

impl<A: Access> Drop for Guarded<A> {
    fn drop(&mut self) {
        // One call unmaps all of it; the mapping, which lies in it, is not dropped by itself.
        // SAFETY: it is not used any more. [once]
        unsafe { ManuallyDrop::drop(&mut self.room) };
    }
}

impl<A: Access> fmt::Debug for Guarded<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.before + round_up(self.mapping.len());
        f.debug_struct("Guarded")
            .field("before", &self.before)
            .field("mapping", &*self.mapping)
            .field("behind", &(self.room.len() - end))
            .finish()
    }
}

impl<A: Readable> Deref for Guarded<A> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.mapping
    }
}

impl<A: Writable> DerefMut for Guarded<A> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.mapping
    }
}

impl MapOptions {
    /// Maps new zeroed memory, private to this process, with `before` bytes of inaccessible guard
    /// pages before it and `behind` bytes after it.
    ///
    /// Both are multiples of the page size, and may be zero. The mapping begins at the start of a
    /// page, so running over its start is always caught; running over its end is caught at once only
    /// if its length is also a multiple of the page size. An alignment or address applies to the
    /// first guard page. With [`transparent_huge_pages`](Self::transparent_huge_pages) and no
    /// alignment, the mapping itself is aligned to huge pages.
    ///
    /// # Errors
    /// Those of [`map_anonymous`](Self::map_anonymous) and [`Mapping::protect`], and `EINVAL` for
    /// guards that are not multiples of the page size ([`Reason::Unaligned`]).
    #[doc(alias = "MAP_GUARD")]
    #[doc(alias = "mprotect")]
    #[inline]
    pub fn map_guarded<A: Access>(
        &self,
        before: usize,
        behind: usize,
        access: A,
    ) -> Result<Guarded<A>> {
        if let (true, 0, Some(len)) = (self.is_plain(), self.offset, self.len) {
            if let Some(guarded) = Guarded::plain(before, len, behind, access) {
                return Ok(guarded);
            }
        }
        self.map_guarded_with_care(before, behind, access)
    }

    #[cold]
    fn map_guarded_with_care<A: Access>(
        &self,
        before: usize,
        behind: usize,
        access: A,
    ) -> Result<Guarded<A>> {
        let refuse = |errno, len, reason| {
            let arguments = Arguments::Length(len);
            Err(Error::new(Call::Mmap, errno, arguments, reason))
        };
        for len in [before, behind] {
            if len % page_size() != 0 {
                return refuse(libc::EINVAL, len, Reason::Unaligned(page_size()));
            }
        }
        let len = self.len.unwrap_or(0);
        let total = before
            .checked_add(behind)
            .and_then(|guards| guards.checked_add(len))
            .filter(|&total| total <= max_len());
        let Some(total) = total else {
            return refuse(libc::ENOMEM, len, Reason::LengthLimit(max_len()));
        };
        // The steps (advice, a lock) are for the middle alone, and done once it exists.
        let (mut room, steps) = self.without_steps();
        if self.transparent && self.alignment == 0 {
            room.lead = before;
        }
        if self.len.is_some() {
            room = room.len(round_up(total));
        }
        let room = room.map_anonymous(NoAccess)?.into_region();
        room.check_split(before)?;
        room.check_split(before + round_up(len))?;
        spare::keep();
        let middle = if len == 0 {
            Region::empty(room.is_private_anonymous(), steps.known())
        } else {
            // SAFETY: the middle lies in the room, which is not dropped before it. [inside, once]
            unsafe { room.part(before, len) }
        };
        let middle = ManuallyDrop::new(middle);
        // SAFETY: nothing refers to the pages. [new]
        unsafe { middle.protect(Protection::empty(), access.protection()) }?;
        let guarded = Guarded {
            room: ManuallyDrop::new(room),
            before,
            mapping: ManuallyDrop::new(Mapping::from_region(
                ManuallyDrop::into_inner(middle),
                access,
            )),
        };
        if self.populates() {
            bring_in(guarded.mapping.region(), access.protection(), true);
        }
        if !steps.is_none() {
            steps.apply_to(guarded.mapping.region())?;
        }
        Ok(guarded)
    }
}
