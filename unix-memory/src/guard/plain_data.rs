//! Types whose values are just their bytes, and who vouches for them.

/// Plain data: a value is just its bytes, and any bytes are a valid value.
///
/// Rust's numbers and arrays of them implement it. For a type of your own, either implement it yourself,
/// or use one of two crates whose derives need no `unsafe`: with the feature `bytemuck`, `ByBytemuck<T>`
/// is plain data if `T` is `bytemuck::Pod`; with the feature `zerocopy`, `ByZerocopy<T>` is plain data
/// if `T` implements zerocopy's `FromBytes`, `IntoBytes` and `Immutable`.
///
/// # Safety
/// * Every bit pattern is a valid value, which rules out `bool`, `char`, enums and references.
/// * There is no padding, so writing a value writes every byte.
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
/// // SAFETY: two numbers of one size: no padding, and any bits are a valid value.
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
        // SAFETY: a number: any bits are one, and all its bytes are bits of it. [values]
        unsafe impl PlainData for $type {}
    )* };
}

plain! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 }

// SAFETY: an array is its elements, one after another. [values]
unsafe impl<T: PlainData, const N: usize> PlainData for [T; N] {}

/// The bytes of values.
pub const fn bytes_of<T: PlainData>(values: &[T]) -> &[u8] {
    // SAFETY: a value has no byte that is not part of it, as `PlainData` says. [values]
    unsafe { core::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// The bytes of values, to be written.
pub const fn bytes_of_mut<T: PlainData>(values: &mut [T]) -> &mut [u8] {
    let len = size_of_val(values);
    // SAFETY: as for `bytes_of`; and any bytes that are written are values. [values]
    unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), len) }
}

/// A value of zeros.
pub const fn zeroed<T: PlainData>() -> T {
    // SAFETY: any bytes are a value, as `PlainData` says. [values]
    unsafe { core::mem::MaybeUninit::zeroed().assume_init() }
}

/// Declares a wrapper for the values of another type, for which a crate vouches.
#[cfg(any(feature = "bytemuck", feature = "zerocopy"))]
macro_rules! vouched {
    ($(#[$doc:meta])* $name:ident<T: $($trait:path),+>) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name<T>(pub T);

        // SAFETY: it is laid out as the `T` in it, for which the trait vouches: any bytes are a value
        // without padding and interior mutability. [values, layout]
        unsafe impl<T: $($trait +)+ Copy + 'static> PlainData for $name<T> {}

        impl<T> core::ops::Deref for $name<T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.0
            }
        }

        impl<T> core::ops::DerefMut for $name<T> {
            fn deref_mut(&mut self) -> &mut T {
                &mut self.0
            }
        }
    };
}

#[cfg(feature = "bytemuck")]
vouched! {
    /// With the feature `bytemuck`: a value of a type that is [`bytemuck::Pod`], as [`PlainData`].
    ///
    /// ```
    /// use bytemuck::{Pod, Zeroable};
    /// use unix_memory::{ByBytemuck, MapOptions, ReadWrite};
    ///
    /// #[derive(Clone, Copy, Pod, Zeroable)]
    /// #[repr(C)]
    /// struct Point {
    ///     x: f32,
    ///     y: f32,
    /// }
    ///
    /// let mapping = MapOptions::new().len(80).map_anonymous_shared(ReadWrite)?;
    /// mapping.write_value(8, &ByBytemuck(Point { x: 1.0, y: 0.5 }))?;
    /// let point: ByBytemuck<Point> = mapping.read_value(8)?;
    /// assert_eq!(point.y, 0.5);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    ByBytemuck<T: bytemuck::Pod>
}

#[cfg(feature = "zerocopy")]
vouched! {
    /// With the feature `zerocopy`: a value of a type that implements [`zerocopy::FromBytes`],
    /// [`zerocopy::IntoBytes`] and [`zerocopy::Immutable`], as [`PlainData`].
    ///
    /// ```
    /// use unix_memory::{ByZerocopy, Mapping};
    /// use zerocopy::{FromBytes, Immutable, IntoBytes};
    ///
    /// #[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
    /// #[repr(C)]
    /// struct Point {
    ///     x: f32,
    ///     y: f32,
    /// }
    ///
    /// let mut mapping = Mapping::anonymous(80)?;
    /// let points = mapping.view_mut::<ByZerocopy<Point>>(..)?;
    /// points[9].x = 0.5;
    /// assert_eq!(points.len(), 10);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    ByZerocopy<T: zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable>
}
