//! The raw calls and constants of `<sys/mman.h>` and its neighbours.
//!
//! Names, values and signatures are those of the target's own headers: nothing is renamed, wrapped or
//! made safe. For guards that unmap, typed protection and errors with reasons, see the crate
//! `unix-memory`.
//!
//! * **Absent is absent.** A name that the target does not have does not exist here. A program that uses it
//!   does not compile, rather than failing at run time.
//! * **Offsets have 64 bits** ([`off_t`]) wherever the platform has them: on 32-bit glibc, [`mmap`] is the
//!   symbol `mmap64`.
//! * **Failure** is reported as in C: the result is -1 ([`MAP_FAILED`] for [`mmap`] and `mremap`), and
//!   `errno` has the reason. [`errno_location`] points to it. The `posix_` calls return the error number
//!   and leave `errno` alone.
//! * **Constants are integers.** `MADV_` is an enumeration, `MAP_HUGE_` is a bit field, and
//!   `MAP_SHARED_VALIDATE` equals `MAP_SHARED | MAP_PRIVATE`: no single type of flags would suit all of them.
//! * **Structs** are those that Linux's calls take; their fields are integers, as in the kernel's headers.
//! * The crate is `no_std` and allocates nothing. It depends on libc for linkage; tests compare every name
//!   that both crates have.
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
//! // SAFETY: the mapping was made above, and nothing refers to it any more.
//! assert_eq!(unsafe { munmap(addr, len) }, 0);
//! ```
//!
//! This page lists what one target has; `cargo doc --target T` builds it for another. The source of each
//! system, `src/os/<system>.rs`, can be compared with its `<sys/mman.h>`.

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

/// The example of the README, which crates.io shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
