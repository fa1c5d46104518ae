//! Ranges of several mappings, to advise on in one call.

use core::ffi::c_int;
use core::fmt;
use core::marker::PhantomData;
use core::ops::RangeBounds;

use crate::advice::Advice;
use crate::error::{Arguments, Call, Result};
use crate::mapping::Mapping;
use crate::os;
use crate::page::{Pages, check_range};
use crate::protection::Access;
use crate::region::{Region, spare};
use crate::shared::SharedMapping;

/// The pages that hold a byte of a range of a mapping. It borrows the mapping.
///
/// `span()` of [`Mapping`](crate::Mapping) and [`SharedMapping`](crate::SharedMapping) makes it, for
/// [`Advice::apply`].
#[derive(Clone, Copy)]
pub struct Span<'a> {
    pages: Pages,
    /// The range as it was given, for errors.
    start: usize,
    len: usize,
    mapping: PhantomData<&'a [u8]>,
}

impl<'a> Span<'a> {
    fn new(region: &'a Region, range: &impl RangeBounds<usize>) -> Result<Self> {
        let range = check_range(Call::Madvise, range, region.len())?;
        Ok(Self {
            pages: region.pages_of(&range),
            start: range.start,
            len: range.len(),
            mapping: PhantomData,
        })
    }

    /// The length in bytes, in whole pages.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.pages.len
    }

    /// Whether it has no pages, because the range was empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pages.len == 0
    }
}

/// Gives a guard the method that makes spans.
macro_rules! span {
    ($guard:ident) => {
        /// Ranges for [`Advice::apply`].
        impl<A: Access> $guard<A> {
            /// The pages that hold a byte of `range`, to advise on together with others.
            ///
            /// `range` is in bytes from the start of the mapping and is rounded outward to pages.
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping.
            ///
            /// ```
            /// let mapping = unix_memory::Mapping::anonymous(100)?;
            /// assert_eq!(mapping.span(10..20)?.len(), unix_memory::page_size());
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            pub fn span(&self, range: impl RangeBounds<usize>) -> Result<Span<'_>> {
                Span::new(self.region(), &range)
            }
        }
    };
}

span!(Mapping);
span!(SharedMapping);

/// How many spans go into one system call.
const BATCH: usize = 64;

impl Advice {
    /// Gives this advice on many ranges, of one mapping or of several, with as few system calls as
    /// the system allows.
    ///
    /// ```
    /// use unix_memory::{Advice, Mapping, page_size};
    ///
    /// let (first, second) = (Mapping::anonymous(1 << 20)?, Mapping::anonymous(1 << 20)?);
    /// Advice::WillNeed.apply(&[first.span(..)?, second.span(page_size()..)?])?;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    ///
    /// # Errors
    /// The same as for one range; [`Error::span`](crate::Error::span) reports which span was refused.
    /// The spans before it have the advice; those after it may or may not have it.
    ///
    /// # Platform
    /// On Linux, one process_madvise(2) serves up to 64 spans, of up to 2 GiB together: since 6.13
    /// for any advice; and, with the privilege `CAP_SYS_NICE`, since 5.10 for
    /// [`WillNeed`](Self::WillNeed), [`Cold`](Self::Cold) and [`PageOut`](Self::PageOut), and since
    /// 6.1 for [`Collapse`](Self::Collapse). Where that call is missing or forbidden, and on other
    /// systems, there is one `madvise` for each span.
    #[doc(alias = "process_madvise")]
    pub fn apply(self, spans: &[Span<'_>]) -> Result<()> {
        let value = self.value(Arguments::None)?;
        // The kernel may make several mappings of one.
        spare::keep();
        // Advice that this crate records is recorded for one range at a time.
        let mut together = !matches!(self, Self::DontDump | Self::DoDump);
        let (mut rest, mut index) = (spans, 0);
        while let [span, ..] = rest {
            let mut done = 0;
            if together && rest.len() > 1 {
                // SAFETY: the spans borrow their mappings, and no `Advice` changes content.
                // [borrowed, harmless]
                match unsafe { advise_together(rest, value) } {
                    Some(whole) => done = whole,
                    None => together = false,
                }
            }
            if done == 0 {
                // One span by itself, to find the one that is refused: advising again does no harm.
                let arguments = Arguments::Span {
                    index,
                    start: span.start,
                    len: span.len,
                };
                // SAFETY: the pages are of a mapping that the span borrows. [borrowed]
                unsafe { self.give_noted(span.pages, arguments) }?;
                done = 1;
            }
            rest = &rest[done..];
            index += done;
        }
        Ok(())
    }
}

/// Advises on the first of `spans`, in one system call, and returns how many have the advice now,
/// like [`os::advise_together`].
///
/// # Safety
/// The advice `value` changes no content.
unsafe fn advise_together(spans: &[Span<'_>], value: c_int) -> Option<usize> {
    let nowhere = Pages {
        start: core::ptr::NonNull::dangling(),
        len: 0,
    };
    let mut pages = [nowhere; BATCH];
    for (pages, span) in pages.iter_mut().zip(spans) {
        *pages = span.pages;
    }
    let count = spans.len().min(BATCH);
    // SAFETY: the pages are of mappings that the spans borrow; the rest is as the caller vouches.
    // [borrowed, caller]
    unsafe { os::advise_together(&pages[..count], value) }
}

impl fmt::Debug for Span<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span")
            .field("address", &self.pages.start)
            .field("len", &self.pages.len)
            .finish()
    }
}

// SAFETY: it gives no access to the bytes, and its system calls may be made from any thread.
// [threads]
unsafe impl Send for Span<'_> {}
// SAFETY: as above. [threads]
unsafe impl Sync for Span<'_> {}
