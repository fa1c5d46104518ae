//! The numbers of the calls, from each architecture's <asm/unistd.h>.

use crate::types::c_long;

// Calls that are newer than Linux 5.0 have one number for all ABIs, counted from where an ABI's own
// numbers begin.
pub const PIDFD_OPEN: c_long = BASE + 434;
pub const PROCESS_MADVISE: c_long = BASE + 440;
/// Not in every header: see `memfd_secret` for which ones.
#[cfg(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv32",
    target_arch = "riscv64",
    target_arch = "loongarch64",
    target_arch = "s390x",
    target_arch = "wasm32",
))]
pub const MEMFD_SECRET: c_long = BASE + 447;
pub const PROCESS_MRELEASE: c_long = BASE + 448;
pub const SET_MEMPOLICY_HOME_NODE: c_long = BASE + 450;
pub const CACHESTAT: c_long = BASE + 451;
pub const MSEAL: c_long = BASE + 462;

cfg_if::cfg_if! {
    if #[cfg(any(target_arch = "x86_64", target_arch = "wasm32"))] {
        // wasm32 is WALI, which took the numbers of x86_64.
        const X32: bool = cfg!(all(target_arch = "x86_64", target_pointer_width = "32"));
        // x32 marks its calls with a bit.
        const BASE: c_long = if X32 { 0x4000_0000 } else { 0 };
        pub const MBIND: c_long = BASE + 237;
        pub const SET_MEMPOLICY: c_long = BASE + 238;
        pub const GET_MEMPOLICY: c_long = BASE + 239;
        pub const MIGRATE_PAGES: c_long = BASE + 256;
        // It takes an array of pointers, for which x32 has its own number.
        pub const MOVE_PAGES: c_long = BASE + if X32 { 533 } else { 279 };
        pub const MEMFD_CREATE: c_long = BASE + 319;
        pub const USERFAULTFD: c_long = BASE + 323;
        pub const MLOCK2: c_long = BASE + 325;
        pub const PKEY_MPROTECT: c_long = BASE + 329;
        pub const PKEY_ALLOC: c_long = BASE + 330;
        pub const PKEY_FREE: c_long = BASE + 331;
    } else if #[cfg(target_arch = "x86")] {
        const BASE: c_long = 0;
        pub const MBIND: c_long = 274;
        pub const SET_MEMPOLICY: c_long = 276;
        pub const GET_MEMPOLICY: c_long = 275;
        pub const MIGRATE_PAGES: c_long = 294;
        pub const MOVE_PAGES: c_long = 317;
        pub const MEMFD_CREATE: c_long = 356;
        pub const USERFAULTFD: c_long = 374;
        pub const MLOCK2: c_long = 376;
        pub const PKEY_MPROTECT: c_long = 380;
        pub const PKEY_ALLOC: c_long = 381;
        pub const PKEY_FREE: c_long = 382;
    } else if #[cfg(target_arch = "arm")] {
        const BASE: c_long = 0;
        pub const MBIND: c_long = 319;
        pub const SET_MEMPOLICY: c_long = 321;
        pub const GET_MEMPOLICY: c_long = 320;
        pub const MIGRATE_PAGES: c_long = 400;
        pub const MOVE_PAGES: c_long = 344;
        pub const MEMFD_CREATE: c_long = 385;
        pub const USERFAULTFD: c_long = 388;
        pub const MLOCK2: c_long = 390;
        pub const PKEY_MPROTECT: c_long = 394;
        pub const PKEY_ALLOC: c_long = 395;
        pub const PKEY_FREE: c_long = 396;
    } else if #[cfg(any(target_arch = "powerpc", target_arch = "powerpc64"))] {
        const BASE: c_long = 0;
        pub const MBIND: c_long = 259;
        pub const SET_MEMPOLICY: c_long = 261;
        pub const GET_MEMPOLICY: c_long = 260;
        pub const MIGRATE_PAGES: c_long = 258;
        pub const MOVE_PAGES: c_long = 301;
        pub const MEMFD_CREATE: c_long = 360;
        pub const USERFAULTFD: c_long = 364;
        pub const MLOCK2: c_long = 378;
        pub const PKEY_MPROTECT: c_long = 386;
        pub const PKEY_ALLOC: c_long = 384;
        pub const PKEY_FREE: c_long = 385;
    } else if #[cfg(target_arch = "s390x")] {
        const BASE: c_long = 0;
        pub const MBIND: c_long = 268;
        pub const SET_MEMPOLICY: c_long = 270;
        pub const GET_MEMPOLICY: c_long = 269;
        pub const MIGRATE_PAGES: c_long = 287;
        pub const MOVE_PAGES: c_long = 310;
        pub const MEMFD_CREATE: c_long = 350;
        pub const USERFAULTFD: c_long = 355;
        pub const MLOCK2: c_long = 374;
        pub const PKEY_MPROTECT: c_long = 384;
        pub const PKEY_ALLOC: c_long = 385;
        pub const PKEY_FREE: c_long = 386;
    } else if #[cfg(any(target_arch = "sparc", target_arch = "sparc64"))] {
        const BASE: c_long = 0;
        pub const MBIND: c_long = 303;
        pub const SET_MEMPOLICY: c_long = 305;
        pub const GET_MEMPOLICY: c_long = 304;
        pub const MIGRATE_PAGES: c_long = 302;
        pub const MOVE_PAGES: c_long = 307;
        pub const MEMFD_CREATE: c_long = 348;
        pub const USERFAULTFD: c_long = 352;
        pub const MLOCK2: c_long = 356;
        pub const PKEY_MPROTECT: c_long = 362;
        pub const PKEY_ALLOC: c_long = 363;
        pub const PKEY_FREE: c_long = 364;
    } else if #[cfg(any(target_arch = "mips", target_arch = "mips32r6"))] {
        // The ABI o32.
        const BASE: c_long = 4000;
        pub const MBIND: c_long = BASE + 268;
        pub const SET_MEMPOLICY: c_long = BASE + 270;
        pub const GET_MEMPOLICY: c_long = BASE + 269;
        pub const MIGRATE_PAGES: c_long = BASE + 287;
        pub const MOVE_PAGES: c_long = BASE + 308;
        pub const MEMFD_CREATE: c_long = BASE + 354;
        pub const USERFAULTFD: c_long = BASE + 357;
        pub const MLOCK2: c_long = BASE + 359;
        pub const PKEY_MPROTECT: c_long = BASE + 363;
        pub const PKEY_ALLOC: c_long = BASE + 364;
        pub const PKEY_FREE: c_long = BASE + 365;
    } else if #[cfg(any(target_arch = "mips64", target_arch = "mips64r6"))] {
        // The ABI n64.
        const BASE: c_long = 5000;
        pub const MBIND: c_long = BASE + 227;
        pub const SET_MEMPOLICY: c_long = BASE + 229;
        pub const GET_MEMPOLICY: c_long = BASE + 228;
        pub const MIGRATE_PAGES: c_long = BASE + 246;
        pub const MOVE_PAGES: c_long = BASE + 267;
        pub const MEMFD_CREATE: c_long = BASE + 314;
        pub const USERFAULTFD: c_long = BASE + 317;
        pub const MLOCK2: c_long = BASE + 319;
        pub const PKEY_MPROTECT: c_long = BASE + 323;
        pub const PKEY_ALLOC: c_long = BASE + 324;
        pub const PKEY_FREE: c_long = BASE + 325;
    } else if #[cfg(target_arch = "m68k")] {
        const BASE: c_long = 0;
        pub const MBIND: c_long = 268;
        pub const SET_MEMPOLICY: c_long = 270;
        pub const GET_MEMPOLICY: c_long = 269;
        pub const MIGRATE_PAGES: c_long = 287;
        pub const MOVE_PAGES: c_long = 310;
        pub const MEMFD_CREATE: c_long = 353;
        pub const USERFAULTFD: c_long = 373;
        pub const MLOCK2: c_long = 375;
        pub const PKEY_MPROTECT: c_long = 381;
        pub const PKEY_ALLOC: c_long = 382;
        pub const PKEY_FREE: c_long = 383;
    } else {
        // The kernel's generic table: aarch64, csky, hexagon, loongarch64, riscv.
        const BASE: c_long = 0;
        pub const MBIND: c_long = 235;
        pub const SET_MEMPOLICY: c_long = 237;
        pub const GET_MEMPOLICY: c_long = 236;
        pub const MIGRATE_PAGES: c_long = 238;
        pub const MOVE_PAGES: c_long = 239;
        pub const MEMFD_CREATE: c_long = 279;
        pub const USERFAULTFD: c_long = 282;
        pub const MLOCK2: c_long = 284;
        pub const PKEY_MPROTECT: c_long = 288;
        pub const PKEY_ALLOC: c_long = 289;
        pub const PKEY_FREE: c_long = 290;
    }
}
