//! Bringing pages into memory, all at once or step by step, and reporting failures.

use core::iter::FusedIterator;
use core::ops::{Range, RangeBounds};

use crate::copy::populate::{self, Memory};
use crate::error::{Arguments, Call, Errno, Error, FaultCause, Reason, Result};
use crate::mapping::Mapping;
use crate::page::{Pages, check_range, page_size};
use crate::protection::{Readable, Writable};
use crate::region::Region;
use crate::shared::SharedMapping;

/// How many bytes one call brings in if no steps were requested: enough that the calls cost nothing
/// compared with the work, and few enough that an error shows where it happened.
const STEP: usize = 32 << 20;

/// Brings pages in, step by step: an iterator over the number of bytes done so far.
///
/// `populate_in_steps()` and `populate_write_in_steps()` of [`Mapping`] and [`SharedMapping`] make it.
/// Each item is the number of bytes of the mapping that have been brought in, from its start; the last
/// one is its length. Or an item is the error of a step, which names that step's range and ends the
/// iteration.
///
/// ```
/// let mapping = unix_memory::Mapping::anonymous(1 << 20)?;
/// for done in mapping.populate_in_steps(1 << 18) {
///     println!("{}%", 100 * done? / mapping.len());
/// }
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[must_use = "iterators are lazy"]
pub struct PopulateSteps<'a> {
    region: &'a Region,
    /// What is left.
    range: Range<usize>,
    /// In bytes, a multiple of the page size.
    step: usize,
    bring: Bring,
    /// For `bring`.
    memory: Memory,
}

/// The kind of a region's memory, which others may change if `shared`.
const fn memory_of(region: &Region, shared: bool) -> Memory {
    if shared {
        Memory::Shared
    } else if region.is_private_anonymous() {
        Memory::Anonymous
    } else {
        Memory::Owned
    }
}

/// How pages are brought in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bring {
    ToRead,
    ToWrite,
}

impl Bring {
    /// # Safety
    /// The same as for [`populate::populate`] or [`populate::populate_write`].
    #[inline]
    unsafe fn call(self, pages: Pages, memory: Memory) -> core::result::Result<(), Errno> {
        match self {
            // SAFETY: as the caller vouches. [caller]
            Self::ToRead => unsafe { populate::populate(pages, memory) },
            // SAFETY: as the caller vouches. [caller]
            Self::ToWrite => unsafe { populate::populate_write(pages, memory) },
        }
    }
}

impl<'a> PopulateSteps<'a> {
    /// # Safety
    /// `bring.call` may be called for the pages of `range`, which lies in the region, as long as this
    /// lives.
    #[inline]
    unsafe fn new(
        region: &'a Region,
        range: Range<usize>,
        step: usize,
        bring: Bring,
        shared: bool,
    ) -> Self {
        let page = page_size();
        Self {
            region,
            range,
            step: (step / page).max(1) * page,
            bring,
            memory: memory_of(region, shared),
        }
    }
}

/// Brings all of `range` in: by one call, unless it is long.
///
/// # Safety
/// The same as for `PopulateSteps::new`.
#[inline]
unsafe fn all(region: &Region, range: Range<usize>, bring: Bring, shared: bool) -> Result<()> {
    if range.len() > STEP {
        // SAFETY: as the caller vouches. [caller]
        let mut steps = unsafe { PopulateSteps::new(region, range.clone(), STEP, bring, shared) };
        return steps
            .try_for_each(|step| step.map(drop))
            .map_err(|error| in_all(error, &range));
    }
    if range.is_empty() {
        return Ok(());
    }
    let memory = memory_of(region, shared);
    // SAFETY: as the caller vouches. [caller]
    match unsafe { bring.call(region.pages_of(&range), memory) } {
        Ok(()) => Ok(()),
        // SAFETY: as the caller vouches. [caller]
        Err(errno) => unsafe { see_how_far(region, &range, bring, memory, errno) },
    }
}

/// Brings the pages of `range` in again after that failed, to find out how far it gets.
///
/// # Safety
/// The same as for `PopulateSteps::new`.
#[cold]
unsafe fn see_how_far(
    region: &Region,
    range: &Range<usize>,
    bring: Bring,
    memory: Memory,
    errno: Errno,
) -> Result<()> {
    let refused = |errno, reason| Error::new(Call::Madvise, errno, Arguments::range(range), reason);
    // Those are of the call, and of all pages.
    if [libc::EINVAL, libc::ENOSYS].contains(&errno) {
        return Err(refused(errno, Reason::Kernel));
    }
    let pages = region.pages_of(range);
    let count = pages.len / page_size();
    // Where the first `n` pages end, from the start of the region.
    let end_of = |n: usize| {
        let end = pages.start.addr().get() + n * page_size();
        let end = end.saturating_sub(region.start().addr().get());
        end.clamp(range.start, range.end)
    };
    // Of the pages, the first `good` are in memory, and one before `bad` is not, or was not.
    let (mut good, mut bad) = (0, count);
    let why = loop {
        let middle = good + (bad - good).div_ceil(2);
        let part = end_of(good)..end_of(middle);
        // SAFETY: as the caller vouches. [caller]
        match unsafe { bring.call(region.pages_of(&part), memory) } {
            Ok(()) if middle == count => return Ok(()),
            Ok(()) if middle == bad => (good, bad) = (middle, count),
            Ok(()) => good = middle,
            Err(errno) if middle - good == 1 => break errno,
            Err(_) => bad = middle,
        }
    };
    let at = end_of(good);
    let done = at - range.start;
    let reason = match why {
        libc::EFAULT => {
            let page = region.pages_of(&(at..end_of(good + 1)));
            // SAFETY: what can be brought in to be written can be read, and this page is one of
            // those that the caller vouches for. [caller, inside]
            let can_be_read = || unsafe { Bring::ToRead.call(page, memory) }.is_ok();
            let cause = if bring == Bring::ToWrite && can_be_read() {
                FaultCause::NotWritable
            } else {
                FaultCause::Unknown
            };
            Reason::Fault { done, at, cause }
        }
        _ => Reason::Stopped { done, at },
    };
    Err(refused(why, reason))
}

/// Turns `error`, of a step, into one of all of `range`.
#[cold]
fn in_all(error: Error, range: &Range<usize>) -> Error {
    let before = |at| at - range.start;
    let error = match error.reason() {
        Reason::Fault { at, cause, .. } => error.because(Reason::Fault {
            done: before(at),
            at,
            cause,
        }),
        Reason::Stopped { at, .. } => error.because(Reason::Stopped {
            done: before(at),
            at,
        }),
        _ => return error,
    };
    error.of(Arguments::range(range))
}

impl Iterator for PopulateSteps<'_> {
    type Item = Result<usize>;

    fn next(&mut self) -> Option<Result<usize>> {
        if self.range.is_empty() {
            return None;
        }
        let start = self.range.start;
        // A step ends at the end of a page, although the mapping may begin inside one.
        let address = self.region.start().addr().get() + start;
        let len = (self.step - address % page_size()).min(self.range.len());
        let range = start..start + len;
        // SAFETY: whoever made this vouched for the range. [made]
        match unsafe { self.bring.call(self.region.pages_of(&range), self.memory) } {
            Ok(()) => {
                self.range.start = range.end;
                Some(Ok(range.end))
            }
            Err(errno) => {
                // SAFETY: as above. [made]
                let again =
                    unsafe { see_how_far(self.region, &range, self.bring, self.memory, errno) };
                self.range.start = range.end;
                if again.is_err() {
                    self.range = 0..0;
                }
                Some(again.map(|()| range.end))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.range.is_empty() {
            return (0, Some(0));
        }
        // The first step may be shorter; an error ends the iteration early.
        (1, Some(self.range.len().div_ceil(self.step) + 1))
    }
}

impl FusedIterator for PopulateSteps<'_> {}

impl core::fmt::Debug for PopulateSteps<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PopulateSteps")
            .field("remaining", &self.range)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

/// Gives a guard the methods that bring pages in by reading.
macro_rules! populate {
    ($guard:ident, $shared:literal) => {
        /// Bringing pages into memory.
        impl<A: Readable> $guard<A> {
            /// Brings every page into memory now, and reports failures.
            ///
            /// Pages are read, not written: until something is written to them, those of a private
            /// mapping are still shared with the file or with the page of zeros; see `populate_write`.
            /// Source: madvise(2).
            ///
            /// # Errors
            /// Those of [`populate_range`](Self::populate_range).
            ///
            /// ```
            /// let mapping = unix_memory::Mapping::anonymous(1 << 20)?;
            /// mapping.populate()?;
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "MADV_POPULATE_READ")]
            #[inline]
            #[doc(alias = "PopulateRead")]
            pub fn populate(&self) -> Result<()> {
                self.populate_range(..)
            }

            /// Brings the pages that hold a byte of `range` into memory now, like
            /// [`populate`](Self::populate).
            ///
            /// `range` is in bytes from the start of the mapping and is rounded outward to pages. A long
            /// range is brought in 32 MiB at a time.
            ///
            /// # Errors
            /// If a page could not be brought in, the reason says how far the call got, and at which byte
            /// it ended: [`Reason::Fault`](crate::Reason::Fault), or
            /// [`Reason::Stopped`](crate::Reason::Stopped) with another `errno` than `EFAULT`. What is
            /// before that byte is in memory.
            ///
            /// `EINVAL` for a range that does not lie in the mapping, or memory that is not RAM; `EFAULT`
            /// if the file behind a page is gone; `EHWPOISON`, `EIO`, `ENOMEM` if a page could not be
            /// brought in; and the errors of pipe(2) on systems that have neither a call for this nor
            /// another [`Mechanism`](crate::Mechanism).
            #[doc(alias = "MADV_POPULATE_READ")]
            #[inline]
            pub fn populate_range(&self, range: impl RangeBounds<usize>) -> Result<()> {
                let region = self.region();
                let range = check_range(Call::Madvise, &range, region.len())?;
                // SAFETY: `A` says that the pages can be read, and `self` keeps them.
                // [access, borrowed]
                unsafe { all(region, range, Bring::ToRead, $shared) }
            }

            /// Brings every page into memory like [`populate`](Self::populate), but `step` bytes at a
            /// time, so that a long operation can show progress or be stopped. `step` is rounded down to
            /// whole pages, and is at least one.
            ///
            /// # Errors
            /// Each item may be an error of [`populate_range`](Self::populate_range), which names the
            /// step.
            #[doc(alias = "MADV_POPULATE_READ")]
            pub fn populate_in_steps(&self, step: usize) -> PopulateSteps<'_> {
                let region = self.region();
                // SAFETY: `A` says that the pages can be read, and `self` keeps them.
                // [access, borrowed]
                unsafe { PopulateSteps::new(region, 0..region.len(), step, Bring::ToRead, $shared) }
            }
        }
    };
}

populate!(Mapping, false);
populate!(SharedMapping, true);

/// Gives a guard the methods that bring pages in for writing, which take `$receiver`.
macro_rules! populate_write {
    ($guard:ident, $shared:literal, $self:ident, $($receiver:tt)+) => {
        /// Bringing pages into memory, ready to be written.
        impl<A: Writable> $guard<A> {
            /// Brings every page into memory now, ready to be written, and reports failures.
            ///
            /// No content changes. The pages of a private mapping become private copies: writing to
            /// them later takes no fault and cannot run out of memory. Source: madvise(2).
            ///
            /// # Errors
            /// Those of [`populate_write_range`](Self::populate_write_range).
            ///
            /// ```
            /// let mut mapping = unix_memory::Mapping::anonymous(1 << 20)?;
            /// mapping.populate_write()?;
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "MADV_POPULATE_WRITE")]
            #[inline]
            #[doc(alias = "PopulateWrite")]
            pub fn populate_write($($receiver)+) -> Result<()> {
                $self.populate_write_range(..)
            }

            /// Brings the pages that hold a byte of `range` into memory now, like
            /// [`populate_write`](Self::populate_write).
            ///
            /// `range` is in bytes from the start of the mapping and is rounded outward to pages. A long
            /// range is brought in 32 MiB at a time.
            ///
            /// # Errors
            /// Those of [`populate_range`](Self::populate_range); `ENOMEM` also if there is no memory for
            /// copies, and `EFAULT` also if the file system has no room. (On systems that have no call
            /// for this, running out of memory ends the process.) `ENOSYS` for memory that others may
            /// change, before Linux 5.14 and on other systems.
            #[doc(alias = "MADV_POPULATE_WRITE")]
            #[inline]
            pub fn populate_write_range(
                $($receiver)+,
                range: impl RangeBounds<usize>,
            ) -> Result<()> {
                let region = $self.region();
                let range = check_range(Call::Madvise, &range, region.len())?;
                // SAFETY: `A` says that the pages can be written; where they are not shared, the
                // borrow is exclusive. [access, borrowed]
                unsafe { all(region, range, Bring::ToWrite, $shared) }
            }

            /// Brings every page into memory like [`populate_write`](Self::populate_write), but `step`
            /// bytes at a time. `step` is rounded down to whole pages, and is at least one.
            ///
            /// # Errors
            /// Each item may be an error of [`populate_write_range`](Self::populate_write_range).
            #[doc(alias = "MADV_POPULATE_WRITE")]
            pub fn populate_write_in_steps($($receiver)+, step: usize) -> PopulateSteps<'_> {
                let region = $self.region();
                // SAFETY: as above. [access, borrowed]
                unsafe { PopulateSteps::new(region, 0..region.len(), step, Bring::ToWrite, $shared) }
            }
        }
    };
}

populate_write!(Mapping, false, self, &mut self);
populate_write!(SharedMapping, true, self, &self);
