//! How a mapping is made: what to map, where, of what pages.

#[cfg(feature = "std")]
pub mod facts;
#[cfg(feature = "std")]
mod file;
pub mod guarded;
#[cfg(feature = "std")]
pub mod length;
mod make;
pub mod options;
mod steps;
pub mod transparent;

// What only some systems can do.
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod droppable;
        pub mod huge_pages;
        // Linux has no MAP_SYNC on MIPS.
        #[cfg(all(
            feature = "std",
            not(any(
                target_arch = "mips",
                target_arch = "mips32r6",
                target_arch = "mips64",
                target_arch = "mips64r6"
            ))
        ))]
        mod sync;
    } else if #[cfg(target_vendor = "apple")] {
        mod jit;
    }
}
