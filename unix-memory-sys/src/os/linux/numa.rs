//! The nodes that memory is on: `<linux/mempolicy.h>`, and its calls.
//!
//! No C library wraps these calls (libnuma does), so they are made by number; their signatures are those of
//! the manual pages. A mask of nodes is an array of unsigned longs, whose lowest bit is node 0; `maxnode` is
//! the number of its bits, plus one for masks that the kernel reads.

#![allow(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::unnecessary_cast,
    reason = "each argument goes through `syscall` as a long, whatever its width here, and an int \
              comes back"
)]

use super::number;
use super::syscall::{int, pointer};
use crate::types::{c_int, c_long, c_uint, c_ulong, c_void};

// set_mempolicy(2), mbind(2): the modes.

/// The policy of the thread or, by default, of the system: the node of the processor that first touches a
/// page. mbind(2), since Linux 2.6.7.
pub const MPOL_DEFAULT: c_int = 0;
/// The given node, or another when it is full. mbind(2), since Linux 2.6.7.
pub const MPOL_PREFERRED: c_int = 1;
/// Only the given nodes. mbind(2), since Linux 2.6.7.
pub const MPOL_BIND: c_int = 2;
/// The given nodes in turn, page by page. mbind(2), since Linux 2.6.7.
pub const MPOL_INTERLEAVE: c_int = 3;
/// The node of the processor that first touches a page. mbind(2), since Linux 3.8.
pub const MPOL_LOCAL: c_int = 4;
/// The given nodes, or others when those are full. mbind(2), since Linux 5.15.
pub const MPOL_PREFERRED_MANY: c_int = 5;
/// The given nodes in turn, each as often as `/sys/kernel/mm/mempolicy/weighted_interleave` says. mbind(2),
/// since Linux 6.9.
pub const MPOL_WEIGHTED_INTERLEAVE: c_int = 6;

/// Added to a mode: the numbers of the nodes are absolute, whatever nodes the thread may use.
/// set_mempolicy(2), since Linux 2.6.26.
pub const MPOL_F_STATIC_NODES: c_int = 1 << 15;
/// Added to a mode: the numbers of the nodes are relative to the nodes that the thread may use.
/// set_mempolicy(2), since Linux 2.6.26.
pub const MPOL_F_RELATIVE_NODES: c_int = 1 << 14;
/// Added to `MPOL_BIND`: pages move to the node that uses them. set_mempolicy(2), since Linux 5.12.
pub const MPOL_F_NUMA_BALANCING: c_int = 1 << 13;
/// The mask of everything that can be added to a mode. `<linux/mempolicy.h>`.
pub const MPOL_MODE_FLAGS: c_int =
    MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING;
/// The mask of the bits that say how to interpret the numbers of nodes. `<linux/mempolicy.h>`.
pub const MPOL_USER_NODEMASK_FLAGS: c_int = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;

// get_mempolicy(2): its flags.

/// Return a node: that of the page at the address, or the next of an interleaved policy.
/// get_mempolicy(2), since Linux 2.6.7.
pub const MPOL_F_NODE: c_ulong = 1 << 0;
/// Return the policy of the address instead of the thread's. get_mempolicy(2), since Linux 2.6.7.
pub const MPOL_F_ADDR: c_ulong = 1 << 1;
/// Return the nodes that the thread may use. get_mempolicy(2), since Linux 2.6.24.
pub const MPOL_F_MEMS_ALLOWED: c_ulong = 1 << 2;

// mbind(2), and move_pages(2), whose flags are an int: their flags.

/// Fail with `EIO` if pages are on other nodes. mbind(2), since Linux 2.6.7.
pub const MPOL_MF_STRICT: c_uint = 1 << 0;
/// Move the pages that only this process uses. mbind(2), since Linux 2.6.16.
pub const MPOL_MF_MOVE: c_uint = 1 << 1;
/// Move all pages; privileged. mbind(2), since Linux 2.6.16.
pub const MPOL_MF_MOVE_ALL: c_uint = 1 << 2;
/// Move pages when they are used; no kernel accepts this from a program. `<linux/mempolicy.h>`.
pub const MPOL_MF_LAZY: c_uint = 1 << 3;
/// The mask of everything that `mbind` accepts. `<linux/mempolicy.h>`.
pub const MPOL_MF_VALID: c_uint = MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL;

/// Sets the policy of the pages in `addr..addr + len`: `mode` is one of `MPOL_`, `nodemask` says which
/// nodes, and `flags` (`MPOL_MF_`) say what happens to existing pages. Source: mbind(2), since Linux 2.6.7.
///
/// # Errors
/// Returns -1 and sets `errno`: `EFAULT` for a bad `nodemask` or a range that is not mapped, `EINVAL` for
/// an unaligned address, a bad mode, bad flags or a node that does not exist, `EIO` if `MPOL_MF_STRICT`
/// found pages elsewhere, `ENOMEM`, `EPERM` for `MPOL_MF_MOVE_ALL` without the privilege, `ENOSYS` if the
/// kernel was built without it.
///
/// # Safety
/// `nodemask` must be null, or valid for reads of `maxnode` bits, rounded up to unsigned longs. The
/// range must be the caller's own; no content changes.
#[must_use]
pub unsafe extern "C" fn mbind(
    addr: *mut c_void,
    len: c_ulong,
    mode: c_int,
    nodemask: *const c_ulong,
    maxnode: c_ulong,
    flags: c_uint,
) -> c_long {
    // SAFETY: the arguments are those of mbind(2), and the caller vouches for the pointers.
    // [caller, arguments]
    unsafe {
        super::syscall(
            number::MBIND,
            pointer(addr),
            len as c_long,
            mode as c_long,
            pointer(nodemask),
            maxnode as c_long,
            flags as c_long,
        )
    }
}

/// Sets the policy of the calling thread, for pages that it brings in from now on. Source:
/// set_mempolicy(2), since Linux 2.6.7.
///
/// # Errors
/// Returns -1 and sets `errno`: `EFAULT` for a bad `nodemask`, `EINVAL` for a bad mode or a node that does
/// not exist, `ENOMEM`, `ENOSYS` if the kernel was built without it.
///
/// # Safety
/// `nodemask` must be null, or valid for reads of `maxnode` bits, rounded up to unsigned longs.
#[must_use]
pub unsafe extern "C" fn set_mempolicy(
    mode: c_int,
    nodemask: *const c_ulong,
    maxnode: c_ulong,
) -> c_long {
    // SAFETY: the arguments are those of set_mempolicy(2), and the caller vouches for `nodemask`.
    // [caller, arguments]
    unsafe {
        super::syscall(
            number::SET_MEMPOLICY,
            mode as c_long,
            pointer(nodemask),
            maxnode as c_long,
        )
    }
}

/// Writes the policy of the calling thread, or, with `MPOL_F_ADDR`, of the page at `addr`, to `mode` and
/// `nodemask`; with `MPOL_F_NODE`, it writes a node to `mode`. Source: get_mempolicy(2), since Linux 2.6.7.
///
/// # Errors
/// Returns -1 and sets `errno`: `EFAULT` for a bad pointer, `EINVAL` for bad flags or a `maxnode` that is
/// less than the kernel's number of nodes, `ENOSYS` if the kernel was built without it.
///
/// # Safety
/// `mode` must be null or valid for a write; `nodemask` must be null, or valid for writes of
/// `maxnode` bits, rounded up to 64.
#[must_use]
pub unsafe extern "C" fn get_mempolicy(
    mode: *mut c_int,
    nodemask: *mut c_ulong,
    maxnode: c_ulong,
    addr: *mut c_void,
    flags: c_ulong,
) -> c_long {
    // SAFETY: the arguments are those of get_mempolicy(2), and the caller vouches for the pointers.
    // [caller, arguments]
    unsafe {
        super::syscall(
            number::GET_MEMPOLICY,
            pointer(mode),
            pointer(nodemask),
            maxnode as c_long,
            pointer(addr),
            flags as c_long,
        )
    }
}

/// Moves the pages of the process `pid` (0: the caller) from the nodes `old_nodes` to `new_nodes`, and
/// returns how many pages could not be moved. Source: migrate_pages(2), since Linux 2.6.16.
///
/// # Errors
/// Returns -1 and sets `errno`: `EFAULT` for a bad mask, `EINVAL` for a node that does not exist, `EPERM`
/// for a process of another user, or for nodes that it may not use, `ESRCH`, `ENOSYS` if the kernel was
/// built without it.
///
/// # Safety
/// The masks must be valid for reads of `maxnode` bits, rounded up to unsigned longs. No content
/// changes.
#[must_use]
pub unsafe extern "C" fn migrate_pages(
    pid: c_int,
    maxnode: c_ulong,
    old_nodes: *const c_ulong,
    new_nodes: *const c_ulong,
) -> c_long {
    // SAFETY: the arguments are those of migrate_pages(2), and the caller vouches for the masks.
    // [caller, arguments]
    unsafe {
        super::syscall(
            number::MIGRATE_PAGES,
            pid as c_long,
            maxnode as c_long,
            pointer(old_nodes),
            pointer(new_nodes),
        )
    }
}

/// Moves each of the `count` pages of the process `pid` (0: the caller) whose addresses are in `pages` to
/// its node in `nodes`, and writes the node that it is on afterwards, or a negative error number, to
/// `status`. If `nodes` is null, nothing moves. Source: move_pages(2), since Linux 2.6.18.
///
/// # Errors
/// Returns -1 and sets `errno`, or, since Linux 4.17, returns how many pages did not move: `E2BIG`,
/// `EACCES`, `EFAULT`, `EINVAL`, `ENODEV` for a node that is not online, `EPERM`, `ESRCH`, `ENOSYS` if the
/// kernel was built without it.
///
/// # Safety
/// `pages`, and `nodes` if it is not null, must be valid for reads of `count` elements, and `status` for
/// writes of as many. No content changes.
#[must_use]
pub unsafe extern "C" fn move_pages(
    pid: c_int,
    count: c_ulong,
    pages: *mut *mut c_void,
    nodes: *const c_int,
    status: *mut c_int,
    flags: c_int,
) -> c_long {
    // SAFETY: the arguments are those of move_pages(2), and the caller vouches for the arrays.
    // [caller, arguments]
    unsafe {
        super::syscall(
            number::MOVE_PAGES,
            pid as c_long,
            count as c_long,
            pointer(pages),
            pointer(nodes),
            pointer(status),
            flags as c_long,
        )
    }
}

/// Sets the node that pages in `addr..addr + len` come from first, if their policy is `MPOL_BIND` or
/// `MPOL_PREFERRED_MANY`; `flags` is 0. Source: set_mempolicy_home_node(2), since Linux 5.17.
///
/// # Errors
/// Returns -1 and sets `errno`: `EINVAL` for an unaligned address, bad flags or a node that does not exist,
/// `ENOENT` if no page has a policy of its own, `EOPNOTSUPP` if it has another policy, `ENOSYS` on older
/// kernels.
///
/// # Safety
/// The range must be the caller's own; no content changes.
#[must_use]
pub unsafe extern "C" fn set_mempolicy_home_node(
    addr: *mut c_void,
    len: c_ulong,
    home_node: c_ulong,
    flags: c_ulong,
) -> c_int {
    // SAFETY: the arguments are those of set_mempolicy_home_node(2). [caller, arguments]
    int(unsafe {
        super::syscall(
            number::SET_MEMPOLICY_HOME_NODE,
            pointer(addr),
            len as c_long,
            home_node as c_long,
            flags as c_long,
        )
    })
}

#[cfg(test)]
mod tests {
    use core::ptr;

    use super::super::testing::{LEN, errno, map, touch, unmap, works};
    use super::*;

    /// Room for more nodes than any kernel has.
    const BITS: usize = 4096;
    const WORDS: usize = BITS / c_ulong::BITS as usize;
    type Mask = [c_ulong; WORDS];

    /// The node of the page at `addr`, if this kernel reports it.
    fn node(addr: *mut c_void) -> Option<c_int> {
        let mut node = -1;
        let flags = MPOL_F_NODE | MPOL_F_ADDR;
        // SAFETY: `node` is valid for a write.
        let result = unsafe { get_mempolicy(&raw mut node, ptr::null_mut(), 0, addr, flags) };
        works(result as c_int).then_some(node)
    }

    #[test]
    fn a_policy_is_set_and_read() {
        let addr = map();
        let mut mask: Mask = [0; WORDS];
        mask[0] = 1;
        // SAFETY: the range is this test's own, and the mask has that many bits.
        let result = unsafe {
            mbind(
                addr,
                LEN as c_ulong,
                MPOL_BIND,
                mask.as_ptr(),
                BITS as c_ulong,
                0,
            )
        };
        if works(result as c_int) {
            let (mut mode, mut nodes): (c_int, Mask) = (-1, [0; WORDS]);
            // SAFETY: mode and mask are valid for writes.
            let result = unsafe {
                get_mempolicy(
                    &raw mut mode,
                    nodes.as_mut_ptr(),
                    BITS as c_ulong,
                    addr,
                    MPOL_F_ADDR,
                )
            };
            if works(result as c_int) {
                assert_eq!((mode, nodes[0]), (MPOL_BIND, 1));
            }
            // SAFETY: the range is this test's own.
            let result = unsafe { set_mempolicy_home_node(addr, LEN as c_ulong, 0, 0) };
            works(result);
        }
        // SAFETY: the range is this test's own, and no mask is read.
        let result = unsafe { mbind(addr, LEN as c_ulong, 99, ptr::null(), 0, 0) };
        assert_eq!(result, -1);
        assert!(matches!(errno(), libc::EINVAL | libc::ENOSYS));
        assert_eq!(unmap(addr), 0);
    }

    #[test]
    fn the_policy_of_a_thread_is_set_and_read() {
        // SAFETY: no mask is read.
        if works(unsafe { set_mempolicy(MPOL_LOCAL, ptr::null(), 0) } as c_int) {
            let mut mode = -1;
            // SAFETY: `mode` is valid for a write.
            let result =
                unsafe { get_mempolicy(&raw mut mode, ptr::null_mut(), 0, ptr::null_mut(), 0) };
            if works(result as c_int) {
                assert_eq!(mode, MPOL_LOCAL);
            }
            // SAFETY: no mask is read.
            assert_eq!(unsafe { set_mempolicy(MPOL_DEFAULT, ptr::null(), 0) }, 0);
        }
    }

    #[test]
    fn move_pages_says_where_they_are() {
        let addr = map();
        touch(addr);
        let (mut pages, mut status) = ([addr], [-1]);
        // SAFETY: each array has one element, and nothing moves.
        let result = unsafe {
            move_pages(
                0,
                1,
                pages.as_mut_ptr(),
                ptr::null(),
                status.as_mut_ptr(),
                0,
            )
        };
        if works(result as c_int) {
            assert!(node(addr).is_none_or(|node| node == status[0]));
            let nodes = [status[0]];
            let flags = MPOL_MF_MOVE as c_int;
            // SAFETY: each array has one element, for a page that is this test's own.
            let result = unsafe {
                move_pages(
                    0,
                    1,
                    pages.as_mut_ptr(),
                    nodes.as_ptr(),
                    status.as_mut_ptr(),
                    flags,
                )
            };
            assert_eq!((result, status), (0, nodes));
        }
        assert_eq!(unmap(addr), 0);
    }

    #[test]
    fn migrate_pages_from_a_node_to_itself_moves_none() {
        let mut mask: Mask = [0; WORDS];
        mask[0] = 1;
        // SAFETY: the masks have that many bits.
        let result = unsafe { migrate_pages(0, BITS as c_ulong, mask.as_ptr(), mask.as_ptr()) };
        if works(result as c_int) {
            assert_eq!(result, 0);
        }
    }
}
