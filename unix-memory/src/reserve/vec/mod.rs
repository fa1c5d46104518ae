//! A vector that grows into reserved addresses.

mod capacity;
mod grow;
pub mod into_iter;
#[cfg(feature = "std")]
mod io;
mod traits;

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use super::area::Area;
use crate::error::{Arguments, Call, Error, Reason, Result};

/// A vector whose elements never move: it grows into addresses that were reserved for it.
///
/// It derefs to `[T]`, and has the methods of `Vec<T>` that add and remove elements at the end. Its
/// maximum capacity is given when it is made, and takes only addresses. Memory is committed as the
/// vector grows: each time, the capacity doubles, or grows by at least 64 KiB. Capacity that is not
/// used takes no memory.
///
/// `ReservedVec<u8>` is a buffer of bytes, and implements `std::io::Write`.
///
/// Methods that can fail come in two forms, as in the standard library: `try_push`, `try_reserve` and
/// so on return the error, along with their argument; `push`, `reserve` and so on panic.
///
/// * **Addresses**: an element stays where it is until it is removed. (The vector itself may move.)
/// * **Guards** lie before the start and after the end of the reserved addresses, as for a
///   [`Reservation`](super::Reservation).
/// * **Zero-sized elements** take no memory, and have no maximum capacity.
/// * **Limits**: as for a [`Reservation`](super::Reservation). At a limit, growing fails, and the
///   elements stay.
/// * **fork**: a child gets its own copy, and drops its own elements.
///
/// ```
/// use unix_memory::reserve::ReservedVec;
///
/// let mut names = ReservedVec::with_max_capacity(1 << 20)?;
/// names.push(String::from("a"));
/// names.extend(["b", "c"].map(String::from));
/// assert_eq!(*names, ["a", "b", "c"]);
/// assert_eq!(names.pop().as_deref(), Some("c"));
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// A reference to an element must end before another element is pushed. To refer to an element for
/// longer, use an index, or a pointer from [`as_mut_ptr`](Self::as_mut_ptr).
///
/// ```compile_fail,E0499
/// # use unix_memory::reserve::ReservedVec;
/// let mut numbers: ReservedVec<u8> = ReservedVec::with_max_capacity(10)?;
/// numbers.push(1);
/// let first = &mut numbers[0];
/// numbers.push(2);
/// *first = 3;
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[must_use = "it is unmapped when it is dropped"]
pub struct ReservedVec<T> {
    area: Area,
    /// The address of the first element: that of the area or, if nothing is reserved because elements
    /// have no bytes, any aligned address.
    start: NonNull<T>,
    /// The number of open bytes from the start on, in whole pages.
    committed: usize,
    /// How many elements fit into these bytes.
    capacity: usize,
    len: usize,
    elements: PhantomData<T>,
}

impl<T> ReservedVec<T> {
    /// Reserves addresses for at least `max_capacity` elements, and no memory.
    ///
    /// Source: mmap(2), POSIX.1-2024.
    ///
    /// # Errors
    /// Those of [`Reservation::new`](super::Reservation::new); reserving zero bytes, as for zero-sized
    /// elements, never fails.
    ///
    /// # Platform
    /// Those of [`Reservation::new`](super::Reservation::new): not available where protections are
    /// not enforced.
    ///
    /// ```
    /// use unix_memory::reserve::ReservedVec;
    ///
    /// let numbers: ReservedVec<u32> = ReservedVec::with_max_capacity(1000)?;
    /// assert!(numbers.is_empty() && numbers.capacity() == 0 && numbers.max_capacity() >= 1000);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mmap")]
    pub fn with_max_capacity(max_capacity: usize) -> Result<Self> {
        let bytes = max_capacity.saturating_mul(size_of::<T>());
        let area = Area::new(bytes, align_of::<T>())?;
        let start = if area.len() == 0 {
            NonNull::dangling()
        } else {
            area.start().cast()
        };
        Ok(Self {
            area,
            start,
            committed: 0,
            capacity: Self::fit(0),
            len: 0,
            elements: PhantomData,
        })
    }

    /// How many elements fit into this many bytes.
    const fn fit(bytes: usize) -> usize {
        match bytes.checked_div(size_of::<T>()) {
            Some(elements) => elements,
            None => usize::MAX,
        }
    }

    /// Returns the address of the first element, which never changes.
    #[must_use]
    pub const fn as_ptr(&self) -> *const T {
        self.start.as_ptr()
    }

    /// Returns the address of the first element, for writing.
    ///
    /// A pointer made from this one, rather than from a slice, stays valid until its own element is
    /// removed, even while other elements are added. A slice of the vector, in contrast, borrows all
    /// elements.
    #[must_use]
    pub const fn as_mut_ptr(&mut self) -> *mut T {
        self.start.as_ptr()
    }

    /// Returns the elements.
    #[must_use]
    pub const fn as_slice(&self) -> &[T] {
        // SAFETY: this many elements were written, into open pages; the address is aligned, because
        // the area was asked for so, and they have at most `isize::MAX` bytes, because the
        // reservation has. They are changed only through an exclusive borrow of `self`.
        // [written, open, borrowed]
        unsafe { core::slice::from_raw_parts(self.as_ptr(), self.len) }
    }

    /// Returns the elements, for writing.
    #[must_use]
    pub const fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as for `as_slice`; the borrow is exclusive. [written, open, borrowed]
        unsafe { core::slice::from_raw_parts_mut(self.as_mut_ptr(), self.len) }
    }

    /// Returns the committed room after the elements; its length is [`capacity`](Self::capacity)
    /// minus the length of the vector. Write to it, then include the elements with
    /// [`set_len`](Self::set_len).
    ///
    /// ```
    /// use unix_memory::reserve::ReservedVec;
    ///
    /// let mut numbers = ReservedVec::with_max_capacity(10)?;
    /// numbers.reserve(2);
    /// numbers.spare_capacity_mut()[0].write(5);
    /// // SAFETY: one element was written.
    /// unsafe { numbers.set_len(1) };
    /// assert_eq!(*numbers, [5]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[must_use]
    pub fn spare_capacity_mut(&mut self) -> &mut [MaybeUninit<T>] {
        let spare = self.capacity - self.len;
        // SAFETY: the length is at most the capacity. [inside]
        let end = unsafe { self.start.add(self.len) };
        // SAFETY: these pages are open, and need not hold values; the rest is as for `as_mut_slice`.
        // [open, borrowed]
        unsafe { core::slice::from_raw_parts_mut(end.as_ptr().cast(), spare) }
    }

    /// Sets the number of elements.
    ///
    /// # Safety
    /// It is at most the [`capacity`](Self::capacity), and that many elements hold values.
    pub const unsafe fn set_len(&mut self, len: usize) {
        self.len = len;
    }

    /// Keeps the first `len` elements, and drops the others. If there are no more than that, this
    /// does nothing. Memory stays committed.
    ///
    /// ```
    /// use unix_memory::reserve::ReservedVec;
    ///
    /// let mut numbers = ReservedVec::with_max_capacity(10)?;
    /// numbers.extend([1, 2, 3]);
    /// numbers.truncate(1);
    /// assert_eq!(*numbers, [1]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn truncate(&mut self, len: usize) {
        let Some(surplus) = self.len.checked_sub(len) else {
            return;
        };
        // They are gone, even if dropping one panics.
        self.len = len;
        // SAFETY: `len` is at most what the length was. [inside]
        let first = unsafe { self.start.add(len) };
        let gone = ptr::slice_from_raw_parts_mut(first.as_ptr(), surplus);
        // SAFETY: these were elements, and no longer are. [written, once]
        unsafe { gone.drop_in_place() };
    }

    /// Drops all elements. Memory stays committed.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Removes the last element, and returns it.
    pub const fn pop(&mut self) -> Option<T> {
        let Some(last) = self.len.checked_sub(1) else {
            return None;
        };
        self.len = last;
        // SAFETY: it is less than what the length was. [inside]
        let place = unsafe { self.start.add(last) };
        // SAFETY: it was an element, and no longer is. [written, once]
        Some(unsafe { place.read() })
    }

    /// The error for more elements than are reserved: `elements`, which may be too many to count.
    #[cold]
    const fn too_many(&self, elements: Option<usize>) -> Error {
        let bytes = match elements {
            Some(elements) => elements.checked_mul(size_of::<T>()),
            None => None,
        };
        let (arguments, reason) = match bytes {
            Some(bytes) => (
                Arguments::Length(bytes),
                Reason::ReservedLength(self.area.len()),
            ),
            None => (Arguments::None, Reason::ElementsLimit(self.max_capacity())),
        };
        Error::new(Call::Resize, libc::ENOMEM, arguments, reason)
    }
}

impl<T> Drop for ReservedVec<T> {
    fn drop(&mut self) {
        // If dropping an element panics, the others are dropped all the same, and the area is
        // unmapped.
        self.clear();
    }
}

// SAFETY: it owns its elements, as a `Vec` does. [threads]
unsafe impl<T: Send> Send for ReservedVec<T> {}
// SAFETY: as above; a shared reference to it gives only shared references to them. [threads]
unsafe impl<T: Sync> Sync for ReservedVec<T> {}
