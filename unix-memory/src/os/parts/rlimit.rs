//! Limits of the process, where they are resource limits.

use core::ffi::c_int;

/// How many bytes the process may lock: `RLIMIT_MEMLOCK`.
pub fn lock_limit() -> Option<u64> {
    // SAFETY: the structure can be written. [arguments]
    current(|limit| unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, limit) })
}

/// How many bytes long this process may make a file: `RLIMIT_FSIZE`. Going beyond raises SIGXFSZ,
/// which ends a process that does not handle it.
pub fn file_size_limit() -> Option<u64> {
    // SAFETY: the structure can be written. [arguments]
    current(|limit| unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, limit) })
}

/// The current limit, unless there is none. (The numbers of limits have a type of their own on some
/// systems: the caller makes the call.)
pub fn current(ask: impl FnOnce(&mut libc::rlimit) -> c_int) -> Option<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    if ask(&mut limit) != 0 {
        return None;
    }
    let current = limit.rlim_cur;
    if current == libc::RLIM_INFINITY {
        return None;
    }
    // Narrower on some systems, and signed on others.
    #[allow(
        clippy::useless_conversion,
        reason = "on this system it is a u64 already"
    )]
    u64::try_from(current).ok()
}
