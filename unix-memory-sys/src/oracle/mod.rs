//! The second oracle: every name that libc also has must have the same value and signature there.
//!
//! Compiled in tests, and under `--cfg unix_memory_oracle` where `cargo xtask check` visits other
//! targets, but never in a user's build, so that a correction in libc cannot break it. The first
//! oracle is the platform's headers. Where libc contradicts them, the name is left out with a
//! comment, and docs/libc-disagreements.md lists it.
//!
//! One file per system, as in `os/`. A system has no file here if libc declares nothing of the
//! family for it, or does not compile there, in which case Cargo.toml leaves libc out.
#![cfg(not(any(
    target_os = "lynxos178",
    target_os = "managarm",
    all(target_os = "linux", target_env = ""),
    all(target_os = "nto", any(target_env = "nto80", target_arch = "x86")),
)))]

use static_assertions::const_assert_eq;

/// Each constant has the value and the type that libc gives it.
#[allow(
    unused_macros,
    reason = "systems without memory mapping compare nothing"
)]
macro_rules! same_value {
    ($($name:ident)*) => {
        $( const _: () = assert!(
            crate::$name == libc::$name,
            concat!(stringify!($name), " is not what libc has"),
        ); )*
    };
}

/// Each call has the signature that libc gives it: only functions with equal signatures fit into
/// one array.
#[allow(
    unused_macros,
    reason = "systems without memory mapping compare nothing"
)]
macro_rules! same_signature {
    ($($ours:ident = $theirs:ident)*) => {
        $( const _: () = { let _ = [crate::$ours, libc::$theirs]; }; )*
    };
}

const_assert_eq!(size_of::<crate::size_t>(), size_of::<libc::size_t>());
const_assert_eq!(size_of::<crate::ssize_t>(), size_of::<libc::ssize_t>());
const_assert_eq!(size_of::<crate::mode_t>(), size_of::<libc::mode_t>());

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        mod linux;
    } else if #[cfg(target_vendor = "apple")] {
        mod apple;
    } else if #[cfg(target_os = "aix")] {
        mod aix;
    } else if #[cfg(target_os = "android")] {
        mod android;
    } else if #[cfg(target_os = "cygwin")] {
        mod cygwin;
    } else if #[cfg(target_os = "dragonfly")] {
        mod dragonfly;
    } else if #[cfg(target_os = "emscripten")] {
        mod emscripten;
    } else if #[cfg(target_os = "freebsd")] {
        mod freebsd;
    } else if #[cfg(target_os = "fuchsia")] {
        mod fuchsia;
    } else if #[cfg(target_os = "haiku")] {
        mod haiku;
    } else if #[cfg(target_os = "hurd")] {
        mod hurd;
    } else if #[cfg(target_os = "illumos")] {
        mod illumos;
    } else if #[cfg(target_os = "l4re")] {
        mod l4re;
    } else if #[cfg(target_os = "netbsd")] {
        mod netbsd;
    } else if #[cfg(target_os = "nto")] {
        mod nto;
    } else if #[cfg(target_os = "nuttx")] {
        mod nuttx;
    } else if #[cfg(target_os = "openbsd")] {
        mod openbsd;
    } else if #[cfg(target_os = "qurt")] {
        mod qurt;
    } else if #[cfg(target_os = "redox")] {
        mod redox;
    } else if #[cfg(target_os = "rtems")] {
        mod rtems;
    } else if #[cfg(target_os = "solaris")] {
        mod solaris;
    } else if #[cfg(target_os = "vxworks")] {
        mod vxworks;
    }
}

/// Pointers cannot be compared in a constant, so this is a test.
#[cfg(all(
    test,
    not(any(
        target_os = "espidf",
        target_os = "horizon",
        target_os = "nuttx",
        target_os = "rtems",
        target_os = "vita",
    ))
))]
#[test]
fn map_failed() {
    assert_eq!(crate::MAP_FAILED, libc::MAP_FAILED);
}
