//! Guards: the bytes of a secret while they can be accessed.

use core::fmt;
use core::ops::{Deref, DerefMut, RangeBounds};

use super::memory::Memory;
use crate::error::Result;
use crate::guard::plain_data::PlainData;
use crate::mapping::view::{values, values_mut};

/// A guard through which the bytes of a [`Secret`](super::Secret) can be read: it derefs to `[u8]`.
///
/// [`Secret::borrow`](super::Secret::borrow) returns it. When the last guard of a secret is dropped, even
/// by a panic, its pages are closed. If a guard is forgotten (`mem::forget`), they stay readable until
/// [`Secret::borrow_mut`](super::Secret::borrow_mut) has been called and its guard dropped, or the secret
/// is dropped.
///
/// * **fork**: in a child it panics when it is used.
/// * **Signals**: neither borrowing nor dropping a guard is async-signal-safe.
/// * Its `Debug` shows no content, and it has no `PartialEq`. The slice that it derefs to has both: `==`
///   of slices is not constant-time, and `{:?}` of a slice prints it.
#[must_use = "the pages are closed when it is dropped"]
pub struct SecretRef<'a> {
    memory: &'a Memory,
}

impl<'a> SecretRef<'a> {
    pub(super) fn new(memory: &'a Memory) -> Result<Self> {
        memory.add_reader()?;
        Ok(Self { memory })
    }

    /// Returns the bytes of `range` as values of `T`.
    ///
    /// The secret ends at the end of a page, so if its length is a multiple of the size of `T`, its first
    /// byte is aligned for `T`.
    ///
    /// # Errors
    /// Those of [`Mapping::view`](crate::Mapping::view).
    ///
    /// # Panics
    /// In a child.
    ///
    /// ```
    /// # use unix_memory::secret::{Protections, SecretOptions};
    /// # let options = SecretOptions::new().optional(Protections::LOCKED);
    /// let mut state = options.zeroed(64)?;
    /// state.borrow_mut()?.view_mut::<u32>(..)?[15] = 7;
    /// assert_eq!(state.borrow()?.view::<u32>(56..)?, [0, 7]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn view<T: PlainData>(&self, range: impl RangeBounds<usize>) -> Result<&[T]> {
        values(self, &range)
    }
}

impl Deref for SecretRef<'_> {
    type Target = [u8];

    /// # Panics
    /// In a child.
    #[inline]
    fn deref(&self) -> &[u8] {
        self.memory.bytes()
    }
}

impl AsRef<[u8]> for SecretRef<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for SecretRef<'_> {
    fn drop(&mut self) {
        self.memory.remove_reader();
    }
}

impl fmt::Debug for SecretRef<'_> {
    /// Shows the length, and never the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("SecretRef", self.memory, f)
    }
}

/// A guard through which the bytes of a [`Secret`](super::Secret) can be read and written: it derefs to
/// `[u8]`.
///
/// [`Secret::borrow_mut`](super::Secret::borrow_mut) returns it. Otherwise it is like [`SecretRef`]; if it
/// is forgotten, the pages stay writable as long as they would stay readable with that.
#[must_use = "the pages are closed when it is dropped"]
pub struct SecretMut<'a> {
    memory: &'a mut Memory,
}

impl<'a> SecretMut<'a> {
    pub(super) fn new(memory: &'a mut Memory) -> Result<Self> {
        memory.open_to_write()?;
        Ok(Self { memory })
    }

    /// Returns the bytes of `range` as values of `T`, as [`SecretRef::view`] does.
    ///
    /// # Errors
    /// Those of [`Mapping::view`](crate::Mapping::view).
    ///
    /// # Panics
    /// In a child.
    pub fn view<T: PlainData>(&self, range: impl RangeBounds<usize>) -> Result<&[T]> {
        values(self, &range)
    }

    /// Returns the bytes of `range` as values of `T` that can be written.
    ///
    /// # Errors
    /// Those of [`Mapping::view`](crate::Mapping::view).
    ///
    /// # Panics
    /// In a child.
    pub fn view_mut<T: PlainData>(&mut self, range: impl RangeBounds<usize>) -> Result<&mut [T]> {
        values_mut(self, &range)
    }
}

impl Deref for SecretMut<'_> {
    type Target = [u8];

    /// # Panics
    /// In a child.
    #[inline]
    fn deref(&self) -> &[u8] {
        self.memory.bytes()
    }
}

impl DerefMut for SecretMut<'_> {
    /// # Panics
    /// In a child.
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.memory.bytes_mut()
    }
}

impl AsRef<[u8]> for SecretMut<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsMut<[u8]> for SecretMut<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl Drop for SecretMut<'_> {
    fn drop(&mut self) {
        // Where the kernel refuses, `Secret::protections` reports it.
        let _or_left_open = self.memory.close_all();
    }
}

impl fmt::Debug for SecretMut<'_> {
    /// Shows the length, and never the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("SecretMut", self.memory, f)
    }
}

fn debug(name: &str, memory: &Memory, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_struct(name)
        .field("len", &memory.len())
        .finish_non_exhaustive()
}

static_assertions::assert_impl_all!(SecretRef<'static>: Send, Sync, Unpin);
static_assertions::assert_impl_all!(SecretMut<'static>: Send, Sync, Unpin);
