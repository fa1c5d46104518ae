//! How much is committed.

use super::ReservedVec;
use crate::error::Result;
use crate::page::round_up;

/// Growing commits at least this many bytes at a time, if possible.
const LEAST: usize = 64 << 10;

impl<T> ReservedVec<T> {
    /// Returns the number of elements for which memory is committed.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the number of elements for which addresses are reserved: as many as requested, plus
    /// those that fit into the rest of the last page.
    #[must_use]
    pub const fn max_capacity(&self) -> usize {
        Self::fit(self.area.len())
    }

    /// Commits memory for at least `additional` more elements, and usually for more.
    ///
    /// # Panics
    /// If [`try_reserve`](Self::try_reserve) fails.
    #[track_caller]
    #[inline]
    pub fn reserve(&mut self, additional: usize) {
        if additional > self.capacity - self.len {
            self.grow_or_panic(additional);
        }
    }

    /// Commits memory for at least `additional` more elements, and usually for more.
    ///
    /// Growing takes one system call; if the kernel refuses the larger amount, a second one asks only
    /// for what is needed. Source: mprotect(2), POSIX.1-2024.
    ///
    /// # Errors
    /// After an error, nothing has changed. `ENOMEM` for more than was reserved
    /// ([`Reason::ReservedLength`](crate::Reason::ReservedLength)), and over the limit on data
    /// (`RLIMIT_DATA`), at the kernel's limit of mappings (`vm.max_map_count`), or if memory is short
    /// and not overcommitted ([`Reason::CommitLimit`](crate::Reason::CommitLimit)); `EACCES` if the
    /// stack of the main thread has grown up to the pages ([`Reason::Stack`](crate::Reason::Stack)).
    ///
    /// ```
    /// use unix_memory::reserve::ReservedVec;
    ///
    /// let mut numbers: ReservedVec<u32> = ReservedVec::with_max_capacity(1000)?;
    /// numbers.try_reserve(500)?;
    /// assert!(numbers.capacity() >= 500);
    /// assert!(numbers.try_reserve(usize::MAX).is_err());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mprotect")]
    #[inline]
    pub fn try_reserve(&mut self, additional: usize) -> Result<()> {
        if additional <= self.capacity - self.len {
            return Ok(());
        }
        self.grow(additional)
    }

    /// Apart, so that a caller has nothing of an error inlined.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(super) fn grow_or_panic(&mut self, additional: usize) {
        super::grow::or_panic(self.grow(additional));
    }

    #[cold]
    fn grow(&mut self, additional: usize) -> Result<()> {
        let needed = self.needed(additional)?;
        let generous = needed.max(round_up(LEAST)).max(2 * self.committed);
        let generous = generous.min(self.area.len());
        if generous > needed && self.commit(generous).is_ok() {
            return Ok(());
        }
        self.commit(needed)
    }

    /// Commits memory for `additional` more elements, rounded up to whole pages.
    ///
    /// # Panics
    /// If [`try_reserve_exact`](Self::try_reserve_exact) fails.
    #[track_caller]
    pub fn reserve_exact(&mut self, additional: usize) {
        super::grow::or_panic(self.try_reserve_exact(additional));
    }

    /// Commits memory for `additional` more elements, rounded up to whole pages.
    ///
    /// # Errors
    /// Those of [`try_reserve`](Self::try_reserve).
    ///
    /// ```
    /// use unix_memory::page_size;
    /// use unix_memory::reserve::ReservedVec;
    ///
    /// let mut bytes: ReservedVec<u8> = ReservedVec::with_max_capacity(1 << 20)?;
    /// bytes.try_reserve_exact(1)?;
    /// assert_eq!(bytes.capacity(), page_size());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn try_reserve_exact(&mut self, additional: usize) -> Result<()> {
        if additional <= self.capacity - self.len {
            return Ok(());
        }
        let needed = self.needed(additional)?;
        self.commit(needed)
    }

    /// How many bytes must be open, in whole pages, for `additional` more elements.
    fn needed(&self, additional: usize) -> Result<usize> {
        let elements = self.len.checked_add(additional);
        match elements {
            Some(elements) if elements <= self.max_capacity() => {
                Ok(round_up(elements * size_of::<T>()))
            }
            _ => Err(self.too_many(elements)),
        }
    }

    /// Opens pages until the first `bytes` bytes are open, which are whole pages, and more than are
    /// open now.
    fn commit(&mut self, bytes: usize) -> Result<()> {
        // SAFETY: what follows the committed bytes is closed. [open]
        unsafe { self.area.open(&(self.committed..bytes)) }?;
        self.set_committed(bytes);
        Ok(())
    }

    const fn set_committed(&mut self, bytes: usize) {
        self.committed = bytes;
        self.capacity = Self::fit(bytes);
    }

    /// Decommits the pages that hold no element, which gives back their memory.
    ///
    /// # Errors
    /// `ENOMEM` at the kernel's limit of mappings; nothing is changed then.
    ///
    /// ```
    /// use unix_memory::page_size;
    /// use unix_memory::reserve::ReservedVec;
    ///
    /// let mut bytes = ReservedVec::with_max_capacity(1 << 20)?;
    /// bytes.extend([7_u8; 100_000]);
    /// bytes.truncate(1);
    /// bytes.shrink_to_fit()?;
    /// assert_eq!(bytes.capacity(), page_size());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "madvise")]
    #[doc(alias = "MADV_DONTNEED")]
    pub fn shrink_to_fit(&mut self) -> Result<()> {
        let needed = round_up(self.len * size_of::<T>());
        let surplus = needed..self.committed;
        if surplus.is_empty() {
            return Ok(());
        }
        // SAFETY: these pages are open, and hold no element. [open]
        unsafe { self.area.close(&surplus) }?;
        self.set_committed(needed);
        // (Whatever comes there next is written before it is read.)
        // SAFETY: they are closed, and what they hold is not used. [open]
        let _as_far_as_it_goes = unsafe { self.area.give_back(&surplus) };
        Ok(())
    }
}
