//! How much of some pages is in huge ones now: Linux and Android.

use core::ffi::CStr;
use core::ops::Range;

use unix_memory_sys as sys;

use super::proc_file::{File, addresses, each_line};
use crate::error::Errno;
use crate::os::call::errno;
use crate::page::Pages;

// Of the calling thread, since the first one of the process may have ended.
const PAGEMAP: &CStr = c"/proc/thread-self/pagemap";
const SMAPS: &CStr = c"/proc/thread-self/smaps";
/// Which every kernel has.
const STAT: &CStr = c"/proc/thread-self/stat";

/// How many ranges are asked for in one call.
const RANGES: usize = 32;

/// How many bytes of `pages` are in huge pages that one entry of the page tables maps.
///
/// # Errors
/// `ENOSYS` if nothing reports it; before Linux 6.7 also where the kernel has these pages in one
/// mapping with others, only some of which are in huge pages. Those of opening a file of /proc.
pub fn huge_bytes(pages: Pages) -> Result<usize, Errno> {
    // An older kernel, or a filter of calls, refuses the first.
    scan(pages).or_else(|_| count(pages.addresses()))
}

/// By the request `PAGEMAP_SCAN`, which finds the ranges.
fn scan(pages: Pages) -> Result<usize, Errno> {
    let file = File::open(PAGEMAP)?;
    let Range { start, end } = pages.addresses();
    let (mut from, end) = (start as u64, end as u64);
    let mut huge = 0;
    while from < end {
        let mut found = [sys::page_region::default(); RANGES];
        let mut argument = sys::pm_scan_arg {
            size: size_of::<sys::pm_scan_arg>() as u64,
            start: from,
            end,
            vec: found.as_mut_ptr().expose_provenance() as u64,
            vec_len: RANGES as u64,
            // The huge page of zeros is one for all processes: it is not memory of this one.
            category_mask: sys::PAGE_IS_HUGE | sys::PAGE_IS_PRESENT | sys::PAGE_IS_PFNZERO,
            category_inverted: sys::PAGE_IS_PFNZERO,
            return_mask: sys::PAGE_IS_HUGE,
            ..sys::pm_scan_arg::default()
        };
        // SAFETY: the argument is that of the request, with room for as many ranges as it says.
        // [arguments]
        let count = unsafe { sys::ioctl(file.descriptor(), sys::PAGEMAP_SCAN, &raw mut argument) };
        let count = usize::try_from(count).map_err(|_| errno())?;
        for range in &found[..count.min(RANGES)] {
            huge += range.end.min(end).saturating_sub(range.start.max(from));
        }
        if argument.walk_end <= from {
            return Err(libc::EIO);
        }
        from = argument.walk_end;
    }
    // At most the length of the pages.
    usize::try_from(huge).map_err(|_| libc::EOVERFLOW)
}

/// By what /proc reports of whole mappings; the range may have a part of one.
fn count(range: Range<usize>) -> Result<usize, Errno> {
    let mut counted = Counted::of(range);
    let read = each_line(SMAPS, |line| counted.line(line));
    counted.settle();
    match read {
        // A kernel that was built without it, if there are such files at all.
        Err(libc::ENOENT) if File::open(STAT).is_ok() => Err(libc::ENOSYS),
        Err(errno) => Err(errno),
        Ok(()) if counted.least == counted.most => Ok(counted.least),
        Ok(()) => Err(libc::ENOSYS),
    }
}

/// What is known about a range after some of the lines of smaps.
struct Counted {
    range: Range<usize>,
    /// The mapping that the lines are about, and how many bytes of it are in huge pages.
    mapping: Range<usize>,
    huge: usize,
    /// At least this many bytes of the range are in huge pages, and at most that many.
    least: usize,
    most: usize,
}

impl Counted {
    const fn of(range: Range<usize>) -> Self {
        Self {
            range,
            mapping: 0..0,
            huge: 0,
            least: 0,
            most: 0,
        }
    }

    fn line(&mut self, line: &[u8]) {
        /// All that can be in huge pages is in one of these. Explicit ones have two of their own.
        const KEYS: [&[u8]; 5] = [
            b"AnonHugePages:",
            b"ShmemPmdMapped:",
            b"FilePmdMapped:",
            b"Shared_Hugetlb:",
            b"Private_Hugetlb:",
        ];
        if let Some(mapping) = addresses(line) {
            self.settle();
            self.mapping = mapping;
        } else if let Some(rest) = KEYS.iter().find_map(|key| line.strip_prefix(*key)) {
            let number = rest.trim_ascii().split(|&byte| byte == b' ').next();
            let number = number.and_then(|digits| core::str::from_utf8(digits).ok()?.parse().ok());
            let bytes = number.unwrap_or(0usize).saturating_mul(1024);
            self.huge = self.huge.saturating_add(bytes);
        }
    }

    /// Adds what the lines of one mapping have said.
    fn settle(&mut self) {
        let (huge, mapping) = (self.huge, self.mapping.clone());
        (self.huge, self.mapping) = (0, 0..0);
        let end = mapping.end.min(self.range.end);
        let inside = end.saturating_sub(mapping.start.max(self.range.start));
        if inside != 0 {
            let outside = mapping.len() - inside;
            self.least += huge.saturating_sub(outside);
            self.most += huge.min(inside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counted;

    fn counted(range: core::ops::Range<usize>) -> (usize, usize) {
        let lines = "10000-50000 rw-p 00000000 00:00 0\n\
                     Size:                256 kB\n\
                     AnonHugePages:       128 kB\n\
                     ShmemPmdMapped:        0 kB\n\
                     50000-60000 rw-p 00000000 00:00 0 /a-file\n\
                     FilePmdMapped:        64 kB\n\
                     70000-90000 rw-p 00000000 00:00 0 /anon_hugepage (deleted)\n\
                     Private_Hugetlb:     64 kB\n\
                     VmFlags: rd wr mr mw me ht";
        let mut counted = Counted::of(range);
        for line in lines.lines() {
            counted.line(line.as_bytes());
        }
        counted.settle();
        (counted.least, counted.most)
    }

    #[test]
    fn whole_mappings_are_counted() {
        assert_eq!(counted(0x10000..0x50000), (0x20000, 0x20000));
        assert_eq!(counted(0x10000..0x60000), (0x30000, 0x30000));
        assert_eq!(counted(0..usize::MAX), (0x40000, 0x40000));
        assert_eq!(counted(0x60000..0x70000), (0, 0));
    }

    #[test]
    fn of_parts_it_is_known_between_which_numbers() {
        // All of the mapping is huge, so that any part is.
        assert_eq!(counted(0x51000..0x53000), (0x2000, 0x2000));
        // Half of it is.
        assert_eq!(counted(0x10000..0x20000), (0, 0x10000));
        assert_eq!(counted(0x10000..0x40000), (0x10000, 0x20000));
    }
}
