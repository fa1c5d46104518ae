//! Which pages are in memory.

use core::iter::FusedIterator;
use core::marker::PhantomData;

use crate::error::{Arguments, Call, Error, Result};
use crate::os;
use crate::page::{Pages, page_size};

/// How many pages are asked about in one call.
const BATCH: usize = 1024;

/// An iterator over the pages of a mapping, in order: whether each is in memory.
///
/// `residency()` and `residency_range()` of [`Mapping`](crate::Mapping) and
/// [`SharedMapping`](crate::SharedMapping) make it. It asks the kernel about 1024 pages at a time,
/// and allocates nothing. Source: mincore(2).
#[derive(Clone)]
#[must_use = "iterators are lazy"]
pub struct Residency<'a> {
    /// The pages not yet asked about.
    pages: Pages,
    /// One byte for each page of the last batch, of which `next..filled` were not yet returned.
    batch: [u8; BATCH],
    next: usize,
    filled: usize,
    mapping: PhantomData<&'a [u8]>,
}

impl Residency<'_> {
    /// # Safety
    /// The pages are mapped as long as this lives, and the caller's.
    pub(crate) const unsafe fn of(pages: Pages) -> Self {
        Self {
            pages,
            batch: [0; BATCH],
            next: 0,
            filled: 0,
            mapping: PhantomData,
        }
    }

    /// Counts how many of the pages not yet returned are in memory.
    ///
    /// # Errors
    /// `EAGAIN`: the kernel was short of resources; try again.
    ///
    /// ```
    /// let mut mapping = unix_memory::Mapping::anonymous(10 * unix_memory::page_size())?;
    /// mapping[0] = 1;
    /// assert!(mapping.residency().resident()? >= 1);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn resident(mut self) -> Result<usize> {
        let mut count = 0;
        loop {
            let batch = &self.batch[self.next..self.filled];
            count += batch.iter().filter(|&&page| is_resident(page)).count();
            if self.pages.len == 0 {
                return Ok(count);
            }
            self.fill()?;
        }
    }

    /// The first of the next batch.
    #[cold]
    fn next_batch(&mut self) -> Option<Result<bool>> {
        if self.pages.len == 0 {
            return None;
        }
        if let Err(error) = self.fill() {
            self.pages.len = 0;
            return Some(Err(error));
        }
        self.next = 1;
        Some(Ok(is_resident(self.batch[0])))
    }

    /// Asks about the next batch.
    fn fill(&mut self) -> Result<()> {
        let len = self.pages.len.min(BATCH * page_size());
        let start = self.pages.start;
        // SAFETY: the pages are of a mapping that the lifetime of `self` keeps.
        // [borrowed, harmless]
        unsafe { os::mincore(start, len, &mut self.batch) }
            .map_err(|errno| Error::kernel(Call::Mincore, errno, Arguments::Length(len)))?;
        // SAFETY: `len` is within the pages. [inside]
        self.pages.start = unsafe { start.add(len) };
        self.pages.len -= len;
        self.next = 0;
        self.filled = len / page_size();
        Ok(())
    }
}

/// The meaning of the kernel's byte for a page: only the lowest bit means the same on every system.
const fn is_resident(page: u8) -> bool {
    page & 1 == 1
}

impl Iterator for Residency<'_> {
    type Item = Result<bool>;

    #[inline]
    fn next(&mut self) -> Option<Result<bool>> {
        // (The bounds check of the slice checks both.)
        match self.batch[..self.filled].get(self.next) {
            Some(&page) => {
                self.next += 1;
                Some(Ok(is_resident(page)))
            }
            None => self.next_batch(),
        }
    }

    /// The remaining pages, batch by batch.
    fn fold<B, F>(mut self, init: B, mut f: F) -> B
    where
        F: FnMut(B, Self::Item) -> B,
    {
        let mut result = init;
        loop {
            let batch = &self.batch[self.next..self.filled];
            for &page in batch {
                result = f(result, Ok(is_resident(page)));
            }
            self.next = self.filled;
            match self.next_batch() {
                Some(first) => result = f(result, first),
                None => return result,
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let most = self.filled - self.next + self.pages.len / page_size();
        // An error ends the iteration early.
        (most.min(1), Some(most))
    }
}

impl FusedIterator for Residency<'_> {}

impl core::fmt::Debug for Residency<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Residency")
            .field("remaining", &self.size_hint().1)
            .finish_non_exhaustive()
    }
}

// SAFETY: it gives no access to the bytes, and its system call may be made from any thread.
// [threads]
unsafe impl Send for Residency<'_> {}
// SAFETY: as above; shared, it does nothing. [threads]
unsafe impl Sync for Residency<'_> {}
