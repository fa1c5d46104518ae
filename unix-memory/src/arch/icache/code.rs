//! Machine code as words, called as a function.

/// Instructions, one for each word.
#[repr(C, align(32))]
pub struct Words<const N: usize>(pub [u32; N]);

/// Calls `code`.
///
/// # Safety
/// It lies in memory that can be executed, and is a function of the C ABI of these arguments, which
/// may be called with them.
pub unsafe fn as_function<const N: usize>(code: &'static Words<N>, start: *const u8, count: usize) {
    // This keeps the compiler from seeing a constant that it could compute with.
    let address = core::hint::black_box(core::ptr::from_ref(code));
    // SAFETY: the address of a function is that of its first instruction. [instruction]
    let function = unsafe {
        core::mem::transmute::<*const Words<N>, unsafe extern "C" fn(*const u8, usize)>(address)
    };
    // SAFETY: as the caller vouches. [caller]
    unsafe { function(start, count) };
}
