//! The calls that the oldest C library that rustc supports may lack, made by number.
//!
//! rustc's gnu targets support glibc 2.17 and later; `mlock2`, `memfd_create` and the `pkey_` calls came with
//! 2.27, `process_madvise` with 2.36, `mseal` with 2.43, and musl has few of them. The C library's `syscall`
//! sets `errno` as the library's own wrappers do, so a caller sees no difference; on a kernel without the
//! call, `errno` is `ENOSYS`. Android shares this file.

#![allow(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::unnecessary_cast,
    reason = "each argument goes through `syscall` as a long, whatever its width here, and an int \
              comes back"
)]

use super::number;
use super::syscall;
use crate::types::{c_char, c_int, c_long, c_uint, c_ulong, c_void, size_t, ssize_t};

/// Creates an anonymous file in memory and returns its descriptor; `name` only appears in `/proc/self/fd`.
/// Source: memfd_create(2), since Linux 3.17.
///
/// # Errors
/// Returns -1 and sets `errno`: `EFAULT` for a bad `name`, `EINVAL` for bad flags or a name longer
/// than 249 bytes, `EMFILE`, `ENFILE`, `ENOMEM`, `EPERM` for huge pages without the privilege,
/// `ENOSYS` on older kernels.
///
/// # Safety
/// `name` must point to a string that ends in NUL.
#[must_use]
pub unsafe extern "C" fn memfd_create(name: *const c_char, flags: c_uint) -> c_int {
    // SAFETY: the arguments are those of memfd_create(2), and the caller vouches for `name`.
    // [caller, arguments]
    int(unsafe { syscall(number::MEMFD_CREATE, pointer(name), flags as c_long) })
}

/// Creates an anonymous file whose pages the kernel itself cannot read, and returns its descriptor; `flags`
/// is 0 or `O_CLOEXEC`. Source: memfd_secret(2), since Linux 5.14.
///
/// Only the headers of these architectures define the number.
///
/// # Errors
/// Returns -1 and sets `errno`: `EINVAL` for bad flags, `EMFILE`, `ENFILE`, `ENOMEM`, `ENOSYS` if the
/// kernel was built or started without it.
///
/// # Safety
/// None beyond the call itself.
#[cfg(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv32",
    target_arch = "riscv64",
    target_arch = "loongarch64",
    target_arch = "s390x",
    target_arch = "wasm32",
))]
#[must_use]
pub unsafe extern "C" fn memfd_secret(flags: c_uint) -> c_int {
    // SAFETY: the argument is that of memfd_secret(2). [arguments]
    int(unsafe { syscall(number::MEMFD_SECRET, flags as c_long) })
}

/// Like `mlock`; with `MLOCK_ONFAULT` pages are locked as they are brought in. Source: mlock2(2),
/// since Linux 4.4.
///
/// # Errors
/// Returns -1 and sets `errno`: as for `mlock`, `EINVAL` for bad flags, `ENOSYS` on older kernels.
///
/// # Safety
/// The range must be the caller's own; no content changes.
#[must_use]
pub unsafe extern "C" fn mlock2(addr: *const c_void, len: size_t, flags: c_uint) -> c_int {
    // SAFETY: the arguments are those of mlock2(2), which changes no content. [arguments, harmless]
    int(unsafe {
        syscall(
            number::MLOCK2,
            pointer(addr),
            len as c_long,
            flags as c_long,
        )
    })
}

/// Permanently forbids unmapping or moving the mappings in `addr..addr + len`, or changing their protection;
/// `flags` is 0. Source: mseal(2), since Linux 6.10, on 64-bit kernels.
///
/// # Errors
/// Returns -1 and sets `errno`: `EINVAL` for an unaligned address or bad flags, `ENOMEM` for pages
/// that are not mapped, `EPERM` on 32-bit kernels, `ENOSYS` on older ones.
///
/// # Safety
/// The range must be the caller's own: it can never be unmapped.
#[must_use]
pub unsafe extern "C" fn mseal(addr: *mut c_void, len: size_t, flags: c_ulong) -> c_int {
    // SAFETY: the arguments are those of mseal(2), and the caller vouches for the range.
    // [caller, arguments]
    int(unsafe { syscall(number::MSEAL, pointer(addr), len as c_long, flags as c_long) })
}

/// Allocates a protection key and returns it; `flags` is 0, and `access_rights` (`PKEY_DISABLE_`) says what
/// the calling thread must not do with pages that have the key. Source: pkey_alloc(2), since Linux 4.9.
///
/// # Errors
/// Returns -1 and sets `errno`: `EINVAL` for bad arguments, `ENOSPC` if no key is left or the processor has
/// none, `ENOSYS` on older kernels.
///
/// # Safety
/// There is none: no page has the key yet.
#[must_use]
pub unsafe extern "C" fn pkey_alloc(flags: c_uint, access_rights: c_uint) -> c_int {
    // SAFETY: the arguments are those of pkey_alloc(2). [arguments]
    int(unsafe { syscall(number::PKEY_ALLOC, flags as c_long, access_rights as c_long) })
}

/// Frees a protection key. Source: pkey_free(2), since Linux 4.9.
///
/// # Errors
/// Returns -1 and sets `errno`: `EINVAL` for a key that is not allocated, `ENOSYS` on older kernels.
///
/// # Safety
/// No page may still have the key: a later `pkey_alloc` may return it again.
#[must_use]
pub unsafe extern "C" fn pkey_free(pkey: c_int) -> c_int {
    // SAFETY: the argument is that of pkey_free(2), and the caller vouches for the key.
    // [caller, arguments]
    int(unsafe { syscall(number::PKEY_FREE, pkey as c_long) })
}

/// Like `mprotect`, but also assigns a protection key to the pages; -1 means no key. Source:
/// pkey_mprotect(2), since Linux 4.9.
///
/// # Errors
/// Returns -1 and sets `errno`: as for `mprotect`, `EINVAL` for a key that is not allocated, `ENOSYS` on
/// older kernels.
///
/// # Safety
/// As for `mprotect`; the key's rights apply as well.
#[must_use]
pub unsafe extern "C" fn pkey_mprotect(
    addr: *mut c_void,
    len: size_t,
    prot: c_int,
    pkey: c_int,
) -> c_int {
    // SAFETY: the arguments are those of pkey_mprotect(2), and the caller vouches for the range.
    // [caller, arguments]
    int(unsafe {
        syscall(
            number::PKEY_MPROTECT,
            pointer(addr),
            len as c_long,
            prot as c_long,
            pkey as c_long,
        )
    })
}

/// Like `madvise`, for the process behind `pidfd` and many ranges: `iovec` is an array of `count` `struct
/// iovec`, `flags` is 0. Returns the number of bytes that the advice was applied to. Source:
/// process_madvise(2), since Linux 5.10.
///
/// # Errors
/// Returns -1 and sets `errno`: `EBADF`, `EFAULT`, `EINVAL` for advice that cannot be given to another
/// process, `ENOMEM` for pages that are not mapped, `EPERM`, `ESRCH`, `ENOSYS` on older kernels.
///
/// # Safety
/// `iovec` must be valid for reads of `count` elements; for the calling process itself, the requirements of
/// `madvise` apply.
#[must_use]
pub unsafe extern "C" fn process_madvise(
    pidfd: c_int,
    iovec: *const c_void,
    count: size_t,
    advice: c_int,
    flags: c_uint,
) -> ssize_t {
    // SAFETY: the arguments are those of process_madvise(2), and the caller vouches for `iovec`.
    // [caller, arguments]
    let result = unsafe {
        syscall(
            number::PROCESS_MADVISE,
            pidfd as c_long,
            pointer(iovec),
            count as c_long,
            advice as c_long,
            flags as c_long,
        )
    };
    result as ssize_t
}

/// Returns a descriptor of the process `pid`, for `process_madvise`; `flags` is 0. Source:
/// pidfd_open(2), since Linux 5.3.
///
/// # Errors
/// Returns -1 and sets `errno`: `EINVAL`, `EMFILE`, `ENFILE`, `ENODEV`, `ENOMEM`, `ESRCH`, `ENOSYS`
/// on older kernels.
///
/// # Safety
/// None beyond the call itself.
#[must_use]
pub unsafe extern "C" fn pidfd_open(pid: c_int, flags: c_uint) -> c_int {
    // SAFETY: the arguments are those of pidfd_open(2). [arguments]
    int(unsafe { syscall(number::PIDFD_OPEN, pid as c_long, flags as c_long) })
}

/// Frees the memory of the process behind `pidfd`, which was killed and has not ended yet; `flags` is
/// 0. Source: process_mrelease(2), since Linux 5.15.
///
/// # Errors
/// Returns -1 and sets `errno`: `EBADF`, `EAGAIN` if no memory could be freed, `EINTR`, `EINVAL` for bad
/// flags or a process that was not killed, `ENOSYS` on older kernels, `ESRCH`.
///
/// # Safety
/// There is none: the process no longer runs its program.
#[must_use]
pub unsafe extern "C" fn process_mrelease(pidfd: c_int, flags: c_uint) -> c_int {
    // SAFETY: the arguments are those of process_mrelease(2). [arguments]
    int(unsafe { syscall(number::PROCESS_MRELEASE, pidfd as c_long, flags as c_long) })
}

/// A descriptor, a key, 0 or -1, as the C library's wrapper would return it.
pub(super) const fn int(result: c_long) -> c_int {
    result as c_int
}

cfg_if::cfg_if! {
    if #[cfg(target_arch = "wasm32")] {
        /// WALI's `syscall` reads each argument as a 64-bit long, which a pointer is not.
        pub(super) fn pointer<T>(p: *const T) -> c_long {
            p.expose_provenance() as c_long
        }
    } else {
        /// A pointer is passed as it is.
        pub(super) const fn pointer<T>(p: *const T) -> *const T {
            p
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LEN, close, errno, map, unmap, works};
    use super::super::{
        MADV_COLD, MADV_DONTNEED, MFD_CLOEXEC, MLOCK_ONFAULT, PKEY_DISABLE_WRITE, PROT_READ,
    };
    use super::*;

    #[test]
    fn memfd_create_takes_name_and_flags() {
        // SAFETY: the name ends in NUL.
        let fd = unsafe { memfd_create(c"test".as_ptr(), MFD_CLOEXEC) };
        if works(fd) {
            close(fd);
        }
        // SAFETY: the name ends in NUL.
        assert_eq!(unsafe { memfd_create(c"test".as_ptr(), 1 << 20) }, -1);
        assert!(matches!(errno(), libc::EINVAL | libc::ENOSYS));
    }

    // Each architecture either has the call or lacks it.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn memfd_secret_takes_flags() {
        // SAFETY: it touches no memory.
        let fd = unsafe { memfd_secret(0) };
        if works(fd) {
            close(fd);
        }
    }

    #[test]
    fn mlock2_takes_range_and_flags() {
        let addr = map();
        // SAFETY: the range is this test's own.
        works(unsafe { mlock2(addr, LEN, MLOCK_ONFAULT) });
        // SAFETY: the range is this test's own.
        assert_eq!(unsafe { mlock2(addr, LEN, 1 << 20) }, -1);
        assert!(matches!(errno(), libc::EINVAL | libc::ENOSYS));
        assert_eq!(unmap(addr), 0);
    }

    #[test]
    fn mseal_keeps_the_mapping() {
        let addr = map();
        // SAFETY: the range is this test's own, and stays mapped forever.
        if works(unsafe { mseal(addr, LEN, 0) }) {
            assert_eq!(unmap(addr), -1);
            assert_eq!(errno(), libc::EPERM);
        }
    }

    #[test]
    fn pkey_mprotect_without_a_key_is_mprotect() {
        let addr = map();
        // SAFETY: the range is this test's own, and nothing refers to it.
        if works(unsafe { pkey_mprotect(addr, LEN, PROT_READ, -1) }) {
            // SAFETY: as above; a key that was not allocated is refused.
            assert_eq!(unsafe { pkey_mprotect(addr, LEN, PROT_READ, 1 << 20) }, -1);
            assert_eq!(errno(), libc::EINVAL);
        }
        assert_eq!(unmap(addr), 0);
    }

    #[test]
    fn pkeys_are_made_and_given_back() {
        // SAFETY: no page has the key.
        let key = unsafe { pkey_alloc(0, PKEY_DISABLE_WRITE as c_uint) };
        if key < 0 {
            assert!(matches!(
                errno(),
                libc::ENOSPC | libc::ENOSYS | libc::EINVAL
            ));
        } else {
            // SAFETY: no page has the key.
            assert_eq!(unsafe { pkey_free(key) }, 0);
        }
        // SAFETY: there is no such key.
        assert_eq!(unsafe { pkey_free(1 << 20) }, -1);
    }

    #[test]
    fn process_mrelease_refuses_a_process_that_lives() {
        // SAFETY: there is no such descriptor.
        assert_eq!(unsafe { process_mrelease(-1, 0) }, -1);
        assert!(matches!(errno(), libc::EBADF | libc::ENOSYS));
        // SAFETY: it makes no reference to memory.
        let pid = unsafe { libc::getpid() };
        // SAFETY: it touches no memory.
        let pidfd = unsafe { pidfd_open(pid, 0) };
        if works(pidfd) {
            // SAFETY: this process was not killed.
            assert_eq!(unsafe { process_mrelease(pidfd, 0) }, -1);
            assert!(matches!(errno(), libc::EINVAL | libc::ENOSYS));
            close(pidfd);
        }
    }

    #[test]
    fn process_madvise_returns_the_bytes() {
        let addr = map();
        let range = libc::iovec {
            iov_base: addr,
            iov_len: LEN,
        };
        let iovec = (&raw const range).cast();
        // SAFETY: the array has one element, a range that is this test's own.
        let bytes = unsafe { process_madvise(-1, iovec, 1, MADV_DONTNEED, 0) };
        assert_eq!(bytes, -1);
        assert!(matches!(errno(), libc::EBADF | libc::ENOSYS));
        // SAFETY: it makes no reference to memory.
        let pid = unsafe { libc::getpid() };
        // SAFETY: it touches no memory.
        let pidfd = unsafe { pidfd_open(pid, 0) };
        if works(pidfd) {
            // SAFETY: the array has one element, a range that is this test's own.
            let bytes = unsafe { process_madvise(pidfd, iovec, 1, MADV_COLD, 0) };
            if works(bytes as c_int) {
                assert_eq!(bytes, LEN as ssize_t);
            }
            close(pidfd);
        }
        assert_eq!(unmap(addr), 0);
    }
}
