//! Whether memory is in explicit huge pages, whatever the kernel's version: Linux and Android.

use core::ffi::CStr;
use core::ops::Range;

use super::mremap::probe;
use super::proc_file::{addresses, each_line, is_in_maps, permissions};
use crate::error::Errno;
use crate::page::{Pages, page_size};

// Of the calling thread, since the first one of the process may have ended.
const SMAPS: &CStr = c"/proc/thread-self/smaps";

/// Whether `pages` are known to be private and anonymous, in explicit huge pages: the kernel gives such
/// memory a file without a name in any directory, and calls that so.
///
/// # Safety
/// The pages are the caller's.
pub unsafe fn is_anonymous_in_huge_pages(pages: Pages) -> bool {
    // SAFETY: as the caller vouches. [caller]
    if pages.len <= page_size() || unsafe { has_huge_pages(pages) } != Ok(true) {
        return false;
    }
    is_in_maps(&pages.addresses(), is_of_anonymous_huge_pages)
}

/// Whether a line of maps is of private anonymous memory in explicit huge pages.
fn is_of_anonymous_huge_pages(line: &[u8]) -> bool {
    let is_private = permissions(line).is_some_and(|letters| letters.ends_with(b"p"));
    let name = line.iter().position(|&byte| byte == b'/');
    is_private && name.is_some_and(|at| &line[at..] == b"/anon_hugepage (deleted)")
}

/// Whether some of `pages`, of which there are at least two, are in explicit huge pages.
///
/// # Errors
/// Where it is not known: those of reading `/proc/thread-self/smaps`, and `ENODATA` if that does not
/// say.
///
/// # Safety
/// The pages are the caller's.
pub unsafe fn has_huge_pages(pages: Pages) -> Result<bool, Errno> {
    let page = page_size();
    // No huge page begins at either, if the range is whole ones.
    let probed = [page, pages.len - page].map(|at| {
        let at = pages.start.as_ptr().wrapping_add(at);
        // SAFETY: the page is the caller's. [caller]
        unsafe { probe(at) }
    });
    if probed.contains(&Some(true)) {
        return Ok(true);
    }
    if probed == [Some(false); 2] && kernel_answers_probes() {
        return Ok(false);
    }
    let mut seen = Seen::of(pages.addresses());
    each_line(SMAPS, |line| seen.line(line))?;
    seen.has_huge_pages().ok_or(libc::ENODATA)
}

/// Whether this kernel checks the address before it reports that a probe is not in a huge page.
fn kernel_answers_probes() -> bool {
    let mut name = core::mem::MaybeUninit::<libc::utsname>::uninit();
    // SAFETY: the structure can be written. [arguments]
    if unsafe { libc::uname(name.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call has filled it. [arguments]
    let release = unsafe { name.assume_init() }.release;
    // SAFETY: it ends with a zero. [arguments]
    is_new_enough(unsafe { CStr::from_ptr(release.as_ptr()) }.to_bytes())
}

/// Whether the release, such as `5.16.0-1-amd64`, is Linux 5.16 or later.
fn is_new_enough(release: &[u8]) -> bool {
    let mut numbers = release.split(|byte| !byte.is_ascii_digit()).map(|digits| {
        let digits = core::str::from_utf8(digits).unwrap_or("");
        digits.parse::<u32>().unwrap_or(0)
    });
    let mut number = || numbers.next().unwrap_or(0);
    (number(), number()) >= (5, 16)
}

/// What the lines of smaps have said of a range.
struct Seen {
    range: Range<usize>,
    /// The part of the range that the mapping of these lines has.
    part: Range<usize>,
    /// How many bytes of it are in mappings whose page size was reported.
    known: usize,
    has_huge_pages: bool,
}

impl Seen {
    const fn of(range: Range<usize>) -> Self {
        Self {
            range,
            part: 0..0,
            known: 0,
            has_huge_pages: false,
        }
    }

    fn line(&mut self, line: &[u8]) {
        if let Some(mapping) = addresses(line) {
            self.part = mapping.start.max(self.range.start)..mapping.end.min(self.range.end);
        } else if let Some(rest) = line.strip_prefix(b"KernelPageSize:") {
            let digits = rest.trim_ascii().split(|&byte| byte == b' ').next();
            let size = digits.and_then(|digits| core::str::from_utf8(digits).ok()?.parse().ok());
            if let (Some(size), false) = (size, self.part.is_empty()) {
                let size: usize = size;
                self.known += self.part.len();
                self.has_huge_pages |= size.saturating_mul(1024) > page_size();
                self.part = 0..0;
            }
        }
    }

    /// `None` where not all of the range was reported.
    fn has_huge_pages(&self) -> Option<bool> {
        (self.has_huge_pages || self.known == self.range.len()).then_some(self.has_huge_pages)
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::format;

    use super::{Seen, is_new_enough, is_of_anonymous_huge_pages};
    use crate::page::page_size;

    #[test]
    fn releases() {
        for new in [
            &b"5.16.0"[..],
            b"5.16",
            b"5.20.1-rc1",
            b"6.1.0-32-amd64",
            b"10.0",
        ] {
            assert!(is_new_enough(new), "{}", new.escape_ascii());
        }
        for old in [
            &b"5.15.167"[..],
            b"4.19.0",
            b"2.6.60",
            b"5",
            b"",
            b"x",
            b"4.4.0",
        ] {
            assert!(!is_new_enough(old), "{}", old.escape_ascii());
        }
    }

    #[test]
    fn whose_huge_pages() {
        let is = |rest: &str| is_of_anonymous_huge_pages(format!("10000-30000 {rest}").as_bytes());
        assert!(is("rw-p 00000000 00:0f 7     /anon_hugepage (deleted)"));
        assert!(is("---p 00200000 00:0f 7 /anon_hugepage (deleted)"));
        // Shared; files; ordinary memory.
        assert!(!is("rw-s 00000000 00:0f 7 /anon_hugepage (deleted)"));
        assert!(!is("rw-p 00000000 00:0f 7 /memfd:anon_hugepage (deleted)"));
        assert!(!is("rw-p 00000000 00:0f 7 /mnt/anon_hugepage (deleted)"));
        assert!(!is("rw-p 00000000 00:0f 7 /anon_hugepage"));
        assert!(!is("rw-p 00000000 00:00 0"));
        assert!(!is(""));
    }

    #[test]
    fn what_smaps_says() {
        let [small, huge] = [page_size() / 1024, page_size() / 512];
        let lines = format!(
            "10000-30000 rw-p 00000000 00:00 0\n\
             Size:                128 kB\n\
             KernelPageSize: {small:8} kB\n\
             MMUPageSize:    {small:8} kB\n\
             30000-50000 rw-s 00000000 00:0f 7 /anon_hugepage (deleted)\n\
             KernelPageSize: {huge:8} kB\n\
             50000-60000 rw-p 00000000 00:00 0\n\
             Rss:                   0 kB\n"
        );
        let said = |range| {
            let mut seen = Seen::of(range);
            for line in lines.lines() {
                seen.line(line.as_bytes());
            }
            seen.has_huge_pages()
        };
        assert_eq!(said(0x10000..0x30000), Some(false));
        assert_eq!(said(0x20000..0x21000), Some(false));
        assert_eq!(said(0x2f000..0x31000), Some(true));
        assert_eq!(said(0x40000..0x50000), Some(true));
        // Not all of it is mapped, or the size is not reported.
        assert_eq!(said(0xf000..0x11000), None);
        assert_eq!(said(0x50000..0x60000), None);
        assert_eq!(said(0x70000..0x80000), None);
    }
}
