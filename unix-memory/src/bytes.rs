//! The bytes of a shared mapping: copied out and in, set, moved, compared.

use core::cmp::Ordering;
use core::ops::RangeBounds;

use crate::copy::{CHUNK, Copier, Stop};
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::fault::Mechanism;
use crate::page::{check_range, check_span};
use crate::protection::{Access, Readable, Writable};
use crate::shared::SharedMapping;

/// What a copy that stopped is told as: `done` bytes were done, and the byte at `at` was not.
#[cold]
const fn stopped(call: Call, arguments: Arguments, stop: Stop, done: usize, at: usize) -> Error {
    let reason = match stop.errno {
        libc::EFAULT if stop.is_there => Reason::Buffer { done },
        libc::EFAULT => Reason::Fault { done, at },
        _ => Reason::Kernel,
    };
    Error::new(call, stop.errno, arguments, reason)
}

impl<A: Access> SharedMapping<A> {
    fn copier(&self) -> Copier {
        // Whatever others do, what is private and anonymous is there. Nothing else is certain to be:
        // memory without a file has one in /proc/self/map_files, which root can truncate; that
        // nobody can truncate a memfd does not mean that there is memory for a page of it.
        Copier::new(!self.region().is_private_anonymous())
    }

    fn address(&self, offset: usize) -> *mut u8 {
        self.region().start().as_ptr().wrapping_add(offset)
    }
}

/// Copies out.
impl<A: Readable> SharedMapping<A> {
    /// Copies `buffer.len()` bytes from `offset` on out of the mapping.
    ///
    /// Bytes that somebody writes meanwhile come old or new, each at its own time. `offset` is in
    /// bytes from the start of the mapping.
    ///
    /// # Errors
    /// * `EINVAL`: the range does not lie in the mapping; nothing is copied then.
    /// * `EFAULT`: memory is gone ([`Reason::Fault`], which tells how far it got and where: so many
    ///   bytes of the buffer are good); or the memory of `buffer` is ([`Reason::Buffer`]).
    /// * `EMFILE`, `ENFILE` and others of pipe(2), where no other [`Mechanism`] works.
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
    pub fn read_at(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        self.read_by(&mut self.copier(), offset, buffer)
    }

    /// As [`read_at`](Self::read_at), by that mechanism and no other.
    ///
    /// # Errors
    /// As [`read_at`](Self::read_at); and `ENOSYS` where the system has no such mechanism
    /// ([`Reason::Unsupported`]), `ENOTSUP` where the handler is not installed, or blocked in this
    /// thread ([`Reason::NoHandler`]), `ENOSYS` or `EPERM`, or what else it says, where a seccomp
    /// filter forbids it.
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

    fn read_by(&self, copier: &mut Copier, offset: usize, buffer: &mut [u8]) -> Result<()> {
        check_span(Call::Read, offset, buffer.len(), self.len())?;
        let len = buffer.len();
        self.load(copier, offset, buffer).map_err(|stop| {
            let arguments = Arguments::Range { start: offset, len };
            stopped(Call::Read, arguments, stop, stop.done, offset + stop.done)
        })
    }

    /// Copies bytes out of a range that lies in the mapping.
    fn load(
        &self,
        copier: &mut Copier,
        offset: usize,
        buffer: &mut [u8],
    ) -> core::result::Result<(), Stop> {
        debug_assert!(offset + buffer.len() <= self.len());
        // SAFETY: the range lies in the mapping, which can be read; of Rust's accesses to a shared
        // mapping there are only atomics, each byte in one size. It may be gone, unless it is private
        // and anonymous, which `copier` knows.
        unsafe { copier.load(self.address(offset), buffer) }
    }

    /// Copies the whole mapping.
    ///
    /// # Errors
    /// As [`read_at`](Self::read_at); `ENOMEM` with [`Reason::Allocation`] where there is no memory for
    /// so many bytes.
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
        self.copy_of(0, self.len())
    }

    /// Copies a range that lies in the mapping.
    #[cfg(feature = "std")]
    pub(crate) fn copy_of(&self, offset: usize, len: usize) -> Result<std::vec::Vec<u8>> {
        debug_assert!(offset + len <= self.len());
        let arguments = Arguments::Range { start: offset, len };
        let mut bytes = std::vec::Vec::new();
        bytes.try_reserve_exact(len).map_err(|_no_memory| {
            Error::new(Call::Read, libc::ENOMEM, arguments, Reason::Allocation(len))
        })?;
        // SAFETY: as for `load`; the vector has room for so many bytes.
        unsafe {
            self.copier()
                .load_new(self.address(offset), bytes.as_mut_ptr(), len)
        }
        .map_err(|stop| stopped(Call::Read, arguments, stop, stop.done, offset + stop.done))?;
        // SAFETY: they were copied.
        unsafe { bytes.set_len(len) };
        Ok(bytes)
    }

    /// Whether the bytes from `offset` on equal `bytes`.
    ///
    /// # Errors
    /// As [`compare_at`](Self::compare_at).
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite};
    /// let mapping = MapOptions::new().len(10).map_anonymous_shared(ReadWrite)?;
    /// mapping.write_at(2, b"magic")?;
    /// assert!(mapping.eq_at(2, b"magic")?);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn eq_at(&self, offset: usize, bytes: &[u8]) -> Result<bool> {
        self.compare_at(offset, bytes).map(Ordering::is_eq)
    }

    /// How the bytes from `offset` on, as many as `bytes` has, compare with `bytes`: by the first
    /// that differs, as slices do.
    ///
    /// # Errors
    /// As [`read_at`](Self::read_at), where what could be read does not differ.
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
    pub fn compare_at(&self, offset: usize, bytes: &[u8]) -> Result<Ordering> {
        check_span(Call::Compare, offset, bytes.len(), self.len())?;
        let mut copier = self.copier();
        let mut buffer = [0; CHUNK];
        let mut before = 0;
        for theirs in bytes.chunks(CHUNK) {
            let ours = &mut buffer[..theirs.len()];
            let at = offset + before;
            let result = self.load(&mut copier, at, ours);
            let good = result.map_or_else(|stop| stop.done, |()| theirs.len());
            match ours[..good].cmp(&theirs[..good]) {
                Ordering::Equal => {}
                differs => return Ok(differs),
            }
            result.map_err(|stop| {
                let len = bytes.len();
                let arguments = Arguments::Range { start: offset, len };
                let done = before + stop.done;
                stopped(Call::Compare, arguments, stop, done, at + stop.done)
            })?;
            before += theirs.len();
        }
        Ok(Ordering::Equal)
    }
}

/// Copies in.
impl<A: Writable> SharedMapping<A> {
    /// Copies `bytes` into the mapping, from `offset` on.
    ///
    /// Others see it come byte by byte, in no promised order. Where the processor copies
    /// ([`Mechanism::Handler`]), each byte is stored once. Bytes beside the range are never
    /// changed, also when others write to them meanwhile. `offset` is in bytes from the start of
    /// the mapping.
    ///
    /// # Errors
    /// * `EINVAL`: the range does not lie in the mapping; nothing is copied then.
    /// * `EFAULT`: memory is gone ([`Reason::Fault`], which tells how many bytes were copied before
    ///   and where it ended), or the memory of `bytes` is ([`Reason::Buffer`]). Some bytes more may
    ///   have been copied, if the memory went meanwhile.
    /// * `EMFILE`, `ENFILE` and others of pipe(2), where no other [`Mechanism`] works.
    ///
    /// ```
    /// # use unix_memory::{MapOptions, ReadWrite};
    /// let mapping = MapOptions::new().len(10).map_anonymous_shared(ReadWrite)?;
    /// mapping.write_at(6, b"last")?;
    /// assert!(mapping.write_at(7, b"last").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_at(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        self.write_by(&mut self.copier(), offset, bytes)
    }

    /// As [`write_at`](Self::write_at), by that mechanism and no other.
    ///
    /// # Errors
    /// As [`write_at`](Self::write_at); and, for the mechanism, as
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

    fn write_by(&self, copier: &mut Copier, offset: usize, bytes: &[u8]) -> Result<()> {
        check_span(Call::Write, offset, bytes.len(), self.len())?;
        self.store(copier, offset, bytes).map_err(|stop| {
            let len = bytes.len();
            let arguments = Arguments::Range { start: offset, len };
            stopped(Call::Write, arguments, stop, stop.done, offset + stop.done)
        })
    }

    /// Copies bytes into a range that lies in the mapping.
    fn store(
        &self,
        copier: &mut Copier,
        offset: usize,
        bytes: &[u8],
    ) -> core::result::Result<(), Stop> {
        debug_assert!(offset + bytes.len() <= self.len());
        // SAFETY: as for `load`, of a mapping that can be written.
        unsafe { copier.store(bytes, self.address(offset)) }
    }

    /// Sets every byte of `range`, in bytes from the start of the mapping, to `byte`.
    ///
    /// # Errors
    /// As [`write_at`](Self::write_at).
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
        // SAFETY: as for `load`, of a mapping that can be written.
        unsafe {
            self.copier()
                .fill(self.address(range.start), range.len(), byte)
        }
        .map_err(|stop| {
            let (arguments, done) = (Arguments::range(&range), stop.done);
            stopped(Call::Fill, arguments, stop, done, range.start + done)
        })
    }

    /// Copies the bytes of `range` to `to` and on, both in bytes from the start of the mapping; they
    /// may overlap.
    ///
    /// # Errors
    /// As [`write_at`](Self::write_at), of either range. Where `to` lies after the start of `range`,
    /// the last bytes are copied first, and those that were copied before an error are the last.
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
        let mut copier = self.copier();
        let mut buffer = [0; CHUNK];
        let mut done = 0;
        while done < len {
            let buffer = &mut buffer[..CHUNK.min(len - done)];
            // Away from what is still to be read.
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
            // The bytes before a fault are the next ones only on the way up.
            let good = match loaded {
                Ok(()) => buffer.len(),
                Err(stop) if to <= start => stop.done,
                Err(_) => 0,
            };
            if let Err(stop) = self.store(&mut copier, to + offset, &buffer[..good]) {
                let more = if to <= start { stop.done } else { 0 };
                return failed(stop, more, to + offset + stop.done);
            }
            if let Err(stop) = loaded {
                return failed(stop, good, start + offset + stop.done);
            }
            done += good;
        }
        Ok(())
    }
}
