//! What the routines of every architecture have in common: their names, and where they resume.

// Data that is never written, in this kind of object file.
cfg_if::cfg_if! {
    if #[cfg(target_vendor = "apple")] {
        macro_rules! constants {
            () => {
                ".section __TEXT,__const"
            };
        }
    } else {
        macro_rules! constants {
            () => {
                ".section .rodata"
            };
        }
    }
}
pub(super) use constants;

/// Declares the routines of an architecture, of the ABI `abi`, which its assembly, `code`, defines;
/// and the function that finds where to go on after a fault.
///
/// `ways` are pairs of places in the code, in the order of the first of each: a fault from there on,
/// up to the next pair's, goes on at the second. If that is `copy`, the fault does not belong to
/// them.
macro_rules! routines {
    (
        abi: $abi:literal,
        code: [$($code:literal),* $(,)?],
        ways: [$($from:literal => $to:literal),* $(,)?] $(,)?
    ) => {
        unsafe extern $abi {
            /// Copies `len` bytes; returns how many it left.
            #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_copy")]
            pub fn copy(to: *mut u8, from: *const u8, len: usize) -> usize;
            /// Sets `len` bytes; returns how many it left.
            #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_set")]
            pub fn set(to: *mut u8, len: usize, byte: u8) -> usize;
            /// The pairs, in bytes from `copy` on.
            #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_ways")]
            #[allow(dead_code, reason = "only Linux asks")]
            safe static WAYS: [[u32; 2]; [$($from),*].len()];
        }

        core::arch::global_asm!(
            ".text",
            ".p2align 4",
            $($code,)*
            crate::arch::routine::constants!(),
            ".p2align 2",
            ".globl {ways}",
            "{ways}:",
            $(concat!(".long ", $from, " - {copy}, ", $to, " - {copy}"),)*
            ".text",
            copy = sym copy,
            set = sym set,
            ways = sym WAYS,
        );

        /// Where to continue after a fault at `pc`.
        #[allow(dead_code, reason = "only Linux asks")]
        pub fn resume(pc: usize) -> Option<usize> {
            let start = copy as *const () as usize;
            let offset = u32::try_from(pc.checked_sub(start)?).ok()?;
            let [_, to] = WAYS.iter().rfind(|[from, _]| *from <= offset)?;
            (*to != 0).then(|| start + *to as usize)
        }

        #[cfg(test)]
        #[test]
        fn ways_are_in_order() {
            assert_eq!(WAYS[0][0], 0);
            assert!(WAYS.is_sorted_by(|[one, _], [next, _]| one < next));
        }
    };
}

pub(super) use routines;
