//! How a mapping is made: what to map, where, and in what pages.

#[cfg(feature = "std")]
pub mod facts;
#[cfg(feature = "std")]
mod file;
pub mod guarded;
#[cfg(feature = "std")]
pub mod length;
mod make;
pub mod options;
mod special;
mod steps;
pub mod transparent;

// What only some systems can do.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod droppable;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod huge_pages;
#[cfg(target_vendor = "apple")]
mod jit;
// Linux has no MAP_SYNC on MIPS.
#[cfg(all(
    feature = "std",
    any(target_os = "linux", target_os = "android"),
    not(any(
        target_arch = "mips",
        target_arch = "mips32r6",
        target_arch = "mips64",
        target_arch = "mips64r6"
    ))
))]
mod sync;
