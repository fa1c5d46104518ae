//! The elements of a vector, one by one, by value.

use core::fmt;
use core::iter::FusedIterator;
use core::mem;

use super::ReservedVec;

/// An iterator over the elements of a [`ReservedVec`], by value: the result of its `into_iter`.
/// Dropping it drops the remaining elements, and unmaps the memory.
///
/// ```
/// use unix_memory::reserve::ReservedVec;
///
/// let mut names = ReservedVec::with_max_capacity(10)?;
/// names.extend(["a", "b"].map(String::from));
/// assert_eq!(names.into_iter().next().as_deref(), Some("a"));
/// # Ok::<(), unix_memory::Error>(())
/// ```
pub struct IntoIter<T> {
    /// Its length is zero: it owns the memory, and none of the elements.
    memory: ReservedVec<T>,
    /// The index of the first element that is left; those that are left belong to the iterator.
    next: usize,
    /// The index after the last of them.
    end: usize,
}

impl<T> IntoIter<T> {
    fn rest(&mut self) -> *mut [T] {
        // SAFETY: it is at most the capacity. [inside]
        let first = unsafe { self.memory.start.add(self.next) };
        core::ptr::slice_from_raw_parts_mut(first.as_ptr(), self.end - self.next)
    }

    /// Returns the remaining elements.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: it is at most the capacity. [inside]
        let first = unsafe { self.memory.start.add(self.next) };
        // SAFETY: these are elements, which are the iterator's, in open pages. [written, open]
        unsafe { core::slice::from_raw_parts(first.as_ptr(), self.end - self.next) }
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.next == self.end {
            return None;
        }
        let first = self.rest().cast::<T>();
        self.next += 1;
        // SAFETY: it was an element, and no longer is. [written, once]
        Some(unsafe { first.read() })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.end - self.next;
        (left, Some(left))
    }
}

impl<T> DoubleEndedIterator for IntoIter<T> {
    fn next_back(&mut self) -> Option<T> {
        if self.next == self.end {
            return None;
        }
        self.end -= 1;
        // SAFETY: it is less than the capacity. [inside]
        let last = unsafe { self.memory.start.add(self.end) };
        // SAFETY: it was an element, and no longer is. [written, once]
        Some(unsafe { last.read() })
    }
}

impl<T> ExactSizeIterator for IntoIter<T> {}
impl<T> FusedIterator for IntoIter<T> {}

impl<T> Drop for IntoIter<T> {
    fn drop(&mut self) {
        let rest = self.rest();
        self.next = self.end;
        // SAFETY: these were elements, and no longer are. (If dropping one panics, the others are
        // dropped all the same, and the memory is unmapped.) [written, once]
        unsafe { rest.drop_in_place() };
    }
}

impl<T: fmt::Debug> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IntoIter").field(&self.as_slice()).finish()
    }
}

impl<T> IntoIterator for ReservedVec<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(mut self) -> IntoIter<T> {
        let end = mem::take(&mut self.len);
        IntoIter {
            memory: self,
            next: 0,
            end,
        }
    }
}

static_assertions::assert_impl_all!(IntoIter<u8>: Send, Sync, Unpin);
static_assertions::assert_not_impl_any!(IntoIter<*const u8>: Send, Sync);
