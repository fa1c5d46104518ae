//! Systems without files that are made of huge pages.

use core::ffi::c_int;

/// No file is.
#[cfg_attr(not(feature = "std"), allow(dead_code, reason = "only files ask"))]
pub const fn is_in_huge_pages(_: c_int) -> bool {
    false
}
