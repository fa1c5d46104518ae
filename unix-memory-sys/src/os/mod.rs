//! One file per operating system, and the only place that asks which one it is.
//!
//! # What a file here holds
//!
//! `os/<name>.rs` is flat and complete: a person holds it against that system's `<sys/mman.h>`,
//! so it repeats a value rather than inherit it. In this order:
//!
//! 1. types that differ between systems: `off_t`, `mode_t`;
//! 2. every constant of the family that its headers define, group by group: `PROT_`, `MAP_`,
//!    `MADV_`, `POSIX_MADV_`, `MS_`, `MCL_`, and what it has beyond those (`MREMAP_`, `MFD_`, ...),
//!    `MAP_FAILED`, `_SC_PAGESIZE`;
//! 3. its calls: a `pub use crate::posix::{...}` of those that it exports under their plain name
//!    with the signature of `posix.rs`; an `unsafe extern "C"` block for those that are renamed
//!    there, have another signature, or exist only there; and `errno_location`.
//!
//! A system without memory mapping has a file that says so and holds nothing.
//!
//! # To add a system
//!
//! Write the file, add its arm below, and add its comparison to `oracle.rs`. An unknown system
//! does not compile: the last arm says where to go.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        mod linux;
        pub use linux::*;
    } else {
        compile_error!(
            "unix-memory-sys does not know this operating system yet. To add it: write \
             unix-memory-sys/src/os/<name>.rs from its <sys/mman.h>, add an arm to \
             unix-memory-sys/src/os/mod.rs, and follow \"A new platform\" in CONTRIBUTING.md."
        );
    }
}
