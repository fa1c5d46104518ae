//! Memory as an object of the kernel's: a descriptor, to be mapped here and passed to others.

pub mod fixed;
pub mod shared_memory;
mod unnamed;

// What only some systems can do; `exports` are types of their own, which lib.rs hands on.
cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        mod memfd;
        mod memfd_linux;
        mod named;
        mod sealed;
        mod seals;
        pub mod exports {
            pub use super::memfd::MemfdOptions;
            pub use super::named::NamedMemory;
            pub use super::sealed::SealedMemory;
            pub use super::seals::Seals;
        }
    } else if #[cfg(target_os = "android")] {
        mod memfd;
        mod memfd_linux;
        mod sealed;
        mod seals;
        pub mod exports {
            pub use super::memfd::MemfdOptions;
            pub use super::sealed::SealedMemory;
            pub use super::seals::Seals;
        }
    } else if #[cfg(target_os = "freebsd")] {
        mod memfd;
        mod named;
        mod sealed;
        mod seals;
        pub mod exports {
            pub use super::memfd::MemfdOptions;
            pub use super::named::NamedMemory;
            pub use super::sealed::SealedMemory;
            pub use super::seals::Seals;
        }
    } else if #[cfg(target_os = "l4re")] {
        pub mod exports {}
    } else {
        mod named;
        pub mod exports {
            pub use super::named::NamedMemory;
        }
    }
}
