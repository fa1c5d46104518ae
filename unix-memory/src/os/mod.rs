//! What this crate asks of a platform beyond the calls that all have: one file each, and the only
//! place that asks which one it is.
//!
//! Each file gives:
//! * `MAP_POPULATE`, `MAP_NORESERVE`: flags of `mmap`, zero where there is no such thing;
//! * `advice`: the `MADV_` value of an advice, if the platform has it, and `knows_advice`: whether
//!   the running kernel does;
//! * `populate`: brings pages in;
//! * `lock_limit`: how many bytes the process may lock, if that is limited.

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        mod linux;
        pub use linux::*;
    } else {
        compile_error!(
            "unix-memory does not know this operating system yet. To add it: write \
             unix-memory/src/os/<name>.rs, add an arm to unix-memory/src/os/mod.rs, and follow \
             \"A new platform\" in CONTRIBUTING.md."
        );
    }
}
