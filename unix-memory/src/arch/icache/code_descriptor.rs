//! Machine code as words, called as a function, where a function's address is that of a descriptor:
//! version 1 of the ELF ABI of 64-bit PowerPC.

/// Instructions, one for each word.
#[repr(C, align(32))]
pub struct Words<const N: usize>(pub [u32; N]);

/// What the address of a function points to.
#[repr(C)]
struct Descriptor {
    first: *const u32,
    /// For data, which the code here does not use.
    table: usize,
    environment: usize,
}

/// Calls `code`.
///
/// # Safety
/// It lies in memory that can be executed, and is a function of the C ABI of these arguments, which
/// may be called with them, and uses no data.
pub unsafe fn as_function<const N: usize>(code: &'static Words<N>, start: *const u8, count: usize) {
    let descriptor = Descriptor {
        first: code.0.as_ptr(),
        table: 0,
        environment: 0,
    };
    // This keeps the compiler from seeing a constant that it could compute with.
    let address = core::hint::black_box(&raw const descriptor);
    // SAFETY: the address of a function is that of a descriptor, which lives until it was called.
    // [instruction]
    let function = unsafe {
        core::mem::transmute::<*const Descriptor, unsafe extern "C" fn(*const u8, usize)>(address)
    };
    // SAFETY: as the caller vouches. [caller]
    unsafe { function(start, count) };
}
