//! One file per family of values; six families cover every architecture of Linux.

cfg_if::cfg_if! {
    if #[cfg(any(target_arch = "x86", target_arch = "x86_64"))] {
        mod x86;
        pub use x86::*;
    } else if #[cfg(target_arch = "aarch64")] {
        mod aarch64;
        pub use aarch64::*;
    } else if #[cfg(any(
        target_arch = "mips",
        target_arch = "mips32r6",
        target_arch = "mips64",
        target_arch = "mips64r6",
    ))] {
        mod mips;
        pub use mips::*;
    } else if #[cfg(any(target_arch = "powerpc", target_arch = "powerpc64"))] {
        mod powerpc;
        pub use powerpc::*;
    } else if #[cfg(any(target_arch = "sparc", target_arch = "sparc64"))] {
        mod sparc;
        pub use sparc::*;
    } else {
        mod generic;
        pub use generic::*;
    }
}
