//! How code that was just written becomes code that can be run: one file for each way.
//!
//! * [`INSTRUCTION_CACHE`]: the way of this architecture;
//! * `resume`: for a program counter in instructions that may fault where memory is gone, where to
//!   continue; `None` elsewhere, and for instructions that cannot be resumed (PowerPC's and
//!   SPARC's);
//! * `serialize`: makes this processor fetch again code that was stored at another address than the
//!   one it is fetched from, where making code coherent does not do so;
//! * `sysarch`: the BSDs' call for it, where it may be asked for.

mod way;
pub use way::InstructionCache;

cfg_if::cfg_if! {
    if #[cfg(any(
        target_arch = "x86",
        target_arch = "x86_64",
        target_arch = "s390x",
        target_arch = "wasm32",
        target_arch = "wasm64",
    ))] {
        mod coherent;
        pub use coherent::INSTRUCTION_CACHE;
    } else if #[cfg(any(target_arch = "aarch64", target_arch = "arm64ec"))] {
        mod aarch64;
        pub use aarch64::{INSTRUCTION_CACHE, resume};
    } else if #[cfg(target_arch = "arm")] {
        mod arm;
        pub use arm::INSTRUCTION_CACHE;
    } else if #[cfg(any(target_arch = "riscv32", target_arch = "riscv64"))] {
        mod riscv;
        pub use riscv::INSTRUCTION_CACHE;
    } else if #[cfg(all(
        any(target_arch = "powerpc", target_arch = "powerpc64"),
        not(target_vendor = "ibm")
    ))] {
        mod powerpc;
        // In the older of the two ABIs a function's address is that of a descriptor.
        cfg_if::cfg_if! {
            if #[cfg(all(target_arch = "powerpc64", target_endian = "big", target_env = "gnu"))] {
                #[path = "code_descriptor.rs"]
                mod code;
            } else {
                mod code;
            }
        }
        pub use powerpc::INSTRUCTION_CACHE;
    } else if #[cfg(any(target_arch = "sparc", target_arch = "sparc64"))] {
        mod code;
        mod sparc;
        pub use sparc::INSTRUCTION_CACHE;
    } else if #[cfg(any(target_arch = "loongarch32", target_arch = "loongarch64"))] {
        mod loongarch;
        pub use loongarch::INSTRUCTION_CACHE;
    } else if #[cfg(any(target_arch = "mips", target_arch = "mips32r6"))] {
        mod mips;
        // The number in the ABI o32.
        pub const INSTRUCTION_CACHE: InstructionCache = self::mips::cacheflush::<4147>();
    } else if #[cfg(any(target_arch = "mips64", target_arch = "mips64r6"))] {
        mod mips;
        // The number in the ABI n64.
        pub const INSTRUCTION_CACHE: InstructionCache = self::mips::cacheflush::<5197>();
    } else if #[cfg(target_arch = "m68k")] {
        mod m68k;
        pub use m68k::INSTRUCTION_CACHE;
    } else if #[cfg(target_arch = "csky")] {
        mod csky;
        pub use csky::INSTRUCTION_CACHE;
    } else {
        mod unknown;
        pub use unknown::INSTRUCTION_CACHE;
    }
}

cfg_if::cfg_if! {
    if #[cfg(any(target_arch = "arm", target_arch = "riscv64", target_arch = "mips"))] {
        mod sysarch;
        #[allow(unused_imports, reason = "the BSDs have it")]
        pub use sysarch::sysarch;
    } else {
        /// Nobody asks.
        ///
        /// # Safety
        /// None: it does nothing.
        #[allow(dead_code, reason = "the BSDs name it")]
        pub const unsafe fn sysarch(_: usize, _: usize) -> core::ffi::c_int {
            -1
        }
    }
}

cfg_if::cfg_if! {
    if #[cfg(any(target_arch = "x86", target_arch = "x86_64"))] {
        mod serialize;
        #[allow(unused_imports, reason = "who writes elsewhere, with the feature std, names it")]
        pub use serialize::serialize;
    } else {
        /// Elsewhere the instructions for coherence do so, or the kernel's return from the call; on
        /// s390x the return from the call that copied.
        pub const fn serialize() {}
    }
}

cfg_if::cfg_if! {
    if #[cfg(not(any(target_arch = "aarch64", target_arch = "arm64ec")))] {
        /// There is nowhere to continue.
        pub const fn resume(_: usize) -> Option<usize> {
            None
        }
    }
}
