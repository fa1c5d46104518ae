//! Transparent huge pages: where a mapping has to lie for them, and when the kernel is asked.

use unix_memory_sys as sys;

use super::options::MapOptions;
use crate::advice::Advice;
use crate::copy::populate::{Memory, populate, populate_write};
use crate::error::{Arguments, Result};
use crate::os;
use crate::page::page_size;
use crate::protection::Protection;
use crate::region::Region;
use crate::region::map::Request;
use crate::region::place::Place;

/// Transparent huge pages.
impl MapOptions {
    /// Ask for transparent huge pages, and align the memory so that they fit. This is a hint: no
    /// mapping fails because of it.
    ///
    /// A huge page takes the place of hundreds of small ones, and of their page faults. The kernel uses
    /// one wherever a whole one fits at a multiple of its size ([`HugePageSize::transparent`], 2 MiB on
    /// most machines). So, if the length has room for one,
    /// * the address is aligned to that size. For a file, it is aligned like the
    ///   [`offset`](Self::offset), so that the file's huge pages fit (see
    ///   [`alignment`](Self::alignment); a larger alignment is kept). In
    ///   [`map_guarded`](Self::map_guarded) the memory between the guards is aligned, unless an
    ///   alignment is given. If no aligned place is free, the mapping lies elsewhere. An address given
    ///   by [`at`](Self::at) takes precedence;
    /// * [`Advice::HugePage`] is given on all of it before the first page is brought in, even by
    ///   [`populate`](Self::populate), [`lock`](Self::lock) or `Mapping::lock`.
    ///
    /// **The length** stays as given. What follows the last whole huge page is in small pages; if the
    /// length is a multiple of the huge page size, there is no such rest. Memory that is too short for a
    /// huge page is advised on, but not aligned: the kernel may have huge pages of other sizes, and the
    /// mapping may grow. A mapping that grows may move to where fewer huge pages fit.
    ///
    /// **Memory**: writing one byte takes a whole huge page, which is given back only when all of it
    /// is unmapped or discarded. **Time**: the first access to a huge page waits until it is filled
    /// with zeros, and by default also while the kernel compacts memory to free one.
    ///
    /// [`Mapping::huge_bytes`](crate::Mapping::huge_bytes) reports how much is in huge pages. That may
    /// be nothing, if huge pages are switched off for the system
    /// (`/sys/kernel/mm/transparent_hugepage/enabled`, `shmem_enabled`) or for this process
    /// (`PR_SET_THP_DISABLE`), or if none is free. [`Advice::Collapse`] then makes huge pages of what is
    /// there, even if `enabled` is `never`; if it cannot, its error says why. Under a
    /// [`ProcessLock`](crate::ProcessLock) of future pages, the kernel brings all pages in before the
    /// advice can be given; then only `Collapse` helps.
    ///
    /// Files have huge pages on tmpfs and in memfds, if `shmem_enabled` is `advise` or more, and on file
    /// systems with large folios (XFS, ext4 since Linux 6.16, Btrfs), as far as read-ahead makes them.
    /// Explicit huge pages (`huge_pages`) are not affected.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// // A table that is read in random order.
    /// let options = MapOptions::new().len(64 << 20).transparent_huge_pages(true);
    /// let mut table = options.map_anonymous(ReadWrite)?;
    /// table[12345] = 1;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    ///
    /// # Platform
    /// `MADV_HUGEPAGE` on Linux (2.6.38) and Android. Without /sys the size is not known, and
    /// nothing is aligned. It has no effect on other systems; some of them (FreeBSD) use huge pages
    /// without being asked.
    ///
    /// [`HugePageSize::transparent`]: https://docs.rs/unix-memory/latest/unix_memory/struct.HugePageSize.html#method.transparent
    #[doc(alias = "MADV_HUGEPAGE")]
    #[doc(alias = "THP")]
    pub const fn transparent_huge_pages(mut self, yes: bool) -> Self {
        self.transparent = yes;
        self.specially()
    }

    /// Maps `request` where huge pages fit, and asks for them before there is any page.
    #[cold]
    pub(super) fn map_transparent(
        &self,
        request: &Request,
        arguments: Arguments,
    ) -> Result<Region> {
        let later = Request {
            flags: request.flags & !os::MAP_POPULATE,
            ..*request
        };
        let region = placed(&later, arguments)?;
        let _only_a_hint = region.advise(&.., Advice::HugePage);
        if self.populates() {
            let private = request.flags & sys::MAP_SHARED == 0;
            bring_in(&region, request.protection, private);
        }
        Ok(region)
    }
}

/// Maps where huge pages fit, if there is a suitable place.
fn placed(request: &Request, arguments: Arguments) -> Result<Region> {
    let size = os::transparent_huge_page().filter(|&size| has_room(request, size));
    let anywhere = !matches!(request.place, Place::At(_) | Place::Room(_));
    if let Some(size) = size.filter(|&size| anywhere && size > request.alignment) {
        let aligned = Request {
            alignment: size,
            ..*request
        };
        // There may be no such place; looking for one takes more addresses, and more pages that would be
        // locked; and the file may have larger pages of its own. In these cases, any other place will
        // do; if that fails too, its error is returned.
        if let Ok(region) = Region::map(&aligned, arguments) {
            return Ok(region);
        }
    }
    Region::map(request, arguments)
}

/// Whether a huge page of `size` bytes, a power of two, fits into the memory of `request` once that is
/// aligned.
fn has_room(request: &Request, size: usize) -> bool {
    let size = size as u64;
    let len = request.len.saturating_sub(request.lead) as u64;
    // The pages of the first and the last byte are mapped as a whole.
    let end = request
        .offset
        .checked_add(len)
        .and_then(|end| end.checked_next_multiple_of(page_size() as u64));
    let start = request.offset & !(page_size() as u64 - 1);
    let first = start.checked_next_multiple_of(size);
    let first_end = first.and_then(|first| first.checked_add(size));
    matches!((first_end, end), (Some(first_end), Some(end)) if first_end <= end)
}

/// Brings the pages of a new region in, as `MAP_POPULATE` does, as far as possible. Pages that a
/// write would copy are copied now.
pub fn bring_in(region: &Region, protection: Protection, private: bool) {
    let pages = region.pages();
    if pages.len == 0 {
        return;
    }
    let memory = if region.is_private_anonymous() {
        Memory::Anonymous
    } else {
        Memory::Shared
    };
    if private && protection.contains(Protection::WRITE | Protection::READ) {
        // SAFETY: they can be written, and nobody knows of them yet. [new]
        if unsafe { populate_write(pages, memory) }.is_ok() {
            return;
        }
    }
    if protection.contains(Protection::READ) {
        // SAFETY: they can be read, and nobody knows of them yet. [new]
        let _as_far_as_it_goes = unsafe { populate(pages, memory) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_a_huge_page() {
        let page = page_size();
        let size = 16 * page;
        let room = |offset: usize, len: usize, lead: usize| {
            let request = Request {
                place: Place::Anywhere,
                alignment: 0,
                lead,
                len,
                page_size: page,
                protection: Protection::READ,
                flags: 0,
                fd: -1,
                offset: offset as u64,
            };
            has_room(&request, size)
        };
        assert!(room(0, size, 0));
        assert!(room(0, size - page + 1, 0), "the last page is mapped too");
        assert!(!room(0, size - page, 0));
        assert!(!room(page, size, 0), "it has no whole one of the file");
        assert!(room(page, 2 * size - page, 0));
        assert!(room(5, size - 5, 0), "the first page is mapped too");
        assert!(!room(size - page, size, 0));
        assert!(room(size - page, size + page, 0));
        assert!(!room(0, size + page, 2 * page));
        assert!(room(0, size + page, page));
        assert!(!room(0, page, 2 * page));
        assert!(!room(0, 0, 0));
        assert!(!room(usize::MAX, 1, 0) || usize::BITS < 64);
    }
}
