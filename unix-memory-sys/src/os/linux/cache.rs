//! How much of a file is in memory: `cachestat`, and its structs, from `<linux/mman.h>`.

#![allow(
    clippy::cast_lossless,
    clippy::unnecessary_cast,
    reason = "each argument goes through `syscall` as a long, whatever its width here"
)]

use super::number;
use super::syscall::{int, pointer};
use crate::types::{c_int, c_long, c_uint};

/// The part of a file that [`cachestat`](fn@cachestat) is asked about. cachestat(2), since Linux 6.5.
#[allow(non_camel_case_types, reason = "the name in the header")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct cachestat_range {
    /// Where it starts, in bytes.
    pub off: u64,
    /// Its length in bytes; 0 means up to the end of the file.
    pub len: u64,
}

/// What [`cachestat`](fn@cachestat) writes, in pages. cachestat(2), since Linux 6.5.
#[allow(non_camel_case_types, reason = "the name in the header")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct cachestat {
    /// Pages in memory.
    pub nr_cache: u64,
    /// Pages that are still to be written to the file.
    pub nr_dirty: u64,
    /// Pages that are being written to it.
    pub nr_writeback: u64,
    /// Pages that were in memory and have been evicted.
    pub nr_evicted: u64,
    /// Of these, the pages that would still be in memory if the machine had a little more of it.
    pub nr_recently_evicted: u64,
}

/// Writes to `result` how much of `range` of the file behind `fd` is in memory; `flags` is 0. Source:
/// cachestat(2), since Linux 6.5.
///
/// # Errors
/// Returns -1 and sets `errno`: `EBADF`, `EFAULT` for a bad pointer, `EINVAL` for bad flags,
/// `EOPNOTSUPP` for a file in huge pages, `EPERM` for a file that the caller may not write to and does
/// not own (since Linux 6.14), `ENOSYS` on older kernels.
///
/// # Safety
/// `range` must be valid for a read, `result` for a write.
#[must_use]
pub unsafe extern "C" fn cachestat(
    fd: c_uint,
    range: *mut cachestat_range,
    result: *mut cachestat,
    flags: c_uint,
) -> c_int {
    // SAFETY: the arguments are those of cachestat(2), and the caller vouches for the pointers.
    // [caller, arguments]
    int(unsafe {
        super::syscall(
            number::CACHESTAT,
            fd as c_long,
            pointer(range),
            pointer(result),
            flags as c_long,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{close, errno, open, works};
    use super::*;

    #[test]
    fn a_program_that_runs_is_in_memory() {
        let file = open(c"/proc/self/exe");
        let fd = file.unsigned_abs();
        let mut range = cachestat_range::default();
        let mut result = cachestat::default();
        // SAFETY: both structs are valid.
        let done = unsafe { cachestat(fd, &raw mut range, &raw mut result, 0) };
        if works(done) {
            assert_ne!(result.nr_cache, 0);
        }
        // SAFETY: both structs are valid.
        let done = unsafe { cachestat(fd, &raw mut range, &raw mut result, 1 << 20) };
        assert_eq!(done, -1);
        assert!(matches!(errno(), libc::EINVAL | libc::EPERM | libc::ENOSYS));
        close(file);
    }
}
