//! The short way to make what most mappings are: anywhere in memory, in ordinary pages, and short
//! enough that rounding the length cannot overflow.

use core::ffi::c_int;

use super::Region;
use super::map::{MAX_OFFSET, makes_private_anonymous};
use crate::os::{self, call};
use crate::page::page_size;
use crate::protection::Protection;

/// Longer mappings, and larger offsets, need more checks.
pub const MOST: usize = isize::MAX.unsigned_abs() / 2;

impl Region {
    /// Maps `len` bytes, of the file behind `fd` from `offset` on unless `flags` say that there is no
    /// file.
    ///
    /// Returns `None` if that needs more checks, or was refused: [`map`](Self::map) finds out why.
    #[inline]
    pub fn plain(
        len: usize,
        protection: Protection,
        flags: c_int,
        fd: c_int,
        offset: u64,
    ) -> Option<Self> {
        let is_plain = !os::COUNTS_BYTES && os::ENFORCES_PROTECTION && os::WRITES_FILES;
        // (Zero wraps.)
        if !is_plain || len.wrapping_sub(1) >= MOST || offset > MAX_OFFSET / 2 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, reason = "less than a page")]
        let before = if offset == 0 {
            0
        } else {
            (offset & (page_size() as u64 - 1)) as usize
        };
        #[allow(clippy::cast_possible_wrap, reason = "at most MAX_OFFSET")]
        let file_offset = (offset - before as u64) as unix_memory_sys::off_t;
        let protection = protection.bits() | os::MAY_BECOME;
        let base = call::mmap(0, before + len, protection, flags, fd, file_offset).ok()?;
        // SAFETY: `before` is less than a page, and the mapping has at least one more byte.
        // [inside]
        let start = unsafe { base.add(before) };
        // SAFETY: the pages were mapped just now, are ordinary ones, and are of that kind. [new]
        Some(unsafe { Self::from_raw(start, len, makes_private_anonymous(flags)) })
    }
}
