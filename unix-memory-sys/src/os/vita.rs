//! PlayStation Vita: no memory mapping.
//!
//! Its newlib has no `<sys/mman.h>`; the system allocates memory blocks with its own calls. Only
//! the two types are defined here, so that this crate can be a dependency there.

use crate::types::{c_long, c_uint};

/// A file offset or size in bytes.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type off_t = c_long;
/// The permission bits of a new file.
#[allow(non_camel_case_types, reason = "the name that C and POSIX give it")]
pub type mode_t = c_uint;
