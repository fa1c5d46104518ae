//! The limit on locked memory, where it is a resource limit.

use core::mem::MaybeUninit;

/// `RLIMIT_MEMLOCK`, in bytes.
pub fn lock_limit() -> Option<u64> {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: the call writes the structure that it is given.
    if unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, limit.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so that it wrote all of it.
    let current = unsafe { limit.assume_init() }.rlim_cur;
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
