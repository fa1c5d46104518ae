//! A piece of a file.

use core::ops::Deref;

use crate::bytes::way::Way;
use crate::protection::ReadOnly;
use crate::shared::SharedMapping;

/// A piece of a file, mapped for reading: a [`SharedMapping`] with its offset in the file.
/// [`Windows`](crate::Windows) yields it.
#[derive(Debug)]
#[must_use = "it is unmapped when it is dropped"]
pub struct Window {
    offset: u64,
    mapping: SharedMapping<ReadOnly>,
    way: Way,
}

impl Window {
    pub(super) const fn new(offset: u64, mapping: SharedMapping<ReadOnly>, way: Way) -> Self {
        Self {
            offset,
            mapping,
            way,
        }
    }

    /// Returns the offset in the file at which it begins, in bytes.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns how its bytes came into memory: [`Way::MappedShared`], [`Way::MappedPrivate`] or
    /// [`Way::Read`].
    ///
    /// ```
    /// use unix_memory::{Way, Windows};
    ///
    /// let program = std::fs::File::open(std::env::current_exe()?)?;
    /// for window in Windows::new(&program, 1 << 20)? {
    ///     println!("{:?}", window?.way());
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn way(&self) -> Way {
        self.way
    }

    /// Returns the mapping alone.
    pub fn into_mapping(self) -> SharedMapping<ReadOnly> {
        self.mapping
    }
}

impl Deref for Window {
    type Target = SharedMapping<ReadOnly>;

    fn deref(&self) -> &SharedMapping<ReadOnly> {
        &self.mapping
    }
}
