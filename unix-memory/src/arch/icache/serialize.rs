//! x86: what was stored at one address and is fetched at another is fetched again after an
//! instruction that serialises. (Intel's manual, volume 3, "Self-Modifying Code".)

#[cfg(target_arch = "x86")]
use core::arch::x86::__cpuid;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::__cpuid;

/// Makes this processor fetch again what it fetched ahead.
pub fn serialize() {
    #[allow(unused_unsafe, reason = "newer compilers call it safe")]
    // SAFETY: every processor that Rust has targets for has the instruction. [instruction]
    let _what_it_is = unsafe { __cpuid(0) };
}
