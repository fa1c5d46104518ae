//! The answers of an architecture that has no such copies, so that the kernel copies; or that has no
//! protection keys, or has keys whose rights this crate cannot set (those of PowerPC and arm64 are
//! untested).

#![allow(dead_code, reason = "each architecture lacks some of it")]

/// There are none.
pub const AVAILABLE: bool = false;
/// Never looked at.
pub const PROGRAM_COUNTER: usize = 0;

/// Leaves everything undone.
///
/// # Safety
/// None: nothing is accessed.
pub const unsafe fn copy(_to: *mut u8, _from: *const u8, len: usize) -> usize {
    len
}

/// Leaves everything undone.
///
/// # Safety
/// None: nothing is accessed.
pub const unsafe fn set(_to: *mut u8, len: usize, _byte: u8) -> usize {
    len
}

/// There are no routines for a program counter to be in.
pub const fn resume(_pc: usize) -> Option<usize> {
    None
}

/// Whether this architecture's rights can be set here.
pub const KEYS: bool = false;

/// Nobody can have a key.
///
/// # Safety
/// None.
pub const unsafe fn set_key_rights(_: u32, rights: u32) -> u32 {
    rights
}
