//! The numbers of the calls, from each architecture's <asm/unistd.h>.

use crate::types::c_long;

cfg_if::cfg_if! {
    if #[cfg(any(
        all(target_arch = "x86_64", target_pointer_width = "64"),
        target_arch = "wasm32",
    ))] {
        // wasm32 is WALI, which took the numbers of x86_64.
        pub const MEMFD_CREATE: c_long = 319;
        pub const MLOCK2: c_long = 325;
        pub const PKEY_MPROTECT: c_long = 329;
        pub const PKEY_ALLOC: c_long = 330;
        pub const PKEY_FREE: c_long = 331;
        pub const PROCESS_MADVISE: c_long = 440;
        pub const PIDFD_OPEN: c_long = 434;
        pub const MSEAL: c_long = 462;
        pub const MEMFD_SECRET: c_long = 447;
    } else if #[cfg(target_arch = "x86_64")] {
        // x32 marks its calls with a bit.
        pub const MEMFD_CREATE: c_long = 0x4000_0000 + 319;
        pub const MLOCK2: c_long = 0x4000_0000 + 325;
        pub const PKEY_MPROTECT: c_long = 0x4000_0000 + 329;
        pub const PKEY_ALLOC: c_long = 0x4000_0000 + 330;
        pub const PKEY_FREE: c_long = 0x4000_0000 + 331;
        pub const PROCESS_MADVISE: c_long = 0x4000_0000 + 440;
        pub const PIDFD_OPEN: c_long = 0x4000_0000 + 434;
        pub const MSEAL: c_long = 0x4000_0000 + 462;
        pub const MEMFD_SECRET: c_long = 0x4000_0000 + 447;
    } else if #[cfg(target_arch = "x86")] {
        pub const MEMFD_CREATE: c_long = 356;
        pub const MLOCK2: c_long = 376;
        pub const PKEY_MPROTECT: c_long = 380;
        pub const PKEY_ALLOC: c_long = 381;
        pub const PKEY_FREE: c_long = 382;
        pub const PROCESS_MADVISE: c_long = 440;
        pub const PIDFD_OPEN: c_long = 434;
        pub const MSEAL: c_long = 462;
        pub const MEMFD_SECRET: c_long = 447;
    } else if #[cfg(target_arch = "arm")] {
        pub const MEMFD_CREATE: c_long = 385;
        pub const MLOCK2: c_long = 390;
        pub const PKEY_MPROTECT: c_long = 394;
        pub const PKEY_ALLOC: c_long = 395;
        pub const PKEY_FREE: c_long = 396;
        pub const PROCESS_MADVISE: c_long = 440;
        pub const PIDFD_OPEN: c_long = 434;
        pub const MSEAL: c_long = 462;
    } else if #[cfg(any(target_arch = "powerpc", target_arch = "powerpc64"))] {
        pub const MEMFD_CREATE: c_long = 360;
        pub const MLOCK2: c_long = 378;
        pub const PKEY_MPROTECT: c_long = 386;
        pub const PKEY_ALLOC: c_long = 384;
        pub const PKEY_FREE: c_long = 385;
        pub const PROCESS_MADVISE: c_long = 440;
        pub const PIDFD_OPEN: c_long = 434;
        pub const MSEAL: c_long = 462;
    } else if #[cfg(target_arch = "s390x")] {
        pub const MEMFD_CREATE: c_long = 350;
        pub const MLOCK2: c_long = 374;
        pub const PKEY_MPROTECT: c_long = 384;
        pub const PKEY_ALLOC: c_long = 385;
        pub const PKEY_FREE: c_long = 386;
        pub const PROCESS_MADVISE: c_long = 440;
        pub const PIDFD_OPEN: c_long = 434;
        pub const MSEAL: c_long = 462;
        pub const MEMFD_SECRET: c_long = 447;
    } else if #[cfg(any(target_arch = "sparc", target_arch = "sparc64"))] {
        pub const MEMFD_CREATE: c_long = 348;
        pub const MLOCK2: c_long = 356;
        pub const PKEY_MPROTECT: c_long = 362;
        pub const PKEY_ALLOC: c_long = 363;
        pub const PKEY_FREE: c_long = 364;
        pub const PROCESS_MADVISE: c_long = 440;
        pub const PIDFD_OPEN: c_long = 434;
        pub const MSEAL: c_long = 462;
    } else if #[cfg(any(target_arch = "mips", target_arch = "mips32r6"))] {
        // o32 begins at 4000.
        pub const MEMFD_CREATE: c_long = 4354;
        pub const MLOCK2: c_long = 4359;
        pub const PKEY_MPROTECT: c_long = 4363;
        pub const PKEY_ALLOC: c_long = 4364;
        pub const PKEY_FREE: c_long = 4365;
        pub const PROCESS_MADVISE: c_long = 4440;
        pub const PIDFD_OPEN: c_long = 4434;
        pub const MSEAL: c_long = 4462;
    } else if #[cfg(any(target_arch = "mips64", target_arch = "mips64r6"))] {
        // n64 begins at 5000.
        pub const MEMFD_CREATE: c_long = 5314;
        pub const MLOCK2: c_long = 5319;
        pub const PKEY_MPROTECT: c_long = 5323;
        pub const PKEY_ALLOC: c_long = 5324;
        pub const PKEY_FREE: c_long = 5325;
        pub const PROCESS_MADVISE: c_long = 5440;
        pub const PIDFD_OPEN: c_long = 5434;
        pub const MSEAL: c_long = 5462;
    } else if #[cfg(target_arch = "m68k")] {
        pub const MEMFD_CREATE: c_long = 353;
        pub const MLOCK2: c_long = 375;
        pub const PKEY_MPROTECT: c_long = 381;
        pub const PKEY_ALLOC: c_long = 382;
        pub const PKEY_FREE: c_long = 383;
        pub const PROCESS_MADVISE: c_long = 440;
        pub const PIDFD_OPEN: c_long = 434;
        pub const MSEAL: c_long = 462;
    } else if #[cfg(any(target_arch = "csky", target_arch = "hexagon"))] {
        // The kernel's generic table, without memfd_secret.
        pub const MEMFD_CREATE: c_long = 279;
        pub const MLOCK2: c_long = 284;
        pub const PKEY_MPROTECT: c_long = 288;
        pub const PKEY_ALLOC: c_long = 289;
        pub const PKEY_FREE: c_long = 290;
        pub const PROCESS_MADVISE: c_long = 440;
        pub const PIDFD_OPEN: c_long = 434;
        pub const MSEAL: c_long = 462;
    } else {
        // The kernel's generic table: aarch64, loongarch64, riscv.
        pub const MEMFD_CREATE: c_long = 279;
        pub const MLOCK2: c_long = 284;
        pub const PKEY_MPROTECT: c_long = 288;
        pub const PKEY_ALLOC: c_long = 289;
        pub const PKEY_FREE: c_long = 290;
        pub const PROCESS_MADVISE: c_long = 440;
        pub const PIDFD_OPEN: c_long = 434;
        pub const MSEAL: c_long = 462;
        pub const MEMFD_SECRET: c_long = 447;
    }
}

cfg_if::cfg_if! {
    if #[cfg(target_arch = "wasm32")] {
        /// WALI's `syscall` reads each argument as a 64-bit long, which a pointer is not.
        pub fn pointer<T>(p: *const T) -> c_long {
            p.expose_provenance() as c_long
        }
    } else {
        /// A pointer is an argument as it is.
        pub const fn pointer<T>(p: *const T) -> *const T {
            p
        }
    }
}
