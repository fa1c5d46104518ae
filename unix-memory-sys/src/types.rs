//! The integer and pointer types of the declarations, as the C ABI of the target has them.

pub use core::ffi::{c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};

/// C's `size_t`: a length in bytes.
///
/// Rust guarantees nothing about `size_t`, but on every Unix that rustc knows it is as wide as a
/// pointer; the comparison with libc in `oracle` verifies this.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type size_t = usize;

/// POSIX's `ssize_t`: a length in bytes, or -1.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type ssize_t = isize;
