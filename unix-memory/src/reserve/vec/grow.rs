//! Adding elements.

use super::ReservedVec;
use crate::error::{Failed, Result};

/// Panics, since no error can be returned.
#[track_caller]
pub fn or_panic(result: Result<()>) {
    if let Err(error) = result {
        panic!("{error}");
    }
}

impl<T> ReservedVec<T> {
    /// Adds `value` at the end.
    ///
    /// # Panics
    /// If [`try_push`](Self::try_push) fails.
    #[track_caller]
    #[inline]
    pub fn push(&mut self, value: T) {
        if self.len == self.capacity {
            self.grow_or_panic(1);
        }
        // SAFETY: there is room for one. [inside]
        unsafe { self.add(value) };
    }

    /// Adds `value` at the end.
    ///
    /// # Errors
    /// Those of [`try_reserve`](Self::try_reserve); the value comes back inside the error.
    ///
    /// ```
    /// use unix_memory::reserve::ReservedVec;
    ///
    /// let mut boxes = ReservedVec::with_max_capacity(1)?;
    /// while boxes.len() < boxes.max_capacity() {
    ///     boxes.try_push(Box::new(1))?;
    /// }
    /// let (error, one_more) = boxes.try_push(Box::new(2)).unwrap_err().into_parts();
    /// assert_eq!((error.errno(), *one_more), (libc::ENOMEM, 2));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[inline]
    pub fn try_push(&mut self, value: T) -> Result<(), Failed<T>> {
        if let Err(error) = self.try_reserve(1) {
            return Err(Failed::new(error, value));
        }
        // SAFETY: there is room for one. [inside]
        unsafe { self.add(value) };
        Ok(())
    }

    /// Adds `value` at the end.
    ///
    /// # Safety
    /// The length is less than the capacity.
    #[inline]
    const unsafe fn add(&mut self, value: T) {
        // Read once: writing the value could change it, for all that the compiler knows.
        let len = self.len;
        // SAFETY: as the caller vouches. [inside]
        let place = unsafe { self.start.add(len) };
        // SAFETY: it lies in open pages, is aligned as the start is, and holds no element.
        // [open, inside]
        unsafe { place.write(value) };
        self.len = len + 1;
    }

    /// Adds clones of `values` at the end.
    ///
    /// # Panics
    /// If [`try_extend_from_slice`](Self::try_extend_from_slice) fails.
    #[track_caller]
    pub fn extend_from_slice(&mut self, values: &[T])
    where
        T: Clone,
    {
        or_panic(self.try_extend_from_slice(values));
    }

    /// Adds clones of `values` at the end. If cloning one of them panics, those before it have been
    /// added.
    ///
    /// # Errors
    /// Those of [`try_reserve`](Self::try_reserve); nothing is added then.
    ///
    /// ```
    /// use unix_memory::reserve::ReservedVec;
    ///
    /// let mut bytes = ReservedVec::with_max_capacity(100)?;
    /// bytes.try_extend_from_slice(b"hello")?;
    /// assert_eq!(*bytes, *b"hello");
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn try_extend_from_slice(&mut self, values: &[T]) -> Result<()>
    where
        T: Clone,
    {
        self.try_reserve(values.len())?;
        let start = self.start;
        // Counted in a separate variable, so that bytes are copied in bulk: a byte that is written
        // could otherwise be part of the length itself.
        let mut counter = Counter {
            len: self.len,
            of: &mut self.len,
        };
        for value in values {
            let value = value.clone();
            // SAFETY: there is room for all of them, so the length is less than the capacity.
            // [inside]
            let place = unsafe { start.add(counter.len) };
            // SAFETY: it lies in open pages, is aligned as the start is, and holds no element.
            // [open, inside]
            unsafe { place.write(value) };
            counter.len += 1;
        }
        Ok(())
    }
}

/// A length, which the vector receives when this is dropped, even if a clone panics.
struct Counter<'a> {
    len: usize,
    of: &'a mut usize,
}

impl Drop for Counter<'_> {
    fn drop(&mut self) {
        *self.of = self.len;
    }
}

/// Adds the items of the iterator. If the iterator panics, its earlier items have been added. Room is
/// made at once for the lower bound of its `size_hint`.
///
/// # Panics
/// If [`try_push`](ReservedVec::try_push) fails.
impl<T> Extend<T> for ReservedVec<T> {
    #[track_caller]
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        let values = values.into_iter();
        // The hint may be more than the iterator yields.
        let _hint = self.try_reserve(values.size_hint().0);
        for value in values {
            self.push(value);
        }
    }
}

/// Adds copies of the items of the iterator.
///
/// # Panics
/// If [`try_push`](ReservedVec::try_push) fails.
impl<'a, T: Copy + 'a> Extend<&'a T> for ReservedVec<T> {
    #[track_caller]
    fn extend<I: IntoIterator<Item = &'a T>>(&mut self, values: I) {
        self.extend(values.into_iter().copied());
    }
}
