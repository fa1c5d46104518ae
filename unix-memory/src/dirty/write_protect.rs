//! Tracking by write protection: a userfaultfd whose faults the kernel serves itself, and the request
//! that says which pages have had one.
//!
//! A tracked page is in one of three states. *Protected*: there, or in swap, or marked in the page
//! table as one that is to come protected: it was not written. *Written*: there or in swap, and not
//! protected. *Nothing*: neither there nor in swap nor marked. None is left so by protecting, so that
//! its content was thrown away since, or it is of a file, was written, and was written back: it counts
//! as written. (Whether the kernel says `PAGE_IS_WRITTEN` of such a page hangs on its version, and on
//! whether there is a page table for it.)

use core::ffi::c_int;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering};

use unix_memory_sys as sys;

use super::descriptor::Descriptor;
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os::call;
use crate::page::Pages;

/// The kernel reads it, and writes to it: for requests by a pointer to `$argument`.
macro_rules! request {
    ($descriptor:expr, $request:ident, $argument:expr) => {{
        let argument: *mut _ = &raw mut $argument;
        // SAFETY: the argument is that of the request, lives until the kernel returns, and concerns pages
        // that are the caller's: of these no content changes.
        let result = unsafe { sys::ioctl($descriptor.number(), sys::$request, argument) };
        if result < 0 {
            Err(call::errno())
        } else {
            Ok(result)
        }
    }};
}

/// A tracker of pages, which its methods are given: always the same.
#[derive(Debug)]
pub struct WriteProtect {
    userfault: Descriptor,
    pagemap: Descriptor,
    /// Set when what was written is not known: then all of it was.
    is_unknown: AtomicBool,
}

/// What is asked of each page.
const CATEGORIES: u64 = sys::PAGE_IS_WRITTEN | sys::PAGE_IS_PRESENT | sys::PAGE_IS_SWAPPED;

/// Whether a page of `categories` was written.
const fn is_written(categories: u64) -> bool {
    let is_nothing = categories & (sys::PAGE_IS_PRESENT | sys::PAGE_IS_SWAPPED) == 0;
    categories & sys::PAGE_IS_WRITTEN != 0 || is_nothing
}

impl WriteProtect {
    /// Begins to track `pages`, of which there is at least one, as not written.
    ///
    /// # Errors
    /// `ENOSYS` where the kernel has no such thing; `EPERM` of [`Call::Userfaultfd`] where it does not
    /// allow it to this process; others of the kernel's.
    pub fn new(pages: Pages, arguments: Arguments) -> Result<Self> {
        let refused = |call, errno, reason| Error::new(call, errno, arguments, reason);
        let unsupported = |call| refused(call, libc::ENOSYS, Reason::Unsupported);
        let userfault = open_userfault().map_err(|errno| match errno {
            // Before Linux 5.11 the flag is not known, and before 6.7 the feature.
            libc::ENOSYS | libc::EINVAL => unsupported(Call::Userfaultfd),
            _ => refused(Call::Userfaultfd, errno, Reason::Kernel),
        })?;
        let pagemap = open_own(c"/proc/self/pagemap", libc::O_RDONLY)
            .map_err(|(errno, reason)| refused(Call::Pagemap, errno, reason))?;
        let tracker = Self {
            userfault,
            pagemap,
            is_unknown: AtomicBool::new(false),
        };
        // Where this is refused nothing is left to undo but what closing the descriptor does.
        tracker.register(pages).map_err(|errno| {
            let reason = match errno {
                libc::EBUSY => Reason::Watched,
                libc::EPERM => Reason::NotWritable,
                _ => Reason::Kernel,
            };
            refused(Call::UffdioRegister, errno, reason)
        })?;
        let begun = match tracker.protect(pages, true) {
            Err(errno) => Err(refused(Call::UffdioWriteprotect, errno, Reason::Kernel)),
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

    /// Protects pages, or has them be written.
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

    /// Whether the kernel tracks all of `pages`: it skips memory that has no pages of its own, as the
    /// registers of devices, and says nothing.
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

    /// Has all pages be not written.
    pub fn mark(&self, pages: Pages, arguments: Arguments) -> Result<()> {
        // Known again, before it is asked: what another thread meets afterward is to stay set.
        self.is_unknown.store(false, Ordering::Relaxed);
        // Without room for an answer, what is protected already is passed over in haste.
        let mut scan = sys::pm_scan_arg {
            flags: sys::PM_SCAN_WP_MATCHING | sys::PM_SCAN_CHECK_WPASYNC,
            ..scan(pages.addresses(), None)
        };
        let result = request!(self.pagemap, PAGEMAP_SCAN, scan);
        result.map(drop).map_err(|errno| {
            // Some are protected now that were written.
            self.is_unknown.store(true, Ordering::Relaxed);
            Error::kernel(Call::PagemapScan, errno, arguments)
        })
    }

    /// The pages that were written, which are so no more if `reset`.
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

    /// Tracks the pages no longer.
    pub fn stop(self, pages: Pages) {
        let mut range = range(pages.addresses());
        // Where it is refused, closing the descriptor does it, unless a child has it too: then the kernel
        // goes on tracking, which is not seen but by who would track the pages again.
        let _refused = request!(self.userfault, UFFDIO_UNREGISTER, range);
    }
}

/// How many regions are asked for in one call.
const BATCH: usize = 64;

/// What was written, piece by piece, from the lowest address on; of what was reset and not returned the
/// rest is written again when it is dropped.
#[derive(Debug)]
pub struct Pieces<'a> {
    tracker: &'a WriteProtect,
    pages: Pages,
    arguments: Arguments,
    reset: bool,
    /// Nothing is known: all of it is one piece.
    is_unknown: bool,
    /// What is still to be asked about.
    start: usize,
    end: usize,
    /// What was answered, of which `next..filled` were not yet returned.
    batch: [sys::page_region; BATCH],
    next: usize,
    filled: usize,
}

impl Pieces<'_> {
    /// The next piece; the end comes but once.
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

    /// Asks about more.
    fn fill(&mut self) -> Result<()> {
        let asked = self.start..self.end;
        (self.next, self.filled) = (0, 0);
        let mut scan = sys::pm_scan_arg {
            flags: if self.reset {
                sys::PM_SCAN_WP_MATCHING | sys::PM_SCAN_CHECK_WPASYNC
            } else {
                sys::PM_SCAN_CHECK_WPASYNC
            },
            // Those that are written, or not there: of these, the ones in swap may not be written.
            category_inverted: sys::PAGE_IS_PRESENT,
            category_anyof_mask: sys::PAGE_IS_WRITTEN | sys::PAGE_IS_PRESENT,
            return_mask: CATEGORIES,
            ..scan(asked.clone(), Some(&mut self.batch))
        };
        match request!(self.tracker.pagemap, PAGEMAP_SCAN, scan) {
            Ok(count) => {
                self.filled = usize::try_from(count).unwrap_or(0).min(BATCH);
                // With none found, there are none up to the end.
                self.start = if self.filled == 0 {
                    self.end
                } else {
                    address(scan.walk_end)
                };
                Ok(())
            }
            Err(errno) => {
                self.start = self.end;
                // It may have reset pages before it met the error, and does not say which.
                self.give_back(asked);
                Err(Error::kernel(Call::PagemapScan, errno, self.arguments))
            }
        }
    }

    /// Has the pages at `addresses` be written again, if they were reset.
    pub fn give_back(&mut self, addresses: Range<usize>) {
        if self.reset && self.tracker.protect_addresses(addresses, false).is_err() {
            self.tracker.is_unknown.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Pieces<'_> {
    fn drop(&mut self) {
        for i in self.next..self.filled {
            let region = self.batch[i];
            if is_written(region.categories) {
                self.give_back(address(region.start)..address(region.end));
            }
        }
    }
}

/// A userfaultfd whose faults the kernel serves itself.
fn open_userfault() -> Result<Descriptor, Errno> {
    // SAFETY: nothing is watched yet.
    let opened = unsafe { sys::userfaultfd(libc::O_CLOEXEC | sys::UFFD_USER_MODE_ONLY) };
    // SAFETY: that is its result.
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

/// Opens a file about this process, and says why not.
pub fn open_own(path: &core::ffi::CStr, flags: c_int) -> Result<Descriptor, (Errno, Reason)> {
    Descriptor::open(path, flags).map_err(|errno| {
        // SAFETY: this one takes nothing more.
        let is_closed = || unsafe { libc::prctl(libc::PR_GET_DUMPABLE) } != 1;
        let reason = match errno {
            libc::EACCES | libc::EPERM if is_closed() => Reason::NotDumpable,
            _ => Reason::Kernel,
        };
        (errno, reason)
    })
}

fn range(addresses: Range<usize>) -> sys::uffdio_range {
    sys::uffdio_range {
        start: addresses.start as u64,
        len: (addresses.end - addresses.start) as u64,
    }
}

/// A request about `addresses`, whose answer goes to `regions`, if to any.
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

/// An address that the kernel wrote; all are those of this process.
fn address(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use unix_memory_sys::{PAGE_IS_PRESENT, PAGE_IS_SWAPPED, PAGE_IS_WRITTEN};

    use super::is_written;

    /// What the running kernel says is a part of what kernels may say.
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
}
