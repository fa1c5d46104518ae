//! Slices of plain data in a mapping.

use core::ops::{Range, RangeBounds};

use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::guard::plain_data::PlainData;
use crate::mapping::Mapping;
use crate::page::check_range;
use crate::protection::{Readable, Writable};

/// The position of `range` of `bytes` as values of `T`.
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

/// The bytes of `range` of `bytes` as values of `T`.
///
/// # Errors
/// Those of [`Mapping::view`].
pub fn values<'a, T: PlainData>(
    bytes: &'a [u8],
    range: &impl RangeBounds<usize>,
) -> Result<&'a [T]> {
    let range = span::<T>(bytes, range)?;
    let bytes = &bytes[range];
    let values = bytes.len() / size_of::<T>();
    // SAFETY: the bytes are aligned for `T` and whole values of it, and any bytes are, as
    // `PlainData` says; they are borrowed as long as the result. [values, borrowed, inside]
    Ok(unsafe { core::slice::from_raw_parts(bytes.as_ptr().cast(), values) })
}

/// The bytes of `range` of `bytes` as values of `T` that may be written.
///
/// # Errors
/// Those of [`Mapping::view`].
pub fn values_mut<'a, T: PlainData>(
    bytes: &'a mut [u8],
    range: &impl RangeBounds<usize>,
) -> Result<&'a mut [T]> {
    let range = span::<T>(bytes, range)?;
    let bytes = &mut bytes[range];
    let values = bytes.len() / size_of::<T>();
    // SAFETY: as for `values`; a value that is written has no byte that is not part of it, as
    // `PlainData` says, and the borrow is exclusive. [values, borrowed]
    Ok(unsafe { core::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), values) })
}

impl<A: Readable> Mapping<A> {
    /// The bytes of `range` as values of `T`.
    ///
    /// `range` is in bytes from the start of the mapping. The values are in this machine's byte
    /// order. A zero-sized `T`, such as `[u8; 0]`, does not compile.
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in the mapping, whose length is not a multiple of the
    /// size of `T` ([`Reason::NotWhole`]), or whose first byte is not aligned for `T`
    /// ([`Reason::Unaligned`]).
    ///
    /// ```
    /// let mut mapping = unix_memory::Mapping::anonymous(10)?;
    /// mapping[4..6].copy_from_slice(&0x1234u16.to_ne_bytes());
    /// assert_eq!(mapping.view::<u16>(..)?, [0, 0, 0x1234, 0, 0]);
    /// assert!(mapping.view::<u32>(..).is_err()); // 10 bytes are not a whole number of values
    /// assert!(mapping.view::<u16>(1..3).is_err());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn view<T: PlainData>(&self, range: impl RangeBounds<usize>) -> Result<&[T]> {
        values(self, &range)
    }
}

impl<A: Writable> Mapping<A> {
    /// The bytes of `range` as values of `T` that may be written.
    ///
    /// # Errors
    /// Those of [`view`](Self::view).
    ///
    /// ```
    /// let mut mapping = unix_memory::Mapping::anonymous(1 << 10)?;
    /// mapping.view_mut::<u64>(8..24)?.copy_from_slice(&[1, 2]);
    /// assert_eq!(mapping.view::<u64>(..32)?, [0, 1, 2, 0]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn view_mut<T: PlainData>(&mut self, range: impl RangeBounds<usize>) -> Result<&mut [T]> {
        values_mut(self, &range)
    }
}
