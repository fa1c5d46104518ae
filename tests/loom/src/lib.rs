//! The library's own lock-free code under loom: files of `unix-memory/src`, compiled as they are.
//!
//! * `ring/end.rs`: the numbers that say which bytes of a ring belong to which end;
//! * `shared/claims/`: which bytes of a mapping are atomics of which size;
//! * `region/ledger/`: the account of locks and marks, and the lock over it.
//!
//! What these files use of the rest of the library is here in small. The atomics are loom's, by the crate
//! that takes the place of `core` ([`watched_core`]).

#![cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
#![allow(
    dead_code,
    clippy::len_without_is_empty,
    clippy::new_without_default,
    clippy::missing_safety_doc,
    reason = "they are parts of a library"
)]

extern crate watched_core as core;

pub mod advice;
pub mod error;
pub mod os;
pub mod page;
pub mod process;
pub mod region;
pub mod ring;
pub mod shared;
