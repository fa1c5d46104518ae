//! What differs between systems: how pages are evicted, and what is known about the page cache.
//!
//! * `OPEN`: flags for opening a file only to look at it;
//! * `cached`: the kernel's counts for a part of a file;
//! * `evict`: takes pages of a file out of memory;
//! * `shows_pages`: whether mincore(2) reports the truth about a file to this process.

use crate::figures::Cached;

/// The kernel's counts for a part of a file.
#[cfg_attr(
    not(any(target_os = "linux", target_os = "android")),
    allow(dead_code, reason = "other systems do not count")
)]
pub enum Answer {
    Cached(Cached),
    /// It counts only for the file's owner and writers, and this process is neither.
    Denied,
    /// It does not count, or not for this file.
    Unknown,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use linux::*;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod other;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub use other::*;
