//! Atomics in memory that others may change.

use core::sync::atomic as std_atomic;

mod sealed {
    pub trait Sealed {}
}

/// The atomic integers of `core::sync::atomic`, which
/// [`SharedMapping::atomic`](crate::SharedMapping::atomic) finds in a mapping: of 8 to 64 bits and
/// of the machine's word, signed or not, as far as the target has them.
///
/// Its implementors are all in this crate: they are as large as their alignment, and any bytes are
/// a value of theirs. (So `AtomicBool` and `AtomicPtr` are not among them.)
pub trait Atomic: sealed::Sealed + Send + Sync + 'static {}

macro_rules! atomic {
    ($bits:literal: $($name:ident)*) => {$(
        #[cfg(target_has_atomic = $bits)]
        impl sealed::Sealed for std_atomic::$name {}
        #[cfg(target_has_atomic = $bits)]
        impl Atomic for std_atomic::$name {}
        // One that fits at each multiple of its size, and in a granule of `claims`.
        #[cfg(target_has_atomic = $bits)]
        const _: () = {
            let size = size_of::<std_atomic::$name>();
            assert!(size == align_of::<std_atomic::$name>() && size <= 8);
        };
    )*};
}

atomic!("8": AtomicU8 AtomicI8);
atomic!("16": AtomicU16 AtomicI16);
atomic!("32": AtomicU32 AtomicI32);
atomic!("64": AtomicU64 AtomicI64);
atomic!("ptr": AtomicUsize AtomicIsize);
