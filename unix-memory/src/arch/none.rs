//! Architectures without such copies: the kernel copies for them.

/// There are none.
pub const AVAILABLE: bool = false;
/// Never looked at.
#[allow(dead_code, reason = "only Linux asks")]
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

/// No program counter is inside of what is not there.
#[allow(dead_code, reason = "only Linux asks")]
pub const fn resume(_pc: usize) -> Option<usize> {
    None
}
