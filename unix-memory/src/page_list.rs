//! Lists in pages of their own: this crate has no allocator, and must not keep its records in memory
//! that belongs to others.

use core::mem::ManuallyDrop;
use core::ops::Range;
use core::ptr::NonNull;

use crate::error::Errno;
use crate::os::call;
use crate::page::{Pages, max_len, round_up};

/// A list of limited length, of values whose type is not zero-sized and needs no drop.
pub struct PageList<T> {
    start: NonNull<T>,
    capacity: usize,
    len: usize,
}

impl<T> PageList<T> {
    /// A list with room for `capacity` values, and for at least one.
    ///
    /// # Errors
    /// Those of `mmap`.
    pub fn new(capacity: usize) -> Result<Self, Errno> {
        const { assert!(size_of::<T>() != 0 && !core::mem::needs_drop::<T>()) };
        const { assert!(align_of::<T>() <= 4096) };
        let bytes = capacity.max(1).checked_mul(size_of::<T>());
        let bytes = bytes.filter(|&bytes| bytes <= max_len());
        let start = call::zeroed_pages(round_up(bytes.ok_or(libc::ENOMEM)?))?;
        Ok(Self {
            // (No system has smaller pages than the alignment that is allowed here.)
            start: start.cast(),
            capacity: capacity.max(1),
            len: 0,
        })
    }

    /// Adds one; false if there is no room.
    pub fn push(&mut self, value: T) -> bool {
        if self.len == self.capacity {
            return false;
        }
        // SAFETY: there is room for that many. [inside]
        let slot = unsafe { self.start.add(self.len) };
        // SAFETY: it lies in pages that are this value's own. [owned, inside]
        unsafe { slot.write(value) };
        self.len += 1;
        true
    }

    /// Where the pages are.
    pub fn addresses(&self) -> Range<usize> {
        let start = self.start.addr().get();
        start..start + round_up(self.capacity * size_of::<T>())
    }

    /// Its pages, for a caller who unmaps them.
    pub fn into_pages(self) -> Pages {
        let list = ManuallyDrop::new(self);
        Pages {
            start: list.start.cast(),
            len: list.addresses().len(),
        }
    }

    pub fn as_slice(&self) -> &[T] {
        // SAFETY: `len` values were written, or are bytes of the room, which were zeros at first; the
        // pages live as long as this. [written, owned]
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

#[allow(dead_code, reason = "only some systems return all mappings at once")]
impl PageList<u8> {
    /// How many bytes there is room for.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// All bytes that there is room for, including those that are not in the list.
    pub fn room(&mut self) -> &mut [u8] {
        // SAFETY: the pages were zeros when they were mapped, live as long as this, and are its own.
        // [owned, values]
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.capacity) }
    }

    /// Makes the list the first `len` bytes of its [room](Self::room).
    pub fn set_len(&mut self, len: usize) {
        self.len = len.min(self.capacity);
    }
}

impl<T> Drop for PageList<T> {
    fn drop(&mut self) {
        let len = self.addresses().len();
        // (If that is refused, at the limit of mappings, they are lost. Callers of `into_pages` can
        // report that to the ledger, which is above this.)
        // SAFETY: the pages are this value's own, and nobody has a reference into them any more.
        // [owned, once]
        let _refused = unsafe { call::munmap(self.start.cast(), len) };
    }
}

// SAFETY: it owns its values, as a vector does; no thread is special to the kernel. [threads]
unsafe impl<T: Send> Send for PageList<T> {}
// SAFETY: shared, it gives out nothing but shared references to them. [threads]
unsafe impl<T: Sync> Sync for PageList<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_its_room() {
        let mut list = PageList::new(3).expect("a page");
        assert!(list.push((1, 2)) && list.push((3, 4)) && list.push((5, 6)));
        assert!(!list.push((7, 8)));
        assert_eq!(list.as_slice(), [(1, 2), (3, 4), (5, 6)]);
        assert!(PageList::<u64>::new(usize::MAX).is_err());
        assert!(PageList::<u64>::new(0).is_ok_and(|mut list| list.push(1)));
    }

    #[test]
    fn bytes_are_filled_from_outside() {
        let mut list = PageList::new(5).expect("a page");
        list.room().copy_from_slice(b"bytes");
        assert_eq!(list.as_slice(), b"");
        list.set_len(4);
        assert_eq!(list.as_slice(), b"byte");
        list.set_len(6);
        assert_eq!(list.as_slice(), b"bytes");
    }
}
