//! Memory between pages that cannot be touched.

use core::ops::{Deref, DerefMut};

use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::map::options::MapOptions;
use crate::map::transparent::bring_in;
use crate::mapping::Mapping;
use crate::page::{max_len, page_size, round_up};
use crate::protection::{Access, NoAccess, Readable, Writable};

/// A mapping with pages before and behind it that cannot be accessed: who runs over an end is
/// stopped by SIGSEGV, rather than reach somebody else's memory.
///
/// Made by [`MapOptions::map_guarded`]. It derefs to the bytes in the middle as [`Mapping`] does,
/// and unmaps all on drop.
///
/// ```
/// use unix_memory::{MapOptions, ReadWrite, page_size};
///
/// let page = page_size();
/// let mut stack = MapOptions::new().len(1 << 16).map_guarded(page, page, ReadWrite)?;
/// stack[0] = 1;
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "it is unmapped when it is dropped"]
pub struct Guarded<A: Access> {
    before: Mapping<NoAccess>,
    mapping: Mapping<A>,
    behind: Mapping<NoAccess>,
}

impl<A: Access> Guarded<A> {
    /// The mapping between the pages that cannot be accessed: to be advised on, locked, ...
    ///
    /// ```
    /// # use unix_memory::{Advice, MapOptions, ReadWrite, page_size};
    /// let guarded = MapOptions::new().len(100).map_guarded(page_size(), 0, ReadWrite)?;
    /// guarded.mapping().advise(Advice::WillNeed)?;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub const fn mapping(&self) -> &Mapping<A> {
        &self.mapping
    }

    /// The pages before it, the mapping, and the pages behind it.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite, page_size};
    /// let options = MapOptions::new().len(2 * page_size());
    /// let (guard, mapping, none) = options.map_guarded(page_size(), 0, ReadWrite)?.into_parts();
    /// assert_eq!((guard.len(), mapping.len(), none.len()), (page_size(), 2 * page_size(), 0));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn into_parts(self) -> (Mapping<NoAccess>, Mapping<A>, Mapping<NoAccess>) {
        (self.before, self.mapping, self.behind)
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
    /// Maps new memory, private to this process and zeroed, with `before` bytes of pages before it
    /// and `behind` bytes behind it that cannot be accessed.
    ///
    /// Both are multiples of the page size, and may be zero. The mapping begins with a page, so
    /// that running over its start is always noticed; over its end, where its length is a multiple
    /// of the page size too. An alignment or address is that of the first guard page; for
    /// [`transparent_huge_pages`](Self::transparent_huge_pages) alone the mapping is aligned.
    ///
    /// # Errors
    /// As [`map_anonymous`](Self::map_anonymous), and `EINVAL` for guards that are no multiples of
    /// the page size ([`Reason::Unaligned`]); those of [`Mapping::protect`].
    #[doc(alias = "MAP_GUARD")]
    #[doc(alias = "mprotect")]
    pub fn map_guarded<A: Access>(
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
        // What the middle should have, it gets when it is the middle.
        let (mut room, steps) = self.without_steps();
        if self.transparent && self.alignment == 0 {
            room.lead = before;
        }
        let room = match self.len {
            Some(_) => room.len(round_up(total)),
            None => room,
        };
        let room = room.map_anonymous(NoAccess)?;
        let (before, rest) = room.split_at(before)?;
        let (middle, behind) = rest.split_at(round_up(len))?;
        let mut mapping = match middle.protect(access) {
            Ok(mapping) => mapping,
            Err(failed) => {
                let (error, middle) = failed.into_parts();
                // Unmapped as one again: at the limit of mappings, the kernel could not take the
                // middle out.
                if let Ok(most) = before.join(middle) {
                    drop(most.join(behind));
                }
                return Err(error);
            }
        };
        // Whole pages were split off.
        mapping.resize_in_place(len)?;
        if self.populates() {
            bring_in(mapping.region(), access.protection(), true);
        }
        Ok(Guarded {
            before,
            mapping: Mapping::from_region(steps.apply(mapping.into_region())?, access),
            behind,
        })
    }
}
