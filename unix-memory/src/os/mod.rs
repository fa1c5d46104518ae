//! What this crate asks of a platform beyond the calls that all have: one file each, and the only
//! place that asks which one it is.
//!
//! Each file gives:
//! * `MAP_POPULATE`, `MAP_NORESERVE`: flags of `mmap`, zero where there is no such thing;
//! * `advice`: the `MADV_` value of an advice, if the platform has it, and `knows_advice`: whether
//!   the running kernel does;
//! * `madvise` and `mincore`: the calls themselves, or what does their work, or sets `ENOSYS`;
//! * `populate`: brings pages in;
//! * `is_in_huge_pages`: whether a file is made of huge pages;
//! * `lock_limit`: how many bytes the process may lock, if that is limited.
//!
//! `rlimit.rs`, `touch.rs` and `missing.rs` are parts that several of them share.

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod linux;
        mod rlimit;
        mod touch;
        pub use linux::*;
    } else if #[cfg(target_vendor = "apple")] {
        mod apple;
        mod rlimit;
        mod touch;
        pub use apple::*;
    } else if #[cfg(any(target_os = "freebsd", target_os = "dragonfly"))] {
        mod freebsd;
        mod rlimit;
        mod touch;
        pub use freebsd::*;
    } else if #[cfg(target_os = "netbsd")] {
        mod netbsd;
        mod rlimit;
        mod touch;
        pub use netbsd::*;
    } else if #[cfg(target_os = "openbsd")] {
        mod missing;
        mod openbsd;
        mod rlimit;
        mod touch;
        pub use openbsd::*;
    } else if #[cfg(any(target_os = "illumos", target_os = "solaris"))] {
        mod solarish;
        mod touch;
        pub use solarish::*;
    } else if #[cfg(any(
        target_os = "aix",
        target_os = "cygwin",
        target_os = "emscripten",
        target_os = "fuchsia",
        target_os = "haiku",
        target_os = "hurd",
        target_os = "nto",
        target_os = "nuttx",
        target_os = "rtems",
    ))] {
        mod missing;
        mod posix;
        mod touch;
        pub use posix::*;
    } else if #[cfg(any(target_os = "l4re", target_os = "redox"))] {
        mod missing;
        mod redox;
        mod touch;
        pub use redox::*;
    } else {
        compile_error!(
            "unix-memory does not run on this operating system: either it has no memory mapping \
             (unix-memory-sys says so) or nobody has added it yet. To add it: write \
             unix-memory/src/os/<name>.rs, add an arm to unix-memory/src/os/mod.rs, and follow \
             \"A new platform\" in CONTRIBUTING.md."
        );
    }
}

// Only files ask.
#[cfg(feature = "std")]
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod huge_files;
        pub use huge_files::is_in_huge_pages;
    } else {
        mod no_huge_files;
        pub use no_huge_files::is_in_huge_pages;
    }
}
