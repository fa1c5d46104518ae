//! Machine code for the processor that this runs on.

use std::env::consts::ARCH;

use crate::skip;

/// A function that returns `value`, which is small, as this architecture's instructions.
pub(crate) fn function(value: u8) -> Option<Vec<u8>> {
    let value = u32::from(value);
    let native = |words: [u32; 2]| words.into_iter().flat_map(u32::to_ne_bytes).collect();
    let little = |words: [u32; 2]| words.into_iter().flat_map(u32::to_le_bytes).collect();
    let big = |words: [u32; 2]| words.into_iter().flat_map(u32::to_be_bytes).collect();
    Some(match ARCH {
        // mov eax, value; ret
        "x86" | "x86_64" => [&[0xb8][..], &value.to_le_bytes(), &[0xc3]].concat(),
        // movz w0, value; ret
        "aarch64" => little([0x5280_0000 | value << 5, 0xd65f_03c0]),
        // mov r0, value; bx lr
        "arm" => little([0xe3a0_0000 | value, 0xe12f_ff1e]),
        // addi a0, zero, value; ret
        "riscv32" | "riscv64" => little([value << 20 | 0x513, 0x8067]),
        // lhi %r2, value; br %r14
        "s390x" => big([0xa728_0000 | value, 0x07fe_0000]),
        // li 3, value; blr
        "powerpc" | "powerpc64" => native([0x3860_0000 | value, 0x4e80_0020]),
        // jr ra; addiu v0, zero, value
        "mips" | "mips64" => native([0x03e0_0008, 0x2402_0000 | value]),
        "mips32r6" | "mips64r6" => native([0x03e0_0009, 0x2402_0000 | value]),
        // addi.w a0, zero, value; ret
        "loongarch64" => little([0x0280_0004 | value << 10, 0x4c00_0020]),
        // retl; mov value, %o0
        "sparc" | "sparc64" => big([0x81c3_e008, 0x9010_2000 | value]),
        _ => return None,
    })
}

/// Whether the address of a function is that of a descriptor: version 1 of the ELF ABI of 64-bit PowerPC.
const HAS_DESCRIPTORS: bool = cfg!(all(
    target_arch = "powerpc64",
    target_endian = "big",
    target_env = "gnu"
));

/// The descriptor of the function at `address`, if the address of a function is not that of its first
/// instruction.
#[must_use]
pub fn descriptor(address: *const u8) -> Option<[usize; 3]> {
    HAS_DESCRIPTORS.then(|| [address.expose_provenance(), 0, 0])
}

/// Calls the function at `address`.
///
/// # Safety
/// At `address` there is an executable function, as [`code`] returns it.
#[must_use]
pub unsafe fn call(address: *const u8) -> u32 {
    let descriptor = descriptor(address);
    let address = descriptor.as_ref().map_or(address, |it| it.as_ptr().cast());
    let address = std::hint::black_box(address);
    // SAFETY: as the caller vouches.
    let function = unsafe { std::mem::transmute::<*const u8, extern "C" fn() -> u32>(address) };
    let result = function();
    let _lived_until_now = std::hint::black_box(descriptor);
    result
}

/// A function that returns `value`, as this architecture's instructions; if there is none here, prints
/// that.
#[must_use]
pub fn code(value: u8) -> Option<Vec<u8>> {
    let code = function(value);
    if code.is_none() {
        skip("running code", "no code for this architecture");
    }
    code
}
