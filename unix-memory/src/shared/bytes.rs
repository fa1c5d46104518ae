//! The bytes of a shared mapping: copying them out and in, setting and moving them.

use core::ops::RangeBounds;

use crate::copy::mechanism::Mechanism;
use crate::copy::{self, CHUNK, Copier, Direction, Stop};
use crate::error::{Arguments, Call, Error, Result};
#[cfg(feature = "std")]
use crate::guard::plain_data::PlainData;
use crate::page::{check_range, check_span, is_inside};
use crate::protection::{Access, Readable, Writable};
use crate::shared::SharedMapping;
use crate::shared::stopped::{stopped, stopped_in};

impl<A: Access> SharedMapping<A> {
    #[inline]
    pub(super) fn address(&self, offset: usize) -> *mut u8 {
        self.region().start().as_ptr().wrapping_add(offset)
    }
}

/// Copying out.
impl<A: Readable> SharedMapping<A> {
    /// Copies `buffer.len()` bytes out of the mapping, from `offset` on.
    ///
    /// If somebody writes to the bytes meanwhile, each byte is either old or new. `offset` is in
    /// bytes from the start of the mapping.
    ///
    /// # Errors
    /// * `EINVAL`: the range does not lie in the mapping; nothing is copied then.
    /// * `EFAULT` with [`Reason::Fault`](crate::Reason::Fault): memory is gone. The reason says how many bytes were copied,
    ///   and where the copy stopped: that many bytes of the buffer are valid.
    /// * `EFAULT` with [`Reason::Kernel`](crate::Reason::Kernel): the buffer itself cannot be written, for example because
    ///   it lies in a mapping that was vouched for, but whose file was truncated nevertheless. If the
    ///   processor copies, this raises the signal that any other access to the buffer would raise.
    /// * `EMFILE`, `ENFILE` and other errors of pipe(2), if no other [`Mechanism`] works.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadOnly};
    /// let zero = std::fs::File::open("/dev/zero")?;
    /// let mapping = MapOptions::new().len(10).map_private(&zero, ReadOnly)?;
    /// let mut bytes = [1; 4];
    /// mapping.read_at(6, &mut bytes)?;
    /// assert_eq!(bytes, [0; 4]);
    /// assert!(mapping.read_at(7, &mut bytes).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn read_at(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        let (len, to) = (buffer.len(), buffer.as_mut_ptr());
        if !is_inside(offset, len, self.len()) {
            return self.read_otherwise(offset, buffer);
        }
        // SAFETY: as for `load`. [inside, access, copied, atomic]
        match unsafe { copy::by_processor(self.address(offset), to, len) } {
            Some(0) => Ok(()),
            Some(left) => self.read_interrupted(offset, buffer, left),
            None => self.read_otherwise(offset, buffer),
        }
    }

    /// [`read_at`](Self::read_at) where the range is not inside, or the kernel copies.
    #[inline(never)]
    fn read_otherwise(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        check_span(Call::Read, offset, buffer.len(), self.len())?;
        let (len, to) = (buffer.len(), buffer.as_mut_ptr());
        // SAFETY: as for `load`. [inside, access, copied, atomic]
        match unsafe { copy::by_kernel(self.address(offset), to, len, Direction::Out) } {
            Ok(()) => Ok(()),
            Err(stop) => Err(stopped_in(Call::Read, offset, len, stop)),
        }
    }

    /// The error of [`read_at`](Self::read_at) where the processor left that many bytes.
    #[cold]
    #[inline(never)]
    fn read_interrupted(&self, offset: usize, buffer: &mut [u8], left: usize) -> Result<()> {
        let (len, to) = (buffer.len(), buffer.as_mut_ptr());
        let (from, done) = (self.address(offset), len - left);
        // SAFETY: the buffer can be written. [borrowed]
        let stop = unsafe { copy::interrupted(from, to, done, Direction::Out) };
        Err(stopped_in(Call::Read, offset, len, stop))
    }

    /// Like [`read_at`](Self::read_at), but only by the given mechanism.
    ///
    /// # Errors
    /// Those of [`read_at`](Self::read_at); `ENOSYS` if the system has no such mechanism
    /// ([`Reason::Unsupported`](crate::Reason::Unsupported)); `ENOTSUP` if the handler is not installed, or is blocked in this
    /// thread ([`Reason::NoHandler`](crate::Reason::NoHandler)); and `ENOSYS`, `EPERM` or another error of a seccomp filter
    /// that forbids it.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, Mechanism, ReadOnly};
    /// let program = std::fs::File::open(std::env::current_exe()?)?;
    /// let mapping = MapOptions::new().len(10).map_shared(&program, ReadOnly)?;
    /// let mut bytes = [1; 4];
    /// mapping.read_at_with(Mechanism::Pipe, 6, &mut bytes)?;
    /// assert_eq!(bytes, mapping.to_vec()?[6..]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_at_with(
        &self,
        mechanism: Mechanism,
        offset: usize,
        buffer: &mut [u8],
    ) -> Result<()> {
        let arguments = Arguments::Range {
            start: offset,
            len: buffer.len(),
        };
        let mut copier = Copier::with(mechanism)
            .map_err(|(errno, reason)| Error::new(Call::Read, errno, arguments, reason))?;
        self.read_by(&mut copier, offset, buffer)
    }

    #[inline]
    fn read_by(&self, copier: &mut Copier, offset: usize, buffer: &mut [u8]) -> Result<()> {
        check_span(Call::Read, offset, buffer.len(), self.len())?;
        let len = buffer.len();
        match self.load(copier, offset, buffer) {
            Ok(()) => Ok(()),
            Err(stop) => Err(stopped_in(Call::Read, offset, len, stop)),
        }
    }

    /// Copies bytes out of a range that was checked to lie in the mapping.
    #[inline]
    pub(super) fn load(
        &self,
        copier: &mut Copier,
        offset: usize,
        buffer: &mut [u8],
    ) -> core::result::Result<(), Stop> {
        debug_assert!(offset + buffer.len() <= self.len());
        // SAFETY: the buffer can be written. The range lies in the mapping, which can be read; the
        // only accesses of Rust's to a shared mapping are atomics, each byte in one size.
        // [inside, access, copied, atomic]
        unsafe { copier.load(self.address(offset), buffer.as_mut_ptr(), buffer.len()) }
    }

    /// Appends `count` values from `offset` on to `values`; after a fault, only those before it.
    ///
    /// # Errors
    /// `ENOMEM` if there is no memory for them; otherwise the errors of [`read_at`](Self::read_at).
    #[cfg(feature = "std")]
    pub(crate) fn append_to<T: PlainData>(
        &self,
        values: &mut std::vec::Vec<T>,
        offset: usize,
        count: usize,
    ) -> Result<()> {
        let len = count.saturating_mul(size_of::<T>());
        check_span(Call::Read, offset, len, self.len())?;
        let arguments = Arguments::Range { start: offset, len };
        values
            .try_reserve_exact(count)
            .map_err(|_| Error::kernel(Call::Read, libc::ENOMEM, arguments))?;
        // Not zeroed first: a mapping with holes may be longer than there is memory for zeros.
        let room = values.spare_capacity_mut()[..count].as_mut_ptr().cast();
        // SAFETY: the vector has room for that many. The range lies in the mapping, as for `load`.
        // [inside, access, copied, atomic]
        let result = unsafe { Copier::new().load(self.address(offset), room, len) };
        let done = result.map_or_else(|stop| stop.done, |()| len);
        let whole = done.checked_div(size_of::<T>()).unwrap_or(count);
        // SAFETY: the bytes of that many values were copied there, and any bytes are a valid value,
        // as `PlainData` says. [values, written]
        unsafe { values.set_len(values.len() + whole) };
        result.map_err(|stop| stopped(Call::Read, arguments, stop, done, offset + done))
    }

    /// Copies the whole mapping.
    ///
    /// # Errors
    /// `ENOMEM`: there is no memory for the copy, for example of a file with many holes. Otherwise
    /// those of [`read_at`](Self::read_at).
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadOnly};
    /// let zero = std::fs::File::open("/dev/zero")?;
    /// let mapping = MapOptions::new().len(10).map_private(&zero, ReadOnly)?;
    /// assert_eq!(mapping.to_vec()?, [0; 10]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "std")]
    pub fn to_vec(&self) -> Result<std::vec::Vec<u8>> {
        let mut bytes = std::vec::Vec::new();
        self.append_to(&mut bytes, 0, self.len())?;
        Ok(bytes)
    }
}

/// Copying in.
impl<A: Writable> SharedMapping<A> {
    /// Copies `bytes` into the mapping, from `offset` on.
    ///
    /// Others see the bytes arrive one by one, in an unspecified order. Bytes beside the range are
    /// never changed, even if others write to them meanwhile. `offset` is in bytes from the start of
    /// the mapping.
    ///
    /// # Errors
    /// * `EINVAL`: the range does not lie in the mapping; nothing is copied then.
    /// * `EFAULT` with [`Reason::Fault`](crate::Reason::Fault): memory is gone. The reason says how many bytes were copied
    ///   before, and where the copy stopped. A few more bytes may have been copied if the memory went
    ///   away meanwhile. Its cause is [`FaultCause::NotWritable`](crate::FaultCause::NotWritable) if the byte can be read: then the file
    ///   was not truncated.
    /// * `EFAULT` with [`Reason::Kernel`](crate::Reason::Kernel): `bytes` itself cannot be read; see
    ///   [`read_at`](Self::read_at).
    /// * `EMFILE`, `ENFILE` and other errors of pipe(2), if no other [`Mechanism`] works.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite};
    /// let mapping = MapOptions::new().len(10).map_anonymous_shared(ReadWrite)?;
    /// mapping.write_at(6, b"last")?;
    /// assert!(mapping.write_at(7, b"last").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn write_at(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        let (len, from) = (bytes.len(), bytes.as_ptr());
        if !is_inside(offset, len, self.len()) {
            return self.write_otherwise(offset, bytes);
        }
        // SAFETY: as for `store`. [inside, access, copied, atomic]
        match unsafe { copy::by_processor(from, self.address(offset), len) } {
            Some(0) => Ok(()),
            Some(left) => self.write_interrupted(offset, bytes, left),
            None => self.write_otherwise(offset, bytes),
        }
    }

    /// [`write_at`](Self::write_at) where the range is not inside, or the kernel copies.
    #[inline(never)]
    fn write_otherwise(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        check_span(Call::Write, offset, bytes.len(), self.len())?;
        let (len, from) = (bytes.len(), bytes.as_ptr());
        // SAFETY: as for `store`. [inside, access, copied, atomic]
        match unsafe { copy::by_kernel(from, self.address(offset), len, Direction::In) } {
            Ok(()) => Ok(()),
            Err(stop) => {
                let error = stopped_in(Call::Write, offset, len, stop);
                Err(self.asked(&mut Copier::new(), error))
            }
        }
    }

    /// The error of [`write_at`](Self::write_at) where the processor left that many bytes.
    #[cold]
    #[inline(never)]
    fn write_interrupted(&self, offset: usize, bytes: &[u8], left: usize) -> Result<()> {
        let (len, from) = (bytes.len(), bytes.as_ptr());
        let (to, done) = (self.address(offset), len - left);
        // SAFETY: the bytes can be read. [borrowed]
        let stop = unsafe { copy::interrupted(from, to, done, Direction::In) };
        let error = stopped_in(Call::Write, offset, len, stop);
        Err(self.asked(&mut Copier::new(), error))
    }

    /// Like [`write_at`](Self::write_at), but only by the given mechanism.
    ///
    /// # Errors
    /// Those of [`write_at`](Self::write_at) and, for the mechanism, of
    /// [`read_at_with`](Self::read_at_with).
    pub fn write_at_with(&self, mechanism: Mechanism, offset: usize, bytes: &[u8]) -> Result<()> {
        let arguments = Arguments::Range {
            start: offset,
            len: bytes.len(),
        };
        let mut copier = Copier::with(mechanism)
            .map_err(|(errno, reason)| Error::new(Call::Write, errno, arguments, reason))?;
        self.write_by(&mut copier, offset, bytes)
    }

    #[inline]
    fn write_by(&self, copier: &mut Copier, offset: usize, bytes: &[u8]) -> Result<()> {
        check_span(Call::Write, offset, bytes.len(), self.len())?;
        match self.store(copier, offset, bytes) {
            Ok(()) => Ok(()),
            Err(stop) => {
                let error = stopped_in(Call::Write, offset, bytes.len(), stop);
                Err(self.asked(copier, error))
            }
        }
    }

    /// Copies bytes into a range that was checked to lie in the mapping.
    #[inline]
    fn store(
        &self,
        copier: &mut Copier,
        offset: usize,
        bytes: &[u8],
    ) -> core::result::Result<(), Stop> {
        debug_assert!(offset + bytes.len() <= self.len());
        // SAFETY: as for `load`, of a mapping that can be written. [inside, access, copied, atomic]
        unsafe { copier.store(bytes, self.address(offset)) }
    }

    /// Sets every byte of `range`, in bytes from the start of the mapping, to `byte`.
    ///
    /// # Errors
    /// Those of [`write_at`](Self::write_at).
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite};
    /// let mapping = MapOptions::new().len(10).map_anonymous_shared(ReadWrite)?;
    /// mapping.fill(8.., b'x')?;
    /// assert_eq!(mapping.to_vec()?, *b"\0\0\0\0\0\0\0\0xx");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "memset")]
    pub fn fill(&self, range: impl RangeBounds<usize>, byte: u8) -> Result<()> {
        let range = check_range(Call::Fill, &range, self.len())?;
        let mut copier = Copier::new();
        // SAFETY: as for `load`, of a mapping that can be written. [inside, access, copied, atomic]
        unsafe { copier.fill(self.address(range.start), range.len(), byte) }.map_err(|stop| {
            let error = stopped_in(Call::Fill, range.start, range.len(), stop);
            self.asked(&mut copier, error)
        })
    }

    /// Copies the bytes of `range` to `to`, both in bytes from the start of the mapping; they may
    /// overlap.
    ///
    /// # Errors
    /// Those of [`write_at`](Self::write_at), for either range. If `to` lies after the start of
    /// `range`, the last bytes are copied first, and those copied before an error are the last ones.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite};
    /// let mapping = MapOptions::new().len(10).map_anonymous_shared(ReadWrite)?;
    /// mapping.write_at(0, b"abcdef")?;
    /// mapping.copy_within(..6, 3)?;
    /// assert_eq!(mapping.to_vec()?, *b"abcabcdef\0");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "memmove")]
    pub fn copy_within(&self, range: impl RangeBounds<usize>, to: usize) -> Result<()> {
        let range = check_range(Call::CopyWithin, &range, self.len())?;
        let (start, len) = (range.start, range.len());
        check_span(Call::CopyWithin, to, len, self.len())?;
        let mut copier = Copier::new();
        let mut buffer = [0; CHUNK];
        let mut done = 0;
        while done < len {
            let buffer = &mut buffer[..CHUNK.min(len - done)];
            // Away from the bytes that are still to be read.
            let offset = if to <= start {
                done
            } else {
                len - done - buffer.len()
            };
            let failed = |stop, more, at| {
                let arguments = Arguments::Move { start, len, to };
                Err(stopped(Call::CopyWithin, arguments, stop, done + more, at))
            };
            let loaded = self.load(&mut copier, start + offset, buffer);
            // The bytes before a fault are the next ones only when copying upward.
            let good = match loaded {
                Ok(()) => buffer.len(),
                Err(stop) if to <= start => stop.done,
                Err(_) => 0,
            };
            if let Err(stop) = self.store(&mut copier, to + offset, &buffer[..good]) {
                let more = if to <= start { stop.done } else { 0 };
                return failed(stop, more, to + offset + stop.done)
                    .map_err(|error| self.asked(&mut copier, error));
            }
            if let Err(stop) = loaded {
                return failed(stop, good, start + offset + stop.done);
            }
            done += good;
        }
        Ok(())
    }
}
