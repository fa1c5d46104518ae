//! Memory whose length or content nobody can change, if the system has such memory.

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))] {
        mod sealed;
        pub use sealed::{check_fixed_len, fixed_len, map_fixed_content};
    } else {
        mod none;
        pub use none::{check_fixed_len, fixed_len, map_fixed_content};
    }
}
