//! Cygwin: as POSIX, but that `POSIX_MADV_DONTNEED` throws content away.

use core::ffi::c_int;

use super::posix;
pub use super::posix::{
    MAP_NORESERVE, MAP_POPULATE, knows_advice, lock_limit, madvise, mincore, populate,
    populate_write, unchecked_advice,
};
use crate::advice::Advice;

/// The `POSIX_MADV_` value of `advice`.
pub const fn advice(advice: Advice) -> Option<c_int> {
    match advice {
        Advice::Cold => None,
        _ => posix::advice(advice),
    }
}
