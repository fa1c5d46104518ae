//! Tracking of writes by `userfaultfd`: `<linux/userfaultfd.h>`.
//!
//! This file declares what write protection needs: with [`UFFD_FEATURE_WP_ASYNC`] the kernel itself lifts the
//! protection of a page at the first write, and [`PAGEMAP_SCAN`](super::PAGEMAP_SCAN) reports which pages
//! those were. What a thread needs to handle faults itself (`struct uffd_msg`, `UFFDIO_COPY` and its like) is
//! not here.

#![allow(
    clippy::cast_lossless,
    clippy::unnecessary_cast,
    reason = "the argument goes through `syscall` as a long, whatever its width here"
)]

use super::ioctl::{Request, none, read, read_write};
use super::number;
use super::syscall::int;
use crate::types::{c_int, c_long};

/// The type in the numbers of the requests.
const UFFDIO: u8 = 0xAA;

/// The value that [`uffdio_api::api`] must have. UFFDIO_API(2const), since Linux 4.3.
pub const UFFD_API: u64 = 0xAA;
/// A flag of `userfaultfd`: faults within the kernel are not handled, so that no privilege is needed.
/// userfaultfd(2), since Linux 5.11.
pub const UFFD_USER_MODE_ONLY: c_int = 1;

// UFFDIO_API(2const): features to ask the kernel for.

/// Faults report whether write protection caused them; `UFFDIO_WRITEPROTECT` exists. UFFDIO_API(2const),
/// since Linux 5.7.
pub const UFFD_FEATURE_PAGEFAULT_FLAG_WP: u64 = 1 << 0;
/// An event for `fork`. UFFDIO_API(2const), since Linux 4.11.
pub const UFFD_FEATURE_EVENT_FORK: u64 = 1 << 1;
/// An event for `mremap`. UFFDIO_API(2const), since Linux 4.11.
pub const UFFD_FEATURE_EVENT_REMAP: u64 = 1 << 2;
/// An event for `MADV_DONTNEED` and `MADV_REMOVE`. UFFDIO_API(2const), since Linux 4.11.
pub const UFFD_FEATURE_EVENT_REMOVE: u64 = 1 << 3;
/// Faults on missing pages in explicit huge pages. UFFDIO_API(2const), since Linux 4.11.
pub const UFFD_FEATURE_MISSING_HUGETLBFS: u64 = 1 << 4;
/// Faults on missing pages in shared memory. UFFDIO_API(2const), since Linux 4.11.
pub const UFFD_FEATURE_MISSING_SHMEM: u64 = 1 << 5;
/// An event for `munmap`. UFFDIO_API(2const), since Linux 4.11.
pub const UFFD_FEATURE_EVENT_UNMAP: u64 = 1 << 6;
/// SIGBUS instead of an event. UFFDIO_API(2const), since Linux 4.14.
pub const UFFD_FEATURE_SIGBUS: u64 = 1 << 7;
/// Events report which thread faulted. UFFDIO_API(2const), since Linux 4.14.
pub const UFFD_FEATURE_THREAD_ID: u64 = 1 << 8;
/// Faults on pages without an entry in the page table, in explicit huge pages. UFFDIO_API(2const), since
/// Linux 5.13.
pub const UFFD_FEATURE_MINOR_HUGETLBFS: u64 = 1 << 9;
/// Faults on pages without an entry in the page table, in shared memory. UFFDIO_API(2const), since Linux
/// 5.14.
pub const UFFD_FEATURE_MINOR_SHMEM: u64 = 1 << 10;
/// Events have the exact address instead of the address of its page. UFFDIO_API(2const), since Linux 5.18.
pub const UFFD_FEATURE_EXACT_ADDRESS: u64 = 1 << 11;
/// Write protection in shared memory and explicit huge pages. UFFDIO_API(2const), since Linux 5.19.
pub const UFFD_FEATURE_WP_HUGETLBFS_SHMEM: u64 = 1 << 12;
/// Write protection of pages that are not there yet. UFFDIO_API(2const), since Linux 6.4.
pub const UFFD_FEATURE_WP_UNPOPULATED: u64 = 1 << 13;
/// Pages that raise SIGBUS: `UFFDIO_POISON` exists. UFFDIO_API(2const), since Linux 6.6.
pub const UFFD_FEATURE_POISON: u64 = 1 << 14;
/// The kernel itself lifts write protection at the first write, without an event. UFFDIO_API(2const),
/// since Linux 6.7.
pub const UFFD_FEATURE_WP_ASYNC: u64 = 1 << 15;
/// Pages can be moved: `UFFDIO_MOVE` exists. UFFDIO_API(2const), since Linux 6.8.
pub const UFFD_FEATURE_MOVE: u64 = 1 << 16;

/// Asks the kernel for features; the argument is a `*mut` [`uffdio_api`]. Fails with `EINVAL` for those that
/// it lacks, `EPERM` for `UFFD_FEATURE_EVENT_FORK` without the privilege. UFFDIO_API(2const), since Linux
/// 4.3.
pub const UFFDIO_API: Request = read_write::<uffdio_api>(UFFDIO, 0x3F);
/// Starts watching the pages of a range; the argument is a `*mut` [`uffdio_register`]. Fails with `EBUSY`
/// if another descriptor watches them, `EINVAL` for memory that cannot be watched in this way, or bad
/// modes. UFFDIO_REGISTER(2const), since Linux 4.3.
pub const UFFDIO_REGISTER: Request = read_write::<uffdio_register>(UFFDIO, 0x00);
/// Stops watching the pages of a range, and lifts write protection; the argument is a `*mut`
/// [`uffdio_range`]. UFFDIO_UNREGISTER(2const), since Linux 4.3.
pub const UFFDIO_UNREGISTER: Request = read::<uffdio_range>(UFFDIO, 0x01);
/// Wakes the threads that wait in a range; the argument is a `*mut` [`uffdio_range`].
/// UFFDIO_WAKE(2const), since Linux 4.3.
pub const UFFDIO_WAKE: Request = read::<uffdio_range>(UFFDIO, 0x02);
/// Protects the pages of a range against writes, or lifts that protection; the argument is a `*mut`
/// [`uffdio_writeprotect`]. Fails with `EAGAIN` while mappings change, `ENOENT` for pages that are not
/// watched in this way. UFFDIO_WRITEPROTECT(2const), since Linux 5.7.
pub const UFFDIO_WRITEPROTECT: Request = read_write::<uffdio_writeprotect>(UFFDIO, 0x06);
/// The request of `/dev/userfaultfd` that returns a descriptor, as the call does, to processes that the
/// device's permissions allow; the argument is the flags. ioctl_userfaultfd(2), since Linux 6.1.
pub const USERFAULTFD_IOC_NEW: Request = none(UFFDIO, 0x00);

/// In [`uffdio_register::ioctls`] and [`uffdio_api::ioctls`]: the bit of `UFFDIO_REGISTER`.
/// `<linux/userfaultfd.h>`, since Linux 4.3.
pub const _UFFDIO_REGISTER: c_int = 0x00;
/// The bit of `UFFDIO_UNREGISTER`. `<linux/userfaultfd.h>`, since Linux 4.3.
pub const _UFFDIO_UNREGISTER: c_int = 0x01;
/// The bit of `UFFDIO_WAKE`. `<linux/userfaultfd.h>`, since Linux 4.3.
pub const _UFFDIO_WAKE: c_int = 0x02;
/// The bit of `UFFDIO_WRITEPROTECT`. `<linux/userfaultfd.h>`, since Linux 5.7.
pub const _UFFDIO_WRITEPROTECT: c_int = 0x06;
/// The bit of `UFFDIO_API`. `<linux/userfaultfd.h>`, since Linux 4.3.
pub const _UFFDIO_API: c_int = 0x3F;

/// Watch for missing pages. UFFDIO_REGISTER(2const), since Linux 4.3.
pub const UFFDIO_REGISTER_MODE_MISSING: u64 = 1 << 0;
/// Watch for writes to protected pages. UFFDIO_REGISTER(2const), since Linux 5.7.
pub const UFFDIO_REGISTER_MODE_WP: u64 = 1 << 1;
/// Watch for pages that are in memory but not in the page table. UFFDIO_REGISTER(2const), since Linux 5.13.
pub const UFFDIO_REGISTER_MODE_MINOR: u64 = 1 << 2;
/// Protect; without it, lift the protection. UFFDIO_WRITEPROTECT(2const), since Linux 5.7.
pub const UFFDIO_WRITEPROTECT_MODE_WP: u64 = 1 << 0;
/// Wake no threads when protection is lifted. UFFDIO_WRITEPROTECT(2const), since Linux 5.7.
pub const UFFDIO_WRITEPROTECT_MODE_DONTWAKE: u64 = 1 << 1;

/// The argument of [`UFFDIO_API`]. UFFDIO_API(2const), since Linux 4.3.
#[allow(non_camel_case_types, reason = "the name in the header")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct uffdio_api {
    /// `UFFD_API`.
    pub api: u64,
    /// The requested features (`UFFD_FEATURE_`). Written: those that the kernel has.
    pub features: u64,
    /// Written: the bits of the requests that exist.
    pub ioctls: u64,
}

/// A range of pages. UFFDIO_REGISTER(2const), since Linux 4.3.
#[allow(non_camel_case_types, reason = "the name in the header")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct uffdio_range {
    /// Its address, a multiple of the page size.
    pub start: u64,
    /// Its length in bytes, a multiple of the page size.
    pub len: u64,
}

/// The argument of [`UFFDIO_REGISTER`]. UFFDIO_REGISTER(2const), since Linux 4.3.
#[allow(non_camel_case_types, reason = "the name in the header")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct uffdio_register {
    /// The pages.
    pub range: uffdio_range,
    /// The modes, of `UFFDIO_REGISTER_MODE_`.
    pub mode: u64,
    /// Written: the bits of the requests that these pages support.
    pub ioctls: u64,
}

/// The argument of [`UFFDIO_WRITEPROTECT`]. UFFDIO_WRITEPROTECT(2const), since Linux 5.7.
#[allow(non_camel_case_types, reason = "the name in the header")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct uffdio_writeprotect {
    /// The pages.
    pub range: uffdio_range,
    /// The modes, of `UFFDIO_WRITEPROTECT_MODE_`.
    pub mode: u64,
}

/// Returns a descriptor through which page faults of the process are watched; `flags` is of
/// `UFFD_USER_MODE_ONLY`, `O_CLOEXEC` and `O_NONBLOCK`. `UFFDIO_API` comes next. Source: userfaultfd(2),
/// since Linux 4.3.
///
/// # Errors
/// Returns -1 and sets `errno`: `EINVAL` for bad flags, `EMFILE`, `ENFILE`, `ENOMEM`, `EPERM` without
/// either `UFFD_USER_MODE_ONLY` or the privilege, unless `/proc/sys/vm/unprivileged_userfaultfd` allows it,
/// `ENOSYS` if the kernel was built without it.
///
/// # Safety
/// There is none: nothing is watched yet.
#[must_use]
pub unsafe extern "C" fn userfaultfd(flags: c_int) -> c_int {
    // SAFETY: the argument is that of userfaultfd(2). [arguments]
    int(unsafe { super::syscall(number::USERFAULTFD, flags as c_long) })
}

#[cfg(test)]
mod tests {
    use super::super::ioctl::ioctl;
    use super::super::testing::{LEN, close, errno, map, unmap, works};
    use super::*;

    #[test]
    fn pages_are_protected_against_writes() {
        // SAFETY: nothing is watched yet.
        let fd = unsafe { userfaultfd(UFFD_USER_MODE_ONLY | libc::O_CLOEXEC) };
        // Kernels before 5.11 do not know the flag.
        if (fd == -1 && errno() == libc::EINVAL) || !works(fd) {
            return;
        }
        let mut api = uffdio_api {
            api: UFFD_API,
            features: UFFD_FEATURE_WP_ASYNC,
            ioctls: 0,
        };
        // SAFETY: the argument is that of the request.
        if unsafe { ioctl(fd, UFFDIO_API, &raw mut api) } == 0 {
            assert_ne!(api.ioctls & (1 << _UFFDIO_REGISTER), 0);
            let addr = map();
            let range = uffdio_range {
                start: addr.addr() as u64,
                len: LEN as u64,
            };
            let mut register = uffdio_register {
                range,
                mode: UFFDIO_REGISTER_MODE_WP,
                ioctls: 0,
            };
            // SAFETY: the range is this test's own.
            assert_eq!(unsafe { ioctl(fd, UFFDIO_REGISTER, &raw mut register) }, 0);
            assert_ne!(register.ioctls & (1 << _UFFDIO_WRITEPROTECT), 0);
            let mut protect = uffdio_writeprotect {
                range,
                mode: UFFDIO_WRITEPROTECT_MODE_WP,
            };
            // SAFETY: the range is this test's own, and the kernel lifts the protection itself.
            let result = unsafe { ioctl(fd, UFFDIO_WRITEPROTECT, &raw mut protect) };
            assert_eq!(result, 0);
            let mut range = range;
            // SAFETY: the range is this test's own.
            assert_eq!(unsafe { ioctl(fd, UFFDIO_UNREGISTER, &raw mut range) }, 0);
            assert_eq!(unmap(addr), 0);
        } else {
            assert_eq!(errno(), libc::EINVAL);
        }
        close(fd);
    }
}
