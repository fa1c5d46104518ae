//! Values in a shared mapping, copied out and in like bytes.

use crate::error::Result;
use crate::guard::plain_data::{PlainData, bytes_of, bytes_of_mut, zeroed};
use crate::protection::{Readable, Writable};
use crate::shared::SharedMapping;

/// Copies values out, in the byte order of this machine. Their bytes need not be aligned in the
/// mapping. If somebody writes to a value meanwhile, some of its bytes may be old and others new:
/// [`atomic`](Self::atomic) returns numbers that are read as a whole.
impl<A: Readable> SharedMapping<A> {
    /// Copies out the value whose first byte is at `offset`, in bytes from the start of the mapping.
    ///
    /// # Errors
    /// Those of [`read_at`](Self::read_at).
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadWrite)?;
    /// mapping.write_value(3, &0x0102_u16)?;
    /// assert_eq!(mapping.read_value::<u16>(3)?, 0x0102);
    /// assert_eq!(mapping.read_value::<[u8; 2]>(3)?, 0x0102_u16.to_ne_bytes());
    /// assert!(mapping.read_value::<u16>(99).is_err());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn read_value<T: PlainData>(&self, offset: usize) -> Result<T> {
        let mut value = zeroed();
        self.read_values(offset, core::slice::from_mut(&mut value))?;
        Ok(value)
    }

    /// Copies out `values.len()` consecutive values, from `offset` on.
    ///
    /// # Errors
    /// Those of [`read_at`](Self::read_at): if memory is gone, the bytes that the error reports as
    /// copied are those of the first values.
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadWrite)?;
    /// mapping.write_values(60, &[1.5_f64, 2.5])?;
    /// let mut values = [0.0; 2];
    /// mapping.read_values(60, &mut values)?;
    /// assert_eq!(values, [1.5, 2.5]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn read_values<T: PlainData>(&self, offset: usize, values: &mut [T]) -> Result<()> {
        self.read_at(offset, bytes_of_mut(values))
    }

    /// Copies `count` consecutive values, from `offset` on, out into a vector.
    ///
    /// # Errors
    /// `ENOMEM` if there is no memory for them; otherwise the errors of [`read_at`](Self::read_at).
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadOnly};
    ///
    /// let zero = std::fs::File::open("/dev/zero")?;
    /// let mapping = MapOptions::new().len(100).map_private(&zero, ReadOnly)?;
    /// assert_eq!(mapping.to_values::<u64>(4, 12)?, [0; 12]);
    /// assert!(mapping.to_values::<u64>(4, 13).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "std")]
    pub fn to_values<T: PlainData>(&self, offset: usize, count: usize) -> Result<std::vec::Vec<T>> {
        let mut values = std::vec::Vec::new();
        self.append_to(&mut values, offset, count)?;
        Ok(values)
    }
}

/// Copies values in.
impl<A: Writable> SharedMapping<A> {
    /// Copies a value in. Its first byte goes to `offset`, in bytes from the start of the mapping.
    ///
    /// # Errors
    /// Those of [`write_at`](Self::write_at).
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadWrite};
    ///
    /// let file = tempfile::tempfile()?;
    /// file.set_len(100)?;
    /// # if !cfg!(target_os = "emscripten") {
    /// let mapping = MapOptions::new().map_shared(&file, ReadWrite)?;
    /// mapping.write_value(50, &[1_u32, 2])?;
    /// assert_eq!(mapping.read_value::<u32>(54)?, 2);
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_value<T: PlainData>(&self, offset: usize, value: &T) -> Result<()> {
        self.write_values(offset, core::slice::from_ref(value))
    }

    /// Copies consecutive values in, from `offset` on.
    ///
    /// # Errors
    /// Those of [`write_at`](Self::write_at).
    pub fn write_values<T: PlainData>(&self, offset: usize, values: &[T]) -> Result<()> {
        self.write_at(offset, bytes_of(values))
    }
}
