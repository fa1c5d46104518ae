//! Architectures without protection keys, or whose rights this crate cannot set: PowerPC's and arm64's
//! nobody has tried.

/// Whether this architecture's rights can be set here.
pub const KEYS: bool = false;

/// Nobody can have a key.
///
/// # Safety
/// None.
pub const unsafe fn set_key_rights(_: u32, rights: u32) -> u32 {
    rights
}
