//! Atomics in memory that others may change.

use core::sync::atomic as std_atomic;

use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::page::check_span;
use crate::protection::Writable;
use crate::shared::SharedMapping;

mod sealed {
    pub trait Sealed {}
}

/// The atomic integers of `core::sync::atomic` that
/// [`SharedMapping::atomic`](crate::SharedMapping::atomic) returns: those of 8 to 64 bits and of the
/// machine's word, signed or not, as far as the target has them.
///
/// All implementors are in this crate: their size equals their alignment, and any bytes are a valid
/// value. (So `AtomicBool` and `AtomicPtr` are not among them.)
pub trait Atomic: sealed::Sealed + Send + Sync + 'static {}

macro_rules! atomic {
    ($bits:literal: $($name:ident)*) => {$(
        #[cfg(target_has_atomic = $bits)]
        impl sealed::Sealed for std_atomic::$name {}
        #[cfg(target_has_atomic = $bits)]
        impl Atomic for std_atomic::$name {}
        // Fits at each multiple of its size, and in a granule of `claims`.
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

/// Atomics.
impl<A: Writable> SharedMapping<A> {
    /// Returns the atomic at `offset`, in bytes from the start of the mapping. It works across
    /// threads and processes: what others do to it atomically is seen at once, and orders the
    /// accesses around it.
    ///
    /// As long as the mapping lives, bytes that were once used as an atomic can only be used as
    /// atomics of that size: Rust does not define concurrent accesses of different sizes. Copies of
    /// bytes are not restricted: they may be made at any time, and see each byte either old or new.
    ///
    /// If the page behind it is gone, because the file was truncated, using an atomic raises SIGBUS,
    /// which ends the process unless it handles the signal.
    ///
    /// # Errors
    /// `EINVAL` if it does not lie in the mapping, or its address is not a multiple of its size
    /// ([`Reason::Unaligned`]); `EBUSY` if these bytes are in use as atomics of another size
    /// ([`Reason::AtomicSize`]); `ENOMEM` if there is no memory to remember the size.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadWrite)?;
    /// let counter = mapping.atomic::<AtomicU32>(8)?;
    /// counter.fetch_add(1, Ordering::Relaxed);
    /// assert_eq!(mapping.to_vec()?[8..12], 1u32.to_ne_bytes());
    ///
    /// assert!(mapping.atomic::<AtomicU32>(9).is_err());
    /// assert!(mapping.atomic::<AtomicU64>(8).is_err());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn atomic<T: Atomic>(&self, offset: usize) -> Result<&T> {
        let size = size_of::<T>();
        // Usually it lies there, and was requested before.
        if self.len().saturating_sub(offset) >= size {
            let atomic = self.region().start().as_ptr().wrapping_add(offset);
            if atomic.addr() % size == 0 && self.claims.has(self.region(), atomic.addr(), size) {
                // SAFETY: as in `atomics`: it lies in the mapping and is aligned, and its bytes were
                // claimed for this size. [atomic, inside]
                return Ok(unsafe { &*atomic.cast::<T>() });
            }
        }
        self.atomic_anew(offset)
    }

    /// Like [`atomic`](Self::atomic), usually the first time.
    #[cold]
    fn atomic_anew<T: Atomic>(&self, offset: usize) -> Result<&T> {
        self.atomics(offset, 1).map(|one| &one[0])
    }

    /// Returns `count` consecutive atomics, of which the first is at `offset`, in bytes: see
    /// [`atomic`](Self::atomic).
    ///
    /// This takes time proportional to `count`; requesting the same slice again is usually immediate.
    ///
    /// # Errors
    /// Those of [`atomic`](Self::atomic).
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU16, Ordering};
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadWrite)?;
    /// let counters: &[AtomicU16] = mapping.atomics(20, 40)?;
    /// counters[39].store(7, Ordering::Relaxed);
    /// assert_eq!(mapping.atomic::<AtomicU16>(98)?.load(Ordering::Relaxed), 7);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn atomics<T: Atomic>(&self, offset: usize, count: usize) -> Result<&[T]> {
        let size = size_of::<T>();
        // A range longer than the address space does not lie in the mapping either.
        let len = count.saturating_mul(size);
        check_span(Call::Atomics, offset, len, self.len())?;
        let arguments = Arguments::Range { start: offset, len };
        let refuse = |errno, reason| Err(Error::new(Call::Atomics, errno, arguments, reason));
        let first = self.region().start().as_ptr().wrapping_add(offset);
        if first.addr() % size != 0 {
            return refuse(libc::EINVAL, Reason::Unaligned(size));
        }
        if count == 0 {
            return Ok(&[]);
        }
        let range = offset..offset + len;
        let (claims, region) = (&self.claims, self.region());
        let had = match count {
            1 => claims.has(region, first.addr(), size),
            _ => claims.has_all(region, &range, size),
        };
        if !had && !claims.claim(region, &range, size)? {
            return refuse(libc::EBUSY, Reason::AtomicSize);
        }
        // SAFETY: the range was checked to lie in the mapping, which can be read and written and
        // which the result borrows, and to be aligned; any bytes are a value of `T`. Nothing but
        // atomics of this size accesses these bytes as Rust does: no other reference into a shared
        // mapping is given out, claims keep other sizes away, and what else changes them, a copy of
        // `copy`, the kernel or another process, acts from outside (see `copy`).
        // [atomic, inside, access, values]
        Ok(unsafe { core::slice::from_raw_parts(first.cast::<T>(), count) })
    }
}
