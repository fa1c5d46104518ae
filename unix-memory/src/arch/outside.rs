//! Addresses that come out of assembly: what lies there is whatever the program says, as after a
//! system call.

cfg_if::cfg_if! {
    if #[cfg(any(
        target_arch = "aarch64",
        target_arch = "arm",
        target_arch = "loongarch64",
        target_arch = "riscv32",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "x86",
        target_arch = "x86_64",
    ))] {
        /// Whether [`from_outside`] does anything.
        pub const IS_OUTSIDE: bool = true;

        /// `address`, such that the compiler knows neither where it comes from nor what was done to
        /// memory on the way.
        #[inline]
        pub fn from_outside(address: usize) -> usize {
            let mut address = address;
            // SAFETY: there is no instruction; that the compiler takes memory for changed only keeps it
            // from assuming anything. [instruction]
            unsafe {
                core::arch::asm!("/* {0} */", inout(reg) address, options(nostack, preserves_flags));
            };
            address
        }
    } else {
        /// Rust 1.85 has no assembly for this architecture.
        pub const IS_OUTSIDE: bool = false;

        pub const fn from_outside(address: usize) -> usize {
            address
        }
    }
}
