//! Tracking by write protection: a userfaultfd whose faults the kernel serves itself, and the request
//! that reports which pages had such a fault.
//!
//! A tracked page is in one of three states:
//! * *protected*: it is in memory or in swap space, and write-protected; or it is in neither, and the page
//!   table has a mark that protects it when it is brought in. It was not written.
//! * *written*: it is in memory or in swap space, and not protected.
//! * *missing*: it is in neither, and the page table has no mark. Protecting leaves no page in this state.
//!   Either its content has been thrown away since, or it belongs to a file, was written, and was written
//!   back. It counts as written. (Whether the kernel sets `PAGE_IS_WRITTEN` for such a page depends on its
//!   version, and on whether there is a page table for it.)

use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering};

use unix_memory_sys as sys;

use super::descriptor::{Descriptor, open_own};
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os::call;
use crate::page::Pages;
use crate::region::limit::why_not_split;

/// Makes a request that takes a pointer to `$argument`, which the kernel reads and writes.
macro_rules! request {
    ($descriptor:expr, $request:ident, $argument:expr) => {{
        let argument: *mut _ = &raw mut $argument;
        // SAFETY: the argument is of the request's type, lives until the kernel returns, and names pages of
        // the caller's, whose content does not change. [arguments, harmless]
        let result = unsafe { sys::ioctl($descriptor.number(), sys::$request, argument) };
        if result < 0 {
            Err(call::errno())
        } else {
            Ok(result)
        }
    }};
}

/// A tracker of pages. Its methods take the pages as an argument, the same ones each time.
#[derive(Debug)]
pub struct WriteProtect {
    userfault: Descriptor,
    pagemap: Descriptor,
    /// Set when it is not known which pages were written, so that all of them count as written.
    is_unknown: AtomicBool,
}

/// What the request asks about each page.
const CATEGORIES: u64 = sys::PAGE_IS_WRITTEN | sys::PAGE_IS_PRESENT | sys::PAGE_IS_SWAPPED;

/// Whether a page of `categories` was written.
const fn is_written(categories: u64) -> bool {
    categories & sys::PAGE_IS_WRITTEN != 0 || is_missing(categories)
}

/// Whether a page of `categories` is neither in memory nor in swap space nor marked.
const fn is_missing(categories: u64) -> bool {
    categories & (sys::PAGE_IS_PRESENT | sys::PAGE_IS_SWAPPED) == 0
}

/// Whether the request that resets pages leaves out those of `categories`. It protects what the kernel
/// calls written: missing pages only since a fix of July 2026 ("fix PAGEMAP_SCAN written state for
/// unpopulated ptes"), and missing explicit huge pages not even then.
const fn is_left_out(categories: u64) -> bool {
    categories & sys::PAGE_IS_WRITTEN == 0 && is_missing(categories)
}

impl WriteProtect {
    /// Begins to track `pages`, of which there is at least one, as not written.
    ///
    /// # Errors
    /// `ENOSYS` if the kernel cannot do this; `EPERM` of [`Call::Userfaultfd`] if it does not allow this
    /// process to; and other errors of the kernel.
    pub fn new(pages: Pages, arguments: Arguments) -> Result<Self> {
        let refused = |call, errno, reason| Error::new(call, errno, arguments, reason);
        let unsupported = |call| refused(call, libc::ENOSYS, Reason::Unsupported);
        let userfault = open_userfault().map_err(|errno| match errno {
            // Before Linux 5.11 the flag is not known, and before 6.7 the feature.
            libc::ENOSYS | libc::EINVAL => unsupported(Call::Userfaultfd),
            _ => refused(Call::Userfaultfd, errno, Reason::Kernel),
        })?;
        // Of the calling thread, since the first one of the process may have ended.
        let pagemap = open_own(c"/proc/thread-self/pagemap", libc::O_RDONLY)
            .map_err(|(errno, reason)| refused(Call::Pagemap, errno, reason))?;
        let tracker = Self {
            userfault,
            pagemap,
            is_unknown: AtomicBool::new(false),
        };
        // If this is refused, closing the descriptor undoes what was done.
        tracker.register(pages).map_err(|errno| {
            let reason = match errno {
                libc::EBUSY => Reason::Watched,
                libc::EPERM => Reason::NotWritable,
                _ => why_not_split(errno),
            };
            refused(Call::UffdioRegister, errno, reason)
        })?;
        let begun = match tracker.protect(pages, true) {
            Err(errno) => Err(refused(
                Call::UffdioWriteprotect,
                errno,
                why_not_split(errno),
            )),
            Ok(()) => match tracker.tracks(pages) {
                Ok(true) => Ok(()),
                Ok(false) => {
                    let reason = Reason::NotTrackable;
                    Err(refused(Call::PagemapScan, libc::ENOTSUP, reason))
                }
                Err(libc::ENOTTY) => Err(unsupported(Call::PagemapScan)),
                Err(errno) => Err(refused(Call::PagemapScan, errno, Reason::Kernel)),
            },
        };
        match begun {
            Ok(()) => Ok(tracker),
            Err(error) => {
                tracker.stop(pages);
                Err(error)
            }
        }
    }

    fn register(&self, pages: Pages) -> Result<(), Errno> {
        let mut register = sys::uffdio_register {
            range: range(pages.addresses()),
            mode: sys::UFFDIO_REGISTER_MODE_WP,
            ioctls: 0,
        };
        request!(self.userfault, UFFDIO_REGISTER, register).map(drop)
    }

    /// Protects pages, or makes them count as written.
    fn protect(&self, pages: Pages, protected: bool) -> Result<(), Errno> {
        self.protect_addresses(pages.addresses(), protected)
    }

    fn protect_addresses(&self, addresses: Range<usize>, protected: bool) -> Result<(), Errno> {
        let mut protect = sys::uffdio_writeprotect {
            range: range(addresses),
            mode: if protected {
                sys::UFFDIO_WRITEPROTECT_MODE_WP
            } else {
                0
            },
        };
        request!(self.userfault, UFFDIO_WRITEPROTECT, protect).map(drop)
    }

    /// Whether the kernel tracks all of `pages`: it skips memory without pages of its own, such as the
    /// registers of a device, and reports no error.
    fn tracks(&self, pages: Pages) -> Result<bool, Errno> {
        let Range { mut start, end } = pages.addresses();
        while start < end {
            let mut found = [sys::page_region::default()];
            let mut scan = sys::pm_scan_arg {
                category_mask: sys::PAGE_IS_WPALLOWED,
                return_mask: sys::PAGE_IS_WPALLOWED,
                ..scan(start..end, Some(&mut found))
            };
            let count = request!(self.pagemap, PAGEMAP_SCAN, scan)?;
            let [region] = found;
            if count == 0 || region.start != start as u64 || region.end <= region.start {
                return Ok(false);
            }
            start = address(region.end);
        }
        Ok(true)
    }

    /// Makes all pages count as not written.
    pub fn mark(&self, pages: Pages, arguments: Arguments) -> Result<()> {
        // Cleared before the request: if another thread sets it meanwhile, it must stay set.
        self.is_unknown.store(false, Ordering::Relaxed);
        // Without room for an answer, the kernel skips quickly what is protected already.
        let mut scan = sys::pm_scan_arg {
            flags: sys::PM_SCAN_WP_MATCHING | sys::PM_SCAN_CHECK_WPASYNC,
            ..scan(pages.addresses(), None)
        };
        let result = request!(self.pagemap, PAGEMAP_SCAN, scan);
        result.map(drop).map_err(|errno| {
            // Some of the written pages may be protected now.
            self.is_unknown.store(true, Ordering::Relaxed);
            Error::kernel(Call::PagemapScan, errno, arguments)
        })
    }

    /// The pages that were written; with `reset`, they do not count as written afterward.
    pub fn pieces(&self, pages: Pages, arguments: Arguments, reset: bool) -> Pieces<'_> {
        let Range { start, end } = pages.addresses();
        Pieces {
            tracker: self,
            pages,
            arguments,
            reset,
            is_unknown: self.is_unknown.load(Ordering::Relaxed),
            start,
            end,
            batch: [sys::page_region::default(); BATCH],
            next: 0,
            filled: 0,
        }
    }

    /// Stops tracking the pages.
    pub fn stop(self, pages: Pages) {
        let mut range = range(pages.addresses());
        // If this is refused, closing the descriptor stops it, unless a child has the descriptor too. Then
        // the kernel continues tracking, which only shows when the pages should be tracked again.
        let _refused = request!(self.userfault, UFFDIO_UNREGISTER, range);
    }
}

/// How many regions one call may return.
const BATCH: usize = 64;

/// What was written, piece by piece, from the lowest address on. What was reset and not returned has to be
/// given back at the end.
#[derive(Debug)]
pub struct Pieces<'a> {
    tracker: &'a WriteProtect,
    pages: Pages,
    arguments: Arguments,
    reset: bool,
    /// It is not known which pages were written, so all of them are one piece.
    is_unknown: bool,
    /// The pages that the kernel has not been asked about yet.
    start: usize,
    end: usize,
    /// The kernel's answer, of which `next..filled` have not been returned yet.
    batch: [sys::page_region; BATCH],
    next: usize,
    filled: usize,
}

impl Pieces<'_> {
    /// The next piece. After the end it must not be called again.
    pub fn next(&mut self) -> Result<Option<Range<usize>>> {
        if self.is_unknown {
            self.is_unknown = false;
            let all = self.start..self.end;
            self.start = self.end;
            if self.reset {
                self.tracker.mark(self.pages, self.arguments)?;
            }
            return Ok(Some(all));
        }
        loop {
            while self.next < self.filled {
                let region = self.batch[self.next];
                self.next += 1;
                if is_written(region.categories) {
                    return Ok(Some(address(region.start)..address(region.end)));
                }
            }
            if self.start >= self.end {
                return Ok(None);
            }
            self.fill()?;
        }
    }

    /// Asks the kernel about more pages.
    fn fill(&mut self) -> Result<()> {
        let asked = self.start..self.end;
        (self.next, self.filled) = (0, 0);
        let mut scan = sys::pm_scan_arg {
            flags: if self.reset {
                sys::PM_SCAN_WP_MATCHING | sys::PM_SCAN_CHECK_WPASYNC
            } else {
                sys::PM_SCAN_CHECK_WPASYNC
            },
            // Pages that are written, or not in memory; those in swap space may turn out not to be written.
            category_inverted: sys::PAGE_IS_PRESENT,
            category_anyof_mask: sys::PAGE_IS_WRITTEN | sys::PAGE_IS_PRESENT,
            return_mask: CATEGORIES,
            ..scan(asked.clone(), Some(&mut self.batch))
        };
        match request!(self.tracker.pagemap, PAGEMAP_SCAN, scan) {
            Ok(count) => {
                self.filled = usize::try_from(count).unwrap_or(0).min(BATCH);
                self.protect_missing();
                // If none are found, there are none up to the end.
                self.start = if self.filled == 0 {
                    self.end
                } else {
                    address(scan.walk_end)
                };
                Ok(())
            }
            Err(errno) => {
                self.start = self.end;
                // It may have reset pages before the error, and does not report which.
                self.give_back(asked);
                Err(Error::kernel(Call::PagemapScan, errno, self.arguments))
            }
        }
    }

    /// Protects the reported pages that are missing and that the request did not protect. A write before
    /// this belongs to the current report, since the caller reads the pages later.
    fn protect_missing(&self) {
        for region in &self.batch[..self.filled] {
            if self.reset && is_left_out(region.categories) {
                let addresses = address(region.start)..address(region.end);
                // If this is refused, the pages are reported again.
                let _refused = self.tracker.protect_addresses(addresses, true);
            }
        }
    }

    /// Makes the pages at `addresses` count as written again, if they were reset.
    pub fn give_back(&self, addresses: Range<usize>) {
        if self.reset && self.tracker.protect_addresses(addresses, false).is_err() {
            self.tracker.is_unknown.store(true, Ordering::Relaxed);
        }
    }

    /// Makes what the kernel reported, but this has not returned, count as written again.
    pub fn give_back_rest(&self) {
        for region in &self.batch[self.next..self.filled] {
            if is_written(region.categories) {
                self.give_back(address(region.start)..address(region.end));
            }
        }
    }
}

/// A userfaultfd whose faults the kernel serves itself.
fn open_userfault() -> Result<Descriptor, Errno> {
    // SAFETY: nothing is watched yet. [arguments]
    let opened = unsafe { sys::userfaultfd(libc::O_CLOEXEC | sys::UFFD_USER_MODE_ONLY) };
    // SAFETY: that is its result. [descriptor]
    let descriptor = unsafe { Descriptor::from_result(opened) }?;
    let mut api = sys::uffdio_api {
        api: sys::UFFD_API,
        features: sys::UFFD_FEATURE_WP_ASYNC
            | sys::UFFD_FEATURE_WP_UNPOPULATED
            | sys::UFFD_FEATURE_WP_HUGETLBFS_SHMEM,
        ioctls: 0,
    };
    request!(descriptor, UFFDIO_API, api)?;
    Ok(descriptor)
}

fn range(addresses: Range<usize>) -> sys::uffdio_range {
    sys::uffdio_range {
        start: addresses.start as u64,
        len: (addresses.end - addresses.start) as u64,
    }
}

/// A request about `addresses`, whose answer goes to `regions`, if given.
fn scan(addresses: Range<usize>, regions: Option<&mut [sys::page_region]>) -> sys::pm_scan_arg {
    let (vec, vec_len) = regions.map_or((0, 0), |regions| {
        let len = regions.len();
        (regions.as_mut_ptr().expose_provenance(), len)
    });
    sys::pm_scan_arg {
        size: size_of::<sys::pm_scan_arg>() as u64,
        start: addresses.start as u64,
        end: addresses.end as u64,
        vec: vec as u64,
        vec_len: vec_len as u64,
        ..sys::pm_scan_arg::default()
    }
}

/// An address that the kernel wrote; all of them are addresses of this process.
fn address(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use unix_memory_sys::{PAGE_IS_PRESENT, PAGE_IS_SWAPPED, PAGE_IS_WRITTEN};

    use super::{is_left_out, is_written};

    /// What the running kernel reports is one of the things that kernels may report.
    #[test]
    fn what_counts_as_written() {
        assert!(is_written(PAGE_IS_WRITTEN | PAGE_IS_PRESENT));
        assert!(is_written(PAGE_IS_WRITTEN | PAGE_IS_SWAPPED));
        assert!(is_written(PAGE_IS_WRITTEN));
        assert!(is_written(0), "thrown away");
        assert!(!is_written(PAGE_IS_PRESENT));
        assert!(
            !is_written(PAGE_IS_SWAPPED),
            "in swap, or to come protected"
        );
    }

    #[test]
    fn what_the_request_leaves_out() {
        assert!(is_left_out(0));
        for reset in [PAGE_IS_WRITTEN, PAGE_IS_PRESENT, PAGE_IS_SWAPPED] {
            assert!(!is_left_out(reset), "{reset:#x}");
        }
    }
}
