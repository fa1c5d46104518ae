//! The options of `prctl` that concern a process's memory: `<linux/prctl.h>`.
//!
//! `prctl` reads the arguments after the option as unsigned longs, so they have this type here.

use crate::types::{c_int, c_ulong};

/// Sets an attribute of the pages of a range: `prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, len,
/// name)`. PR_SET_VMA(2const), since Linux 5.17.
pub const PR_SET_VMA: c_int = 0x5356_4d41;
/// The attribute of `PR_SET_VMA`: the name of anonymous memory in `/proc/<pid>/maps`, a string of at
/// most 79 bytes before its NUL, or null for none. PR_SET_VMA(2const), since Linux 5.17.
pub const PR_SET_VMA_ANON_NAME: c_ulong = 0;
/// Permanently forbids the process what the argument (`PR_MDWE_`) names. PR_SET_MDWE(2const), since Linux
/// 6.3.
pub const PR_SET_MDWE: c_int = 65;
/// Returns what `PR_SET_MDWE` forbids. PR_GET_MDWE(2const), since Linux 6.3.
pub const PR_GET_MDWE: c_int = 66;
/// With `PR_SET_MDWE`: a page that is writable, or was not executable when it was mapped, must not be made
/// executable. PR_SET_MDWE(2const), since Linux 6.3.
pub const PR_MDWE_REFUSE_EXEC_GAIN: c_ulong = 1 << 0;
/// With `PR_MDWE_REFUSE_EXEC_GAIN`: children do not inherit it. PR_SET_MDWE(2const), since Linux 6.6.
pub const PR_MDWE_NO_INHERIT: c_ulong = 1 << 1;
/// Lets the kernel merge equal pages of the whole process (KSM), or, with 0, stops that; privileged.
/// `<linux/prctl.h>`, since Linux 6.4.
pub const PR_SET_MEMORY_MERGE: c_int = 67;
/// Returns what `PR_SET_MEMORY_MERGE` set. `<linux/prctl.h>`, since Linux 6.4.
pub const PR_GET_MEMORY_MERGE: c_int = 68;
/// With 1, the process gets no transparent huge pages; with 0, it gets them again.
/// PR_SET_THP_DISABLE(2const), since Linux 3.15.
pub const PR_SET_THP_DISABLE: c_int = 41;
/// Returns what `PR_SET_THP_DISABLE` set. PR_GET_THP_DISABLE(2const), since Linux 3.15.
pub const PR_GET_THP_DISABLE: c_int = 42;
/// The third argument of `PR_SET_THP_DISABLE`, after 1: except where advice asks for them. `<linux/prctl.h>`,
/// since Linux 6.18.
pub const PR_THP_DISABLE_EXCEPT_ADVISED: c_ulong = 1 << 1;

unsafe extern "C" {
    /// Performs `option` (`PR_`) on the calling process. The arguments that the option takes follow, each
    /// an unsigned long or a pointer, with zeros for those that it does not use. Source: prctl(2).
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EINVAL` for an option that the kernel does not know, or bad arguments,
    /// `EPERM` for what `PR_SET_MDWE` has permanently forbidden, `ENOMEM` for pages that are not mapped,
    /// `EBADF` for pages of a file, which have no name of their own.
    ///
    /// # Safety
    /// The arguments must be passed, and must be what the option takes.
    pub fn prctl(option: c_int, ...) -> c_int;
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LEN, errno, map, unmap};
    use super::*;

    const ZERO: c_ulong = 0;

    #[test]
    fn memory_gets_a_name_or_the_kernel_has_none() {
        let addr = map();
        let name = c"test".as_ptr();
        // SAFETY: the range is this test's own, and the name ends in NUL.
        let result = unsafe { prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, LEN as c_ulong, name) };
        assert!(result == 0 || errno() == libc::EINVAL);
        assert_eq!(unmap(addr), 0);
    }

    #[test]
    fn what_is_forbidden_is_read() {
        // SAFETY: it only reads.
        let result = unsafe { prctl(PR_GET_MDWE, ZERO, ZERO, ZERO, ZERO) };
        assert!(result == 0 || errno() == libc::EINVAL);
        // SAFETY: it only reads.
        let result = unsafe { prctl(PR_GET_THP_DISABLE, ZERO, ZERO, ZERO, ZERO) };
        assert!(result >= 0 || errno() == libc::EINVAL);
    }
}
