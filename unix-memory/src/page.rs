//! Pages: their size, rounding to it, and the one check of ranges.

use core::ops::{Bound, Range, RangeBounds};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use unix_memory_sys as sys;

use crate::error::{Arguments, Call, Error, Reason, Result};

/// Zero until the first call of [`page_size`].
static PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// The size of a page in bytes, a power of two: the unit of protection, advice and residency.
///
/// The system is asked once. The size is 4096 on most machines, 16384 on Apple's, and up to 65536 on
/// Linux for arm64 and POWER, so do not assume a constant. Source: sysconf(3), `_SC_PAGESIZE`.
///
/// ```
/// assert!(unix_memory::page_size().is_power_of_two());
/// ```
#[doc(alias = "sysconf")]
#[doc(alias = "getpagesize")]
#[doc(alias = "_SC_PAGESIZE")]
#[must_use]
#[inline]
#[doc(alias = "allocation_granularity")]
pub fn page_size() -> usize {
    // Relaxed: the value is the same whoever stores it, and nothing else depends on it.
    match PAGE_SIZE.load(Ordering::Relaxed) {
        0 => {
            let size = ask();
            PAGE_SIZE.store(size, Ordering::Relaxed);
            size
        }
        size => size,
    }
}

#[cold]
fn ask() -> usize {
    // SAFETY: sysconf takes any name. [arguments]
    let size = unsafe { sys::sysconf(sys::_SC_PAGESIZE) };
    let size = usize::try_from(size).unwrap_or(0);
    assert!(
        size.is_power_of_two(),
        "sysconf(_SC_PAGESIZE) must be a power of two, not {size}"
    );
    size
}

/// Whole pages of one mapping, or of several that follow each other.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    pub start: NonNull<u8>,
    /// In bytes, a multiple of the page size.
    pub len: usize,
}

impl Pages {
    #[inline]
    pub fn addresses(self) -> Range<usize> {
        let start = self.start.addr().get();
        start..start + self.len
    }
}

/// The maximum length of a mapping in bytes: whole pages that a slice can have.
#[inline]
pub fn max_len() -> usize {
    round_down(isize::MAX.unsigned_abs())
}

#[inline]
pub fn round_down(value: usize) -> usize {
    value & !(page_size() - 1)
}

/// Rounds up; `value` is at most [`max_len`] plus a page.
#[inline]
pub fn round_up(value: usize) -> usize {
    round_down(value + (page_size() - 1))
}

/// Resolves `range` against something of `total` bytes: the only range check of this crate.
///
/// # Errors
/// `EINVAL` for a range that begins after it ends, or ends after `total`.
#[inline]
pub fn check_range(
    call: Call,
    range: &impl RangeBounds<usize>,
    total: usize,
) -> Result<Range<usize>> {
    let start = match range.start_bound() {
        Bound::Included(&start) => Some(start),
        Bound::Excluded(&before) => before.checked_add(1),
        Bound::Unbounded => Some(0),
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => last.checked_add(1),
        Bound::Excluded(&end) => Some(end),
        Bound::Unbounded => Some(total),
    };
    match (start, end) {
        (Some(start), Some(end)) if start <= end && end <= total => Ok(start..end),
        (start, end) => Err(bad_range(call, start, end, total)),
    }
}

/// The range of `len` bytes that begins at `start`, for methods that take a buffer.
///
/// # Errors
/// Those of [`check_range`].
#[inline]
pub fn check_span(call: Call, start: usize, len: usize, total: usize) -> Result<()> {
    if is_inside(start, len, total) {
        return Ok(());
    }
    Err(bad_span(call, start, len, total))
}

/// Whether [`check_span`] succeeds, for callers that make the error elsewhere.
#[inline]
pub const fn is_inside(start: usize, len: usize, total: usize) -> bool {
    start <= total && len <= total - start
}

/// The error for a range of `len` bytes that begins at `start`.
#[cold]
#[inline(never)]
const fn bad_span(call: Call, start: usize, len: usize, total: usize) -> Error {
    outside(call, Arguments::Range { start, len }, total)
}

/// The error for the range of `start` to `end`; a bound that overflowed is `None`.
#[cold]
fn bad_range(call: Call, start: Option<usize>, end: Option<usize>, total: usize) -> Error {
    // For the message only; a bound that overflowed is shown as the largest number.
    let (start, end) = (start.unwrap_or(usize::MAX), end.unwrap_or(usize::MAX));
    let arguments = match end.checked_sub(start) {
        Some(len) => Arguments::Range { start, len },
        None => Arguments::Bounds { start, end },
    };
    outside(call, arguments, total)
}

/// The error for a range that does not lie in a mapping of `total` bytes.
#[cold]
#[inline(never)]
const fn outside(call: Call, arguments: Arguments, total: usize) -> Error {
    Error::new(call, libc::EINVAL, arguments, Reason::MappingLength(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_fit() {
        let check = |range: (Bound<usize>, Bound<usize>)| check_range(Call::Madvise, &range, 10);
        assert_eq!(check((Bound::Unbounded, Bound::Unbounded)), Ok(0..10));
        assert_eq!(check((Bound::Included(3), Bound::Excluded(10))), Ok(3..10));
        assert_eq!(check((Bound::Excluded(3), Bound::Included(9))), Ok(4..10));
        assert_eq!(check((Bound::Included(10), Bound::Unbounded)), Ok(10..10));
        assert_eq!(check_range(Call::Madvise, &(0..0), 0), Ok(0..0));
    }

    #[test]
    fn ranges_that_do_not_fit() {
        let refused = |range: (Bound<usize>, Bound<usize>)| {
            let error = check_range(Call::Madvise, &range, 10).unwrap_err();
            assert_eq!(error.errno(), libc::EINVAL);
            assert_eq!(error.reason(), Reason::MappingLength(10));
        };
        refused((Bound::Unbounded, Bound::Excluded(11)));
        refused((Bound::Unbounded, Bound::Included(10)));
        refused((Bound::Included(11), Bound::Unbounded));
        refused((Bound::Included(5), Bound::Excluded(4)));
        refused((Bound::Included(usize::MAX), Bound::Unbounded));
        refused((Bound::Excluded(usize::MAX), Bound::Unbounded));
        refused((Bound::Unbounded, Bound::Included(usize::MAX)));
        refused((Bound::Excluded(usize::MAX), Bound::Included(usize::MAX)));
    }

    #[test]
    fn spans() {
        assert!(check_span(Call::Read, 4, 6, 10).is_ok());
        assert!(check_span(Call::Read, 4, 7, 10).is_err());
        assert!(check_span(Call::Read, usize::MAX, 1, 10).is_err());
        assert!(check_span(Call::Read, 1, usize::MAX, 10).is_err());
        assert!(check_span(Call::Read, usize::MAX, usize::MAX, isize::MAX as usize).is_err());
    }

    #[test]
    fn rounding() {
        let page = page_size();
        assert_eq!(round_down(page - 1), 0);
        assert_eq!(round_down(page), page);
        assert_eq!(round_up(0), 0);
        assert_eq!(round_up(1), page);
        assert_eq!(round_up(max_len()), max_len());
        assert!(max_len() + page > isize::MAX as usize);
    }
}
