//! The ends of a ring within one process, which return slices.

use std::sync::Arc;

use super::end::{ConsumerEnd, End, ProducerEnd};
use super::memory::{Memory, round_up};
use crate::error::{Call, Result};

/// Makes a ring of at least `capacity` bytes, and returns its two ends, each of which may move to a
/// thread of its own. See the [module](super) for how the capacity is rounded up.
///
/// # Errors
/// `ENOMEM`: a capacity that cannot be mapped twice
/// ([`Reason::LengthLimit`](crate::Reason::LengthLimit)); and the errors of
/// [`SharedMemory::unnamed`](crate::SharedMemory::unnamed) and
/// [`MapOptions::map_shared`](crate::MapOptions::map_shared); `EEXIST` with
/// [`Reason::Occupied`](crate::Reason::Occupied) if other threads took every place.
///
/// ```
/// use std::io::{Read, Write};
///
/// let (mut producer, mut consumer) = unix_memory::ring::pair(1 << 16)?;
/// let writer = std::thread::spawn(move || producer.write_all(b"from another thread"));
/// writer.join().unwrap()?;
/// let mut text = String::new();
/// consumer.read_to_string(&mut text)?;
/// assert_eq!(text, "from another thread");
/// # Ok::<(), std::io::Error>(())
/// ```
#[doc(alias = "ring buffer")]
#[doc(alias = "circular buffer")]
pub fn pair(capacity: usize) -> Result<(Producer, Consumer)> {
    let memory = Arc::new(Memory::alone(round_up(capacity)?)?);
    let producer = End::new(Arc::clone(&memory))?;
    let consumer = End::new(memory)?;
    Ok((Producer { end: producer }, Consumer { end: consumer }))
}

/// The end of a ring that writes bytes into it.
///
/// [`pair`] returns it. It implements [`std::io::Write`].
///
/// Keeping a slot after committing it does not compile:
///
/// ```compile_fail,E0499
/// let (mut producer, consumer) = unix_memory::ring::pair(100)?;
/// let slot = producer.slot();
/// producer.commit(1)?;
/// slot[0] = 1;
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "the ring is closed when it is dropped"]
pub struct Producer {
    pub(super) end: ProducerEnd,
}

impl Producer {
    /// Returns how many bytes the ring holds when it is full.
    #[must_use]
    #[inline]
    pub fn capacity(&self) -> usize {
        self.end.capacity()
    }

    /// Returns all the space that is free now, as one slice. Write to it from its start, then pass it
    /// to the consumer with [`commit`](Self::commit). Until then it holds bytes left over from
    /// earlier use.
    ///
    /// ```
    /// let (mut producer, consumer) = unix_memory::ring::pair(100)?;
    /// assert_eq!(producer.slot().len(), producer.capacity());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[inline]
    pub fn slot(&mut self) -> &mut [u8] {
        // Empty if the caller vouched for another process that does not follow the protocol.
        let len = self.end.refresh().unwrap_or(0);
        self.known_slot(len)
    }

    /// Returns the first `len` bytes of the end, which has that many.
    #[inline]
    fn known_slot(&mut self, len: usize) -> &mut [u8] {
        debug_assert!(len <= self.end.bytes());
        let region = self.end.memory().mapping().region();
        let start = region.start().as_ptr().wrapping_add(self.end.offset());
        // SAFETY: the bytes lie in the mapping, which lives as long as `self`: at most a capacity of
        // them from a place in the first copy, and there are two copies. They are free, so the
        // consumer does not touch them before they are committed, which takes `&mut self`; nobody
        // else has the memory, or the caller of `assume_honest_peer` vouched for those who do. The
        // same bytes have other addresses in the other copy: between an access here and one there,
        // each end has given them away and got them back, by a Release and an Acquire, across which
        // the compiler assumes nothing about memory that another thread could have changed.
        // [ends, inside]
        unsafe { core::slice::from_raw_parts_mut(start, len) }
    }

    /// Gives the first `n` bytes of [`slot`](Self::slot) to the consumer.
    ///
    /// # Errors
    /// `EINVAL` with [`Reason::RingBytes`](crate::Reason::RingBytes) if fewer bytes are known to be free:
    /// at least those of the last slot are. None is given then.
    #[inline]
    pub fn commit(&mut self, n: usize) -> Result<()> {
        self.end.advance(Call::Commit, n)
    }

    /// Copies as much of `bytes` into the ring as there is free space for, commits it to the
    /// consumer, and returns how many bytes that was.
    ///
    /// ```
    /// let (mut producer, mut consumer) = unix_memory::ring::pair(100)?;
    /// assert_eq!(producer.push_slice(b"all of it"), 9);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[inline]
    pub fn push_slice(&mut self, bytes: &[u8]) -> usize {
        let free = self.end.bytes_for(bytes.len()).unwrap_or(0);
        if bytes.is_empty() || free < bytes.len() {
            return self.push_first(free, bytes);
        }
        // The length is the caller's own, which may be a constant.
        self.known_slot(bytes.len()).copy_from_slice(bytes);
        self.end.give(bytes.len());
        bytes.len()
    }

    /// Like [`push_slice`](Self::push_slice), for the first `free` of the bytes, which there is space
    /// for.
    #[inline(never)]
    fn push_first(&mut self, free: usize, bytes: &[u8]) -> usize {
        let n = free.min(bytes.len());
        if n != 0 {
            self.known_slot(n).copy_from_slice(&bytes[..n]);
            self.end.give(n);
        }
        n
    }

    /// Returns whether the consumer was dropped, so that nobody will read what is written from now
    /// on.
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.end.is_closed()
    }
}

/// The end of a ring that reads bytes from it.
///
/// [`pair`] returns it. It implements [`std::io::Read`] and [`std::io::BufRead`].
///
/// Keeping bytes after consuming them does not compile:
///
/// ```compile_fail,E0499
/// let (producer, mut consumer) = unix_memory::ring::pair(100)?;
/// let available = consumer.available();
/// consumer.consume(0)?;
/// println!("{available:?}");
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "the ring is closed when it is dropped"]
pub struct Consumer {
    pub(super) end: ConsumerEnd,
}

impl Consumer {
    /// Returns how many bytes the ring holds when it is full.
    #[must_use]
    #[inline]
    pub fn capacity(&self) -> usize {
        self.end.capacity()
    }

    /// Returns all bytes that the producer has committed, as one slice. They stay until
    /// [`consume`](Self::consume).
    ///
    /// ```
    /// let (mut producer, mut consumer) = unix_memory::ring::pair(100)?;
    /// assert!(consumer.available().is_empty());
    /// producer.push_slice(b"some");
    /// assert_eq!(consumer.available(), b"some");
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[inline]
    pub fn available(&mut self) -> &[u8] {
        // Empty if the caller vouched for another process that does not follow the protocol.
        let len = self.end.refresh().unwrap_or(0);
        self.known(len)
    }

    /// Returns the first `len` bytes of the end, which has that many.
    #[inline]
    fn known(&self, len: usize) -> &[u8] {
        debug_assert!(len <= self.end.bytes());
        let start = self.end.memory().mapping().as_ptr();
        let start = start.wrapping_add(self.end.offset());
        // SAFETY: as for the producer's slot; the bytes are filled, so the producer does not touch
        // them before they are consumed, which takes `&mut self`. [ends, inside]
        unsafe { core::slice::from_raw_parts(start, len) }
    }

    /// Gives the first `n` bytes of [`available`](Self::available) back to the producer, as free
    /// space.
    ///
    /// # Errors
    /// `EINVAL` with [`Reason::RingBytes`](crate::Reason::RingBytes) for more than were last
    /// available; none is given back then.
    #[inline]
    pub fn consume(&mut self, n: usize) -> Result<()> {
        self.end.advance(Call::Consume, n)
    }

    /// Copies as many bytes as are available and fit into `buffer`, consumes them, and returns how
    /// many that was.
    ///
    /// ```
    /// let (mut producer, mut consumer) = unix_memory::ring::pair(100)?;
    /// producer.push_slice(b"some");
    /// let mut buffer = [0; 10];
    /// assert_eq!(consumer.pop_slice(&mut buffer), 4);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[inline]
    pub fn pop_slice(&mut self, buffer: &mut [u8]) -> usize {
        let filled = self.end.bytes_for(buffer.len()).unwrap_or(0);
        if buffer.is_empty() || filled < buffer.len() {
            return self.pop_first(filled, buffer);
        }
        // As in `push_slice`.
        buffer.copy_from_slice(self.known(buffer.len()));
        self.end.give(buffer.len());
        buffer.len()
    }

    /// Like [`pop_slice`](Self::pop_slice), for the first `filled` bytes, which are available.
    #[inline(never)]
    fn pop_first(&mut self, filled: usize, buffer: &mut [u8]) -> usize {
        let n = filled.min(buffer.len());
        if n != 0 {
            buffer[..n].copy_from_slice(self.known(n));
            self.end.give(n);
        }
        n
    }

    /// Returns whether the producer was dropped, so that nothing will follow what is available now.
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.end.is_closed()
    }
}

static_assertions::assert_impl_all!(Producer: Send, Sync, Unpin);
static_assertions::assert_impl_all!(Consumer: Send, Sync, Unpin);
