//! What the routines of every architecture have in common: their names, and where they resume.

/// Declares the six labels that an architecture's assembly defines, and what finds the way between
/// them.
macro_rules! routines {
    ($($code:literal),* $(,)?) => {
        unsafe extern "C" {
            /// Copies `len` bytes; returns how many it left.
            #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_copy")]
            pub fn copy(to: *mut u8, from: *const u8, len: usize) -> usize;
            #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_copy_bytes")]
            fn copy_bytes();
            #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_copy_stop")]
            fn copy_stop();
            /// Sets `len` bytes; returns how many it left.
            #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_set")]
            pub fn set(to: *mut u8, len: usize, byte: u8) -> usize;
            #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_set_bytes")]
            fn set_bytes();
            #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_set_stop")]
            fn set_stop();
        }

        core::arch::global_asm!(
            ".text",
            ".p2align 4",
            $($code,)*
            copy = sym copy,
            copy_bytes = sym copy_bytes,
            copy_stop = sym copy_stop,
            set = sym set,
            set_bytes = sym set_bytes,
            set_stop = sym set_stop,
        );

        /// Where to go on after a fault at `pc`: from the wide part to the byte by byte one, from
        /// there to the end.
        #[allow(dead_code, reason = "only Linux asks")]
        pub fn resume(pc: usize) -> Option<usize> {
            let copy_wide = copy as *const () as usize;
            let [copy_bytes, copy_stop, set_bytes, set_stop] =
                [copy_bytes, copy_stop, set_bytes, set_stop]
                    .map(|label: unsafe extern "C" fn()| label as usize);
            let set_wide = set as *const () as usize;
            [
                (copy_wide, copy_bytes),
                (copy_bytes, copy_stop),
                (set_wide, set_bytes),
                (set_bytes, set_stop),
            ]
            .into_iter()
            .find(|&(start, end)| (start..end).contains(&pc))
            .map(|(_, end)| end)
        }
    };
}

pub(super) use routines;
