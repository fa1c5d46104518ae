//! Memory as a kernel object: a descriptor that can be mapped here and passed to others.

pub mod fixed;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod memfd;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod memfd_linux;
#[cfg(not(any(target_os = "android", target_os = "l4re")))]
mod named;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod sealed;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod seals;
pub mod shared_memory;
mod unnamed;

/// The types that only some systems have, which lib.rs re-exports.
pub mod exports {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    pub use super::memfd::MemfdOptions;
    #[cfg(not(any(target_os = "android", target_os = "l4re")))]
    pub use super::named::NamedMemory;
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    pub use super::sealed::SealedMemory;
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    pub use super::seals::Seals;
}
