//! The raw calls and constants of `<sys/mman.h>` and its neighbours.
//!
//! Names, values and signatures are those of the target's own headers: nothing is renamed, wrapped
//! or made safe. A name that the target does not have does not exist here either, so that a
//! program which uses it fails to compile and not to run. For guards, typed protection and errors
//! see the crate `unix-memory`.
//!
//! * **Offsets are 64 bits wide** ([`off_t`]) wherever the platform can: on 32-bit glibc [`mmap`]
//!   is the symbol `mmap64`.
//! * **Failure** is told as C does: a result of -1 (for [`mmap`] and `mremap` [`MAP_FAILED`]) and
//!   the reason in `errno`, which [`errno_location`] finds. The `posix_` calls return the error
//!   number itself and leave `errno` alone.
//! * **Constants are integers.** `MADV_` is an enumeration, `MAP_HUGE_` a bit field,
//!   `MAP_SHARED_VALIDATE` equals `MAP_SHARED | MAP_PRIVATE`: no type of flags would be true.
//! * **Structs** are those that calls of Linux take, with integers for fields, as the kernel's headers
//!   have them.
//! * The crate is `no_std` and allocates nothing; it depends on libc for linkage, and compares
//!   every name that both have with it in tests.
//!
//! ```
//! use unix_memory_sys::*;
//!
//! let len = 1 << 16;
//! // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
//! let addr = unsafe {
//!     mmap(
//!         core::ptr::null_mut(),
//!         len,
//!         PROT_READ | PROT_WRITE,
//!         MAP_PRIVATE | MAP_ANONYMOUS,
//!         -1,
//!         0,
//!     )
//! };
//! assert_ne!(addr, MAP_FAILED);
//! // SAFETY: the mapping is ours, and nothing refers to it any more.
//! assert_eq!(unsafe { munmap(addr, len) }, 0);
//! ```
//!
//! What a system has is what its own headers have: this page, built for a target
//! (`cargo doc --target T`), lists that target's constants and calls, and the source of each,
//! `src/os/<system>.rs`, can be held against the system's `<sys/mman.h>`.

#![no_std]
#![deny(missing_docs)]
#![cfg(unix)]

mod os;
#[allow(
    dead_code,
    clashing_extern_declarations,
    reason = "each system re-exports those that it has, and declares those that differ there"
)]
mod posix;
mod types;

#[cfg(any(test, unix_memory_oracle))]
mod oracle;

pub use os::*;
pub use types::*;

/// The programs of the page that crates.io shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
