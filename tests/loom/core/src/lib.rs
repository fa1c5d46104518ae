//! The crate `core`, except that loom watches its atomics.
//!
//! A crate that says `extern crate watched_core as core` can compile files of the library as they are: their
//! `use core::sync::atomic::...` finds these.
//!
//! An atomic here has the bytes of the real one, so that it can lie in a static, or in pages of zeros.
//! Beside it there is one of loom's, found by the address. Loom's are all made before threads begin, with
//! the value zero, which every atomic of the library has at first. So this checks what threads do to
//! atomics, in every order; it does not check that the memory they lie in was made visible before.

#![cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

pub use ::core::*;

/// `core::sync`.
pub mod sync {
    pub use ::core::sync::*;

    /// `core::sync::atomic`, watched.
    pub mod atomic {
        pub use ::core::sync::atomic::Ordering;

        pub use crate::watched::{AtomicPtr, AtomicU16, AtomicU32, AtomicUsize};
    }
}

mod watched;

pub use watched::{forget, model};
