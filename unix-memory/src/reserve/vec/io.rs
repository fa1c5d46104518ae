//! Writing bytes at the end.

use core::ptr;
use std::io;

use super::ReservedVec;

/// Adds bytes at the end: all of them or, with the error of
/// [`try_reserve`](ReservedVec::try_reserve), none.
///
/// ```
/// use std::io::Write;
/// use unix_memory::reserve::ReservedVec;
///
/// let mut text: ReservedVec<u8> = ReservedVec::with_max_capacity(100)?;
/// write!(text, "{} bytes", 7)?;
/// assert_eq!(*text, *b"7 bytes");
/// # Ok::<(), std::io::Error>(())
/// ```
impl io::Write for ReservedVec<u8> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_reserve(bytes.len())?;
        // SAFETY: the length is at most the capacity. [inside]
        let end = unsafe { self.start.add(self.len) };
        // SAFETY: there is room for them behind the elements, of which none can be borrowed.
        // [open, borrowed]
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), end.as_ptr(), bytes.len()) };
        self.len += bytes.len();
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes).map(drop)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
