//! Making machine code that was written as data fit to run.

use core::ops::Range;

use super::Region;
use super::residency::Residency;
use crate::arch::{INSTRUCTION_CACHE, InstructionCache};
use crate::error::Errno;
use crate::os;
use crate::page::{Pages, page_size};

impl Region {
    /// Makes all of the region coherent, if this crate knows how. If not, `sync_instruction_cache`
    /// says so to whoever runs the code.
    ///
    /// # Safety
    /// The pages can be read.
    #[inline]
    pub unsafe fn sync_as_far_as_known(&self) {
        // SAFETY: the pages are the region's own; the rest is as the caller vouches.
        // [owned, caller]
        let _asked_later = unsafe { self.sync_instruction_cache(&(0..self.len())) };
    }

    /// # Safety
    /// `range` lies in the region, and can be read.
    pub unsafe fn sync_instruction_cache(
        &self,
        range: &Range<usize>,
    ) -> core::result::Result<(), Errno> {
        // SAFETY: the pages are the region's own; they can be read, as the caller vouches.
        // [owned, caller]
        unsafe { sync_pages(self.pages_of(range)) }
    }
}

/// Makes code that was written to `pages` coherent.
///
/// # Errors
/// `ENOSYS` if it is not known how.
///
/// # Safety
/// They are mapped, and can be read.
pub unsafe fn sync_pages(pages: Pages) -> core::result::Result<(), Errno> {
    let sync = |first, len| {
        let start = pages.start.as_ptr().wrapping_add(first);
        // SAFETY: as the caller vouches: these are of its pages. [caller]
        unsafe { os::sync_instruction_cache(start, len) }
    };
    match INSTRUCTION_CACHE {
        InstructionCache::Coherent => Ok(()),
        // This brings a page in, or is fatal where the file has none. A page that is not in memory
        // was not written, or the kernel makes it coherent when it comes back.
        InstructionCache::Instructions(_) => {
            let page = page_size();
            let mut first = 0;
            let mut end = 0;
            // SAFETY: as the caller vouches. [caller]
            let residency = unsafe { Residency::of(pages) };
            for resident in residency {
                end += match resident {
                    Ok(true) => page,
                    Ok(false) => {
                        sync(first, end - first)?;
                        first = end + page;
                        end = first;
                        continue;
                    }
                    // If the system does not report it, all that is left.
                    Err(_) => pages.len - end,
                };
            }
            sync(first, end - first)
        }
        InstructionCache::Kernel(_) | InstructionCache::Unknown if pages.len == 0 => Ok(()),
        InstructionCache::Kernel(_) | InstructionCache::Unknown => sync(0, pages.len),
    }
}
