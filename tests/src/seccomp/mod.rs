//! How a test makes the kernel refuse a call.
//!
//! A call is named by its number, `SYS_...`; some values of its arguments have names here too. Only
//! Linux has filters of system calls. Elsewhere, the numbers and values stand for nothing and a
//! filter cannot be installed, so a test prints what it skips.

use crate::{in_a_thread, skip};

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod linux;
        pub mod listener;
        pub use linux::*;
    } else {
        mod none;
        pub use none::*;
    }
}

/// Runs `f` in a thread in which the kernel refuses every `call` (a `SYS_` number) whose first
/// argument is `first`, with `errno`. If there can be no such filter, as in an emulator, this prints
/// so and does not run `f`.
///
/// # Panics
/// Where `f` does.
pub fn refusing<R: Send>(
    call: libc::c_long,
    first: *const u8,
    errno: i32,
    f: impl FnOnce() -> R + Send,
) -> Option<R> {
    refusing_argument(call, 0, first.addr() as u64, errno, f)
}

/// Like [`refusing`], if argument `index` (from zero) is `value`.
///
/// # Panics
/// Where `f` does.
pub fn refusing_argument<R: Send>(
    call: libc::c_long,
    index: u8,
    value: u64,
    errno: i32,
    f: impl FnOnce() -> R + Send,
) -> Option<R> {
    // Such a system may have no threads either.
    if !HAS_FILTERS {
        skip("an error path", "this kernel has no filters of calls");
        return None;
    }
    let result = in_a_thread(move || refuse(call, Some((index, value)), errno).map(|()| f()));
    if let Err(error) = &result {
        skip("an error path", &format!("no seccomp filters: {error}"));
    }
    result.ok()
}

/// The call that the C library makes for `mmap`, if a filter can see its arguments; otherwise prints
/// that `check` was skipped.
#[must_use]
pub fn mmap_call(check: &str) -> Option<libc::c_long> {
    let call = (std::env::consts::ARCH != "s390x").then_some(SYS_MMAP);
    if call.is_none() {
        skip(check, "arguments in a structure");
    }
    call
}
