//! The state of pages: the request `PAGEMAP_SCAN` of `/proc/<pid>/pagemap`, from `<linux/fs.h>`.

use super::ioctl::{Request, read_write};

/// Writes to an array of [`page_region`] which pages of a range belong to given categories, and can
/// write-protect them in the same step. The argument is a `*mut` [`pm_scan_arg`]; the result is the number of
/// regions written. PAGEMAP_SCAN(2const), since Linux 6.7.
///
/// Fails with `EFAULT` for a bad pointer, `EINVAL` for bad flags, categories, sizes or addresses, `ENOMEM`,
/// `EPERM` if `PM_SCAN_CHECK_WPASYNC` finds a page whose writes are not tracked, `ENOTTY` on older kernels.
pub const PAGEMAP_SCAN: Request = read_write::<pm_scan_arg>(b'f', 16);

/// Write-protect the pages that are found, so that they are no longer `PAGE_IS_WRITTEN`.
/// PAGEMAP_SCAN(2const), since Linux 6.7.
pub const PM_SCAN_WP_MATCHING: u64 = 1 << 0;
/// Stop with `EPERM` at a page whose writes are not tracked: without `UFFD_FEATURE_WP_ASYNC`.
/// PAGEMAP_SCAN(2const), since Linux 6.7.
pub const PM_SCAN_CHECK_WPASYNC: u64 = 1 << 1;

/// The category of pages whose writes are tracked: with `UFFD_FEATURE_WP_ASYNC`. PAGEMAP_SCAN(2const),
/// since Linux 6.7.
pub const PAGE_IS_WPALLOWED: u64 = 1 << 0;
/// The category of pages that have been written to since they were write-protected. PAGEMAP_SCAN(2const),
/// since Linux 6.7.
pub const PAGE_IS_WRITTEN: u64 = 1 << 1;
/// The category of pages of a file. PAGEMAP_SCAN(2const), since Linux 6.7.
pub const PAGE_IS_FILE: u64 = 1 << 2;
/// The category of pages in memory. PAGEMAP_SCAN(2const), since Linux 6.7.
pub const PAGE_IS_PRESENT: u64 = 1 << 3;
/// The category of pages in swap. PAGEMAP_SCAN(2const), since Linux 6.7.
pub const PAGE_IS_SWAPPED: u64 = 1 << 4;
/// The category of pages that map the kernel's page of zeros. PAGEMAP_SCAN(2const), since Linux 6.7.
pub const PAGE_IS_PFNZERO: u64 = 1 << 5;
/// The category of huge pages. PAGEMAP_SCAN(2const), since Linux 6.7.
pub const PAGE_IS_HUGE: u64 = 1 << 6;
/// The category of pages that have been written to since `/proc/<pid>/clear_refs` cleared the mark.
/// PAGEMAP_SCAN(2const), since Linux 6.7.
pub const PAGE_IS_SOFT_DIRTY: u64 = 1 << 7;
/// The category of guards, of `MADV_GUARD_INSTALL`. `<linux/fs.h>`, since Linux 6.16.
pub const PAGE_IS_GUARD: u64 = 1 << 8;

/// Consecutive pages that belong to the same categories. PAGEMAP_SCAN(2const), since Linux 6.7.
#[allow(non_camel_case_types, reason = "the name in the header")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct page_region {
    /// The address of the first page.
    pub start: u64,
    /// The address after the last page.
    pub end: u64,
    /// The categories of `return_mask` that they belong to.
    pub categories: u64,
}

/// The argument of [`PAGEMAP_SCAN`]. PAGEMAP_SCAN(2const), since Linux 6.7.
#[allow(non_camel_case_types, reason = "the name in the header")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct pm_scan_arg {
    /// The size of this struct.
    pub size: u64,
    /// Flags, of `PM_SCAN_`.
    pub flags: u64,
    /// The address of the first page.
    pub start: u64,
    /// The address after the last page.
    pub end: u64,
    /// Written: the address up to which everything was scanned.
    pub walk_end: u64,
    /// The address of an array of [`page_region`].
    pub vec: u64,
    /// How many of them the array has room for.
    pub vec_len: u64,
    /// The maximum number of pages to find; 0: no limit.
    pub max_pages: u64,
    /// The categories that are inverted in the masks below.
    pub category_inverted: u64,
    /// A page must belong to all of these categories.
    pub category_mask: u64,
    /// A page must belong to at least one of these categories; 0: any page.
    pub category_anyof_mask: u64,
    /// The categories to report.
    pub return_mask: u64,
}

#[cfg(test)]
mod tests {
    use super::super::ioctl::ioctl;
    use super::super::testing::{LEN, close, errno, map, open, touch, unmap};
    use super::*;

    #[test]
    fn what_was_touched_is_there() {
        let addr = map();
        touch(addr);
        let fd = open(c"/proc/self/pagemap");
        let mut regions = [page_region::default(); 4];
        let mut arg = pm_scan_arg {
            size: size_of::<pm_scan_arg>() as u64,
            start: addr.addr() as u64,
            end: (addr.addr() + LEN) as u64,
            vec: regions.as_mut_ptr().expose_provenance() as u64,
            vec_len: regions.len() as u64,
            category_mask: PAGE_IS_PRESENT,
            return_mask: PAGE_IS_PRESENT | PAGE_IS_FILE,
            ..pm_scan_arg::default()
        };
        // SAFETY: the argument is that of the request, and the array has as many regions as it says.
        let found = unsafe { ioctl(fd, PAGEMAP_SCAN, &raw mut arg) };
        if found == -1 {
            assert!(matches!(
                errno(),
                libc::ENOTTY | libc::EBADF | libc::ENOSYS | libc::EINVAL
            ));
        } else {
            assert_eq!(found, 1);
            assert_eq!(regions[0].start, addr.addr() as u64);
            assert_eq!(regions[0].categories, PAGE_IS_PRESENT);
            assert_eq!(arg.walk_end, arg.end);
        }
        close(fd);
        assert_eq!(unmap(addr), 0);
    }
}
