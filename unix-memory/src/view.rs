//! Slices of plain data in a mapping.

use core::ops::{Range, RangeBounds};

use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::mapping::Mapping;
use crate::page::check_range;
use crate::protection::{Readable, Writable};

/// Plain data: values that are their bytes, and any bytes of theirs a value.
///
/// It is there for the numbers of Rust and arrays of them; of a type of your own, say so yourself.
/// (Crates such as bytemuck and zerocopy have such traits too. Their casts take a mapping as what it
/// derefs to, `[u8]`; here, a type for which they vouch needs one more line.)
///
/// # Safety
/// * Every pattern of bits is a valid value: no `bool`, `char`, enum, reference.
/// * There is no padding, so that writing a value writes every byte.
/// * There is no interior mutability, and nothing to drop.
///
/// ```
/// use unix_memory::{Mapping, PlainData};
///
/// #[derive(Clone, Copy)]
/// #[repr(C)]
/// struct Point {
///     x: f32,
///     y: f32,
/// }
///
/// // SAFETY: two numbers of one size: no padding, any bits are a value.
/// unsafe impl PlainData for Point {}
///
/// let mut mapping = Mapping::anonymous(80)?;
/// let points = mapping.view_mut::<Point>(..)?;
/// points[9].x = 0.5;
/// assert_eq!(points.len(), 10);
/// assert_eq!(mapping.view::<f32>(72..76)?, [0.5]);
/// # Ok::<(), unix_memory::Error>(())
/// ```
pub unsafe trait PlainData: Copy + 'static {}

/// Vouches for types.
macro_rules! plain {
    ($($type:ty)*) => { $(
        // SAFETY: a number: any bits are one, and all its bytes are bits of it.
        unsafe impl PlainData for $type {}
    )* };
}

plain! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 }

// SAFETY: an array is its elements, one behind the other.
unsafe impl<T: PlainData, const N: usize> PlainData for [T; N] {}

/// Where `range` of `bytes` lies as values of `T`.
fn span<T: PlainData>(bytes: &[u8], range: &impl RangeBounds<usize>) -> Result<Range<usize>> {
    const { assert!(size_of::<T>() != 0, "values without bytes are not counted") };
    let range = check_range(Call::View, range, bytes.len())?;
    let refuse = |reason| {
        let arguments = Arguments::range(&range);
        Err(Error::new(Call::View, libc::EINVAL, arguments, reason))
    };
    if range.len() % size_of::<T>() != 0 {
        return refuse(Reason::NotWhole(size_of::<T>()));
    }
    if !bytes[range.clone()].as_ptr().cast::<T>().is_aligned() {
        return refuse(Reason::Unaligned(align_of::<T>()));
    }
    Ok(range)
}

impl<A: Readable> Mapping<A> {
    /// The bytes of `range` as values of `T`.
    ///
    /// `range` is in bytes from the start of the mapping. They are values of this machine: in its
    /// order of bytes.
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in the mapping, whose length is no multiple of the
    /// size of `T` ([`Reason::NotWhole`]), or whose first byte is not aligned for it
    /// ([`Reason::Unaligned`]).
    ///
    /// ```
    /// let mut mapping = unix_memory::Mapping::anonymous(10)?;
    /// mapping[4..6].copy_from_slice(&0x1234u16.to_ne_bytes());
    /// assert_eq!(mapping.view::<u16>(..)?, [0, 0, 0x1234, 0, 0]);
    /// assert!(mapping.view::<u32>(..).is_err()); // 10 bytes are no whole number of them
    /// assert!(mapping.view::<u16>(1..3).is_err());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn view<T: PlainData>(&self, range: impl RangeBounds<usize>) -> Result<&[T]> {
        let range = span::<T>(self, &range)?;
        let bytes = &self[range];
        // SAFETY: the bytes are aligned for `T` and whole values of it, and any bytes are, as
        // `PlainData` says; they are borrowed as long as the result.
        Ok(unsafe {
            core::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / size_of::<T>())
        })
    }
}

impl<A: Writable> Mapping<A> {
    /// The bytes of `range` as values of `T` that may be written.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    ///
    /// ```
    /// let mut mapping = unix_memory::Mapping::anonymous(1 << 10)?;
    /// mapping.view_mut::<u64>(8..24)?.copy_from_slice(&[1, 2]);
    /// assert_eq!(mapping.view::<u64>(..32)?, [0, 1, 2, 0]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn view_mut<T: PlainData>(&mut self, range: impl RangeBounds<usize>) -> Result<&mut [T]> {
        let range = span::<T>(self, &range)?;
        let bytes = &mut self[range];
        let values = bytes.len() / size_of::<T>();
        // SAFETY: as for `view`; a value that is written has no byte that is not part of it, as
        // `PlainData` says, and the borrow is exclusive.
        Ok(unsafe { core::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), values) })
    }
}
