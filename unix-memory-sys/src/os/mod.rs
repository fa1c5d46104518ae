//! One file per operating system. Only this module asks which system the target is.
//!
//! # What a file in this folder holds
//!
//! `os/<name>.rs` is flat and complete, so that a person can compare it with that system's
//! `<sys/mman.h>`: it repeats a value rather than inheriting it. In this order:
//!
//! 1. types that differ between systems: `off_t`, `mode_t`;
//! 2. every constant of the family that its headers define, group by group: `PROT_`, `MAP_`,
//!    `MADV_`, `POSIX_MADV_`, `MS_`, `MCL_`, and those that it has beyond these (`MREMAP_`, `MFD_`,
//!    ...), `MAP_FAILED`, `_SC_PAGESIZE`;
//! 3. its calls: a `pub use crate::posix::{...}` of those that it exports under their plain names
//!    with the signatures of `posix.rs`; an `unsafe extern "C"` block for those that are renamed
//!    there, have another signature, or exist only there; and `errno_location`.
//!
//! A system without memory mapping has a file that says so and holds nothing.
//!
//! # To add a system
//!
//! For a new system, write the file, add its arm below, and add its comparison to `oracle/`. On an
//! unknown system, the crate does not compile, and the last arm says what to do.

// libc's `#[link]` attributes bring in the C library for `no_std` programs too. libc itself does
// not compile for the targets named here, and Cargo.toml leaves it out.
#[cfg(not(any(
    target_os = "lynxos178",
    target_os = "managarm",
    all(target_os = "linux", target_env = ""),
    all(target_os = "nto", any(target_env = "nto80", target_arch = "x86")),
)))]
use libc as _;

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        mod linux;
        pub use linux::*;
    } else if #[cfg(target_vendor = "apple")] {
        mod apple;
        pub use apple::*;

        #[cfg(not(all(target_os = "macos", target_arch = "x86")))]
        pub use crate::posix::{mmap, mprotect, msync, munmap};
        #[cfg(all(target_os = "macos", target_arch = "x86"))]
        mod apple_i386;
        #[cfg(all(target_os = "macos", target_arch = "x86"))]
        pub use apple_i386::{mmap, mprotect, msync, munmap};
    } else if #[cfg(target_os = "android")] {
        mod android;
        pub use android::*;
    } else if #[cfg(target_os = "aix")] {
        mod aix;
        pub use aix::*;
    } else if #[cfg(target_os = "cygwin")] {
        mod cygwin;
        pub use cygwin::*;
    } else if #[cfg(target_os = "dragonfly")] {
        mod dragonfly;
        pub use dragonfly::*;
    } else if #[cfg(target_os = "emscripten")] {
        mod emscripten;
        pub use emscripten::*;
    } else if #[cfg(target_os = "espidf")] {
        mod espidf;
        pub use espidf::*;
    } else if #[cfg(target_os = "freebsd")] {
        mod freebsd;
        pub use freebsd::*;
    } else if #[cfg(target_os = "fuchsia")] {
        mod fuchsia;
        pub use fuchsia::*;
    } else if #[cfg(target_os = "haiku")] {
        mod haiku;
        pub use haiku::*;
    } else if #[cfg(target_os = "horizon")] {
        mod horizon;
        pub use horizon::*;
    } else if #[cfg(target_os = "hurd")] {
        mod hurd;
        pub use hurd::*;
    } else if #[cfg(target_os = "illumos")] {
        mod illumos;
        pub use illumos::*;
    } else if #[cfg(target_os = "l4re")] {
        mod l4re;
        pub use l4re::*;
    } else if #[cfg(target_os = "lynxos178")] {
        mod lynxos178;
        pub use lynxos178::*;
    } else if #[cfg(target_os = "managarm")] {
        mod managarm;
        pub use managarm::*;
    } else if #[cfg(target_os = "netbsd")] {
        mod netbsd;
        pub use netbsd::*;
    } else if #[cfg(target_os = "nto")] {
        mod nto;
        pub use nto::*;
    } else if #[cfg(target_os = "nuttx")] {
        mod nuttx;
        pub use nuttx::*;
    } else if #[cfg(target_os = "openbsd")] {
        mod openbsd;
        pub use openbsd::*;
    } else if #[cfg(target_os = "qurt")] {
        mod qurt;
        pub use qurt::*;
    } else if #[cfg(target_os = "redox")] {
        mod redox;
        pub use redox::*;
    } else if #[cfg(target_os = "rtems")] {
        mod rtems;
        pub use rtems::*;
    } else if #[cfg(target_os = "solaris")] {
        mod solaris;
        pub use solaris::*;
    } else if #[cfg(target_os = "vita")] {
        mod vita;
        pub use vita::*;
    } else if #[cfg(target_os = "vxworks")] {
        mod vxworks;
        pub use vxworks::*;
    } else {
        compile_error!(
            "unix-memory-sys does not know this operating system yet. To add it: write \
             unix-memory-sys/src/os/<name>.rs from its <sys/mman.h>, add an arm to \
             unix-memory-sys/src/os/mod.rs, and follow \"A new platform\" in CONTRIBUTING.md."
        );
    }
}
