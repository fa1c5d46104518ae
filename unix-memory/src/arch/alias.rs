//! How far apart the same memory can be mapped twice.
//!
//! Where a cache finds its lines by virtual address, memory that is mapped at two addresses is
//! cached twice, and what is written through one is not seen through the other, unless the
//! addresses are a multiple of a certain distance apart. Kernels refuse other addresses; POSIX
//! calls the distance `SHMLBA`. Source: Linux's arch/*/include/asm/shmparam.h.

use crate::page::page_size;

/// The distance in bytes, a multiple of the page size.
pub fn alias_distance() -> usize {
    let distance = if cfg!(any(target_arch = "arm", target_arch = "csky")) {
        4 * page_size()
    } else if cfg!(target_arch = "sparc64") {
        16 << 10
    } else if cfg!(target_arch = "loongarch64") {
        64 << 10
    } else if cfg!(any(
        target_arch = "mips",
        target_arch = "mips32r6",
        target_arch = "mips64",
        target_arch = "mips64r6",
    )) {
        256 << 10
    } else if cfg!(target_arch = "sparc") {
        // As large as its caches, which differ from machine to machine.
        1 << 20
    } else {
        0
    };
    distance.max(page_size())
}
