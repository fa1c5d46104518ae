//! Copies in assembly that stop where memory is gone, rather than end the process: one file for each
//! architecture, and the only place that asks which architecture it is.
//!
//! Each file gives:
//! * `copy` and `set`: they copy or set bytes from the first to the last, and return how many they
//!   left undone: none, unless a fault interrupted them and a handler made them continue at `resume`.
//!   They read and write bytes that others may change at the same time: each byte is read either old
//!   or new. Each byte is stored exactly once, even if a fault interrupts or memory comes back, so
//!   whoever takes a byte by an atomic exchange gets it once. (Bytes may be loaded more than once.) No
//!   access touches a byte outside the given ranges.
//! * `resume`: for a program counter inside them, where to continue after a fault; `None` elsewhere.
//! * `AVAILABLE`: whether there are any; if not, the kernel copies.
//! * `PROGRAM_COUNTER`: where the program counter is in the `ucontext` that Linux hands to a signal
//!   handler, in bytes.
//!
//! Each routine has two parts: a wide one, which moves many bytes at a time, and one that continues
//! byte by byte after a fault in the first, so that the count of bytes left is exact. The second part
//! continues with the byte right after the last one stored, which the registers or the place of the
//! fault determine. This holds only if a store that faults stores nothing. So no store touches two
//! pages, one of which may be gone, unless the architecture promises this for such stores too.
//!
//! They are assembly for two reasons. A handler can only resume code if it is known what the registers
//! hold. And these accesses race with those of others, which Rust's own accesses must not. To Rust,
//! what an assembly routine does to memory that the compiler does not manage is like what the kernel
//! or another process does (see `copy`).
//!
//! Four more matters depend on the processor: `icache`, how code that was just written becomes code
//! that can be run; `set_key_rights`, what a thread may do with memory that has a protection key;
//! `alias_distance`, how far apart the same memory can be mapped twice; and `from_outside`, an address
//! about which the compiler knows nothing.

#[cfg(feature = "std")]
mod alias;
#[allow(
    dead_code,
    reason = "what one system does by itself, another has done by the kernel"
)]
mod icache;
#[cfg(feature = "std")]
pub use alias::alias_distance;
pub use icache::*;

mod none;
mod outside;
pub use outside::{IS_OUTSIDE, from_outside};

// Rights over memory that has a protection key.
cfg_if::cfg_if! {
    if #[cfg(target_arch = "x86_64")] {
        #[allow(dead_code, reason = "Linux alone has keys")]
        mod pkru;
        #[allow(unused_imports, reason = "Linux alone has keys")]
        pub use pkru::{KEYS, set_key_rights};
    } else {
        #[allow(unused_imports, reason = "Linux alone has keys")]
        pub use none::{KEYS, set_key_rights};
    }
}

cfg_if::cfg_if! {
    if #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))] {
        mod routine;
        mod x86_64;
        use x86_64 as copies;
        #[allow(unused_imports, reason = "only Linux asks for the program counter")]
        pub use x86_64::{AVAILABLE, PROGRAM_COUNTER, copy, set};
    } else if #[cfg(all(target_arch = "aarch64", target_pointer_width = "64"))] {
        mod aarch64;
        mod routine;
        use aarch64 as copies;
        #[allow(unused_imports, reason = "only Linux asks for the program counter")]
        pub use aarch64::{AVAILABLE, PROGRAM_COUNTER, copy, set};
    } else if #[cfg(target_arch = "riscv64")] {
        mod riscv64;
        mod routine;
        use riscv64 as copies;
        #[allow(unused_imports, reason = "only Linux asks for the program counter")]
        pub use riscv64::{AVAILABLE, PROGRAM_COUNTER, copy, set};
    } else {
        use none as copies;
        #[allow(unused_imports, reason = "only Linux asks for the program counter")]
        pub use none::{AVAILABLE, PROGRAM_COUNTER, copy, set};
    }
}

/// Where to continue after a fault at `pc`: in a copy, or in what makes code coherent.
#[allow(dead_code, reason = "only Linux asks")]
pub fn resume(pc: usize) -> Option<usize> {
    copies::resume(pc).or_else(|| icache::resume(pc))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths around every step of the loops, and one beyond all of them.
    const LENS: [usize; 30] = [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 31, 32, 33, 47, 63, 64, 65, 127, 128, 129,
        255, 256, 257, 1023, 1024, 1100,
    ];
    const SIZE: usize = 1200;

    /// Every length at every alignment of both ends, against plain slices.
    #[test]
    fn like_plain_copies() {
        if !AVAILABLE {
            return;
        }
        let from: [u8; SIZE] = core::array::from_fn(|i| u8::try_from(i % 251).unwrap() + 1);
        for len in LENS {
            for (start, end) in (0..9).flat_map(|start| (0..9).map(move |end| (start, end))) {
                let mut to = [0; SIZE];
                let mut plain = [0; SIZE];
                let source = from[start..].as_ptr();
                // SAFETY: both arrays have that many bytes from there on.
                let left = unsafe { copy(to[end..].as_mut_ptr(), source, len) };
                plain[end..end + len].copy_from_slice(&from[start..start + len]);
                assert_eq!(left, 0);
                assert!(to == plain, "copy of {len} from {start} to {end}");

                // SAFETY: the array has that many bytes from there on.
                let left = unsafe { set(to[start..].as_mut_ptr(), len, 0xf7) };
                plain[start..start + len].fill(0xf7);
                assert_eq!(left, 0);
                assert!(to == plain, "set of {len} at {start}");
            }
        }
    }

    #[test]
    fn nothing_else_resumes() {
        assert_eq!(resume(0), None);
        assert_eq!(resume(usize::MAX), None);
        assert_eq!(resume(nothing_else_resumes as *const () as usize), None);
        if AVAILABLE {
            let copy = copy as *const () as usize;
            for start in [copy, set as *const () as usize] {
                let bytes = resume(start).expect("the wide part");
                let stop = resume(bytes).expect("the part byte by byte");
                assert!(start < bytes && bytes < stop);
                assert_eq!(resume(stop), None);
                assert_eq!(resume(start - 1), None);
            }
        }
    }
}
