//! Comparing the bytes of a shared mapping with others.

use core::cmp::Ordering;
use core::mem::MaybeUninit;

use crate::copy::{self, CHUNK, Copier};
use crate::error::{Arguments, Call, Result};
use crate::page::{check_span, is_inside};
use crate::protection::Readable;
use crate::shared::SharedMapping;
use crate::shared::stopped::stopped;

/// Up to this many bytes are compared at once.
const FEW: usize = 64;

impl<A: Readable> SharedMapping<A> {
    /// Returns whether the bytes from `offset` on equal `bytes`.
    ///
    /// # Errors
    /// Those of [`compare_at`](Self::compare_at).
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite};
    /// let mapping = MapOptions::new().len(10).map_anonymous_shared(ReadWrite)?;
    /// mapping.write_at(2, b"magic")?;
    /// assert!(mapping.eq_at(2, b"magic")?);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[inline]
    pub fn eq_at(&self, offset: usize, bytes: &[u8]) -> Result<bool> {
        let mut buffer = [0; FEW];
        if let Some(ours) = self.few(&mut buffer, offset, bytes.len()) {
            return Ok(ours == bytes);
        }
        self.compare_otherwise(offset, bytes).map(Ordering::is_eq)
    }

    /// Compares as many bytes as `bytes` has, from `offset` on, with `bytes`: the first byte that
    /// differs decides, as for slices.
    ///
    /// # Errors
    /// Those of [`read_at`](Self::read_at), if the bytes that could be read do not differ.
    ///
    /// ```
    /// # use std::cmp::Ordering;
    /// # use unix_memory::{MapOptions, ReadWrite};
    /// let mapping = MapOptions::new().len(10).map_anonymous_shared(ReadWrite)?;
    /// mapping.write_at(0, b"abc")?;
    /// assert_eq!(mapping.compare_at(0, b"abd")?, Ordering::Less);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "memcmp")]
    #[inline]
    pub fn compare_at(&self, offset: usize, bytes: &[u8]) -> Result<Ordering> {
        let mut buffer = [0; FEW];
        if let Some(ours) = self.few(&mut buffer, offset, bytes.len()) {
            return Ok(ours.cmp(bytes));
        }
        self.compare_otherwise(offset, bytes)
    }

    /// Copies a few bytes out at once, by the processor, if that is possible and nothing is gone.
    #[inline]
    fn few<'b>(&self, buffer: &'b mut [u8; FEW], offset: usize, len: usize) -> Option<&'b [u8]> {
        let buffer = buffer.get_mut(..len)?;
        if !is_inside(offset, len, self.len()) {
            return None;
        }
        // SAFETY: as for `load`. [inside, access, copied, atomic]
        let left = unsafe { copy::by_processor(self.address(offset), buffer.as_mut_ptr(), len) };
        (left == Some(0)).then_some(buffer)
    }

    /// Compares a piece at a time.
    #[inline(never)]
    fn compare_otherwise(&self, offset: usize, bytes: &[u8]) -> Result<Ordering> {
        check_span(Call::Compare, offset, bytes.len(), self.len())?;
        let mut copier = Copier::new();
        // Not zeroed, which would take as long as comparing.
        let mut buffer = [const { MaybeUninit::<u8>::uninit() }; CHUNK];
        let mut before = 0;
        for theirs in bytes.chunks(CHUNK) {
            let at = offset + before;
            let (from, room) = (self.address(at), buffer.as_mut_ptr().cast());
            // SAFETY: the buffer has room for a chunk; as for `load`.
            // [inside, access, copied, atomic]
            let result = unsafe { copier.load(from, room, theirs.len()) };
            let good = result.map_or_else(|stop| stop.done, |()| theirs.len());
            // SAFETY: that many bytes were copied there. [written]
            let ours = unsafe { core::slice::from_raw_parts(room, good) };
            match ours.cmp(&theirs[..good]) {
                Ordering::Equal => {}
                differs => return Ok(differs),
            }
            if let Err(stop) = result {
                let len = bytes.len();
                let arguments = Arguments::Range { start: offset, len };
                let (done, at) = (before + stop.done, at + stop.done);
                return Err(stopped(Call::Compare, arguments, stop, done, at));
            }
            before += theirs.len();
        }
        Ok(Ordering::Equal)
    }
}
