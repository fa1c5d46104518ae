//! What depends on the architecture, and the only place that asks which one it is.
//!
//! * [`INSTRUCTION_CACHE`]: how code that was just written becomes code that can be run; one file
//!   for each way, `icache_*.rs`;
//! * `sysarch`: the BSDs' call for it, where it may be asked for;
//! * `pkru`: a thread's rights over memory that has a protection key.

cfg_if::cfg_if! {
    if #[cfg(any(
        target_arch = "x86",
        target_arch = "x86_64",
        target_arch = "s390x",
        target_arch = "wasm32",
        target_arch = "wasm64",
    ))] {
        mod icache_coherent;
        pub use icache_coherent::INSTRUCTION_CACHE;
    } else if #[cfg(any(target_arch = "aarch64", target_arch = "arm64ec"))] {
        mod icache_aarch64;
        pub use icache_aarch64::INSTRUCTION_CACHE;
    } else if #[cfg(target_arch = "arm")] {
        mod icache_arm;
        pub use icache_arm::INSTRUCTION_CACHE;
    } else if #[cfg(any(target_arch = "riscv32", target_arch = "riscv64"))] {
        mod icache_riscv;
        pub use icache_riscv::INSTRUCTION_CACHE;
    } else if #[cfg(all(
        any(target_arch = "powerpc", target_arch = "powerpc64"),
        not(target_vendor = "ibm")
    ))] {
        mod icache_powerpc;
        // In the older of the two ABIs a function's address is that of a descriptor.
        cfg_if::cfg_if! {
            if #[cfg(all(target_arch = "powerpc64", target_endian = "big", target_env = "gnu"))] {
                #[path = "code_descriptor.rs"]
                mod code;
            } else {
                mod code;
            }
        }
        pub use icache_powerpc::INSTRUCTION_CACHE;
    } else if #[cfg(any(target_arch = "sparc", target_arch = "sparc64"))] {
        mod code;
        mod icache_sparc;
        pub use icache_sparc::INSTRUCTION_CACHE;
    } else if #[cfg(any(target_arch = "loongarch32", target_arch = "loongarch64"))] {
        mod icache_loongarch;
        pub use icache_loongarch::INSTRUCTION_CACHE;
    } else if #[cfg(any(target_arch = "mips", target_arch = "mips32r6"))] {
        // o32.
        const CACHEFLUSH: usize = 4147;
        mod icache_mips;
        pub use icache_mips::INSTRUCTION_CACHE;
    } else if #[cfg(any(target_arch = "mips64", target_arch = "mips64r6"))] {
        // n64.
        const CACHEFLUSH: usize = 5197;
        mod icache_mips;
        pub use icache_mips::INSTRUCTION_CACHE;
    } else if #[cfg(target_arch = "m68k")] {
        mod icache_m68k;
        pub use icache_m68k::INSTRUCTION_CACHE;
    } else if #[cfg(target_arch = "csky")] {
        mod icache_csky;
        pub use icache_csky::INSTRUCTION_CACHE;
    } else {
        mod icache_unknown;
        pub use icache_unknown::INSTRUCTION_CACHE;
    }
}

cfg_if::cfg_if! {
    if #[cfg(any(target_arch = "arm", target_arch = "riscv64", target_arch = "mips"))] {
        mod sysarch;
        #[allow(unused_imports, reason = "the BSDs have it")]
        pub use sysarch::sysarch;
    } else {
        /// Nobody asks.
        #[allow(dead_code, reason = "the BSDs name it")]
        pub const unsafe fn sysarch(_: usize, _: usize) -> core::ffi::c_int {
            -1
        }
    }
}

/// How instructions that were written as data become instructions that can be fetched.
#[allow(dead_code, reason = "each architecture has one of them")]
pub enum InstructionCache {
    /// The hardware sees to it.
    Coherent,
    /// By instructions that any program may execute: the function does it for bytes that can be
    /// read, given by address and length.
    Instructions(unsafe fn(*const u8, usize)),
    /// Only the kernel can. On Linux by the system call that the function returns for an address and
    /// a length: its number, and its arguments.
    Kernel(fn(usize, usize) -> [usize; 5]),
    /// Nobody has found out yet.
    Unknown,
}
