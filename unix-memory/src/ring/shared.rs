//! A ring between two processes, whose ends copy.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::end::{ConsumerEnd, End, ProducerEnd};
use super::memory::{Memory, round_up, unit};
use super::pair::{Consumer, Producer};
use crate::copy;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::map::facts::Facts;
use crate::object::fixed::{check_fixed_len, fixed_len};
use crate::object::shared_memory::{SharedMemory, clone};

/// The first bytes of a ring's memory: a name and a version, followed by the width of its numbers.
const MAGIC: [u8; 8] = *b"umring\x01\x00";

/// The first bytes of a ring's memory.
fn magic() -> [u8; 8] {
    let mut magic = MAGIC;
    #[allow(clippy::cast_possible_truncation, reason = "a few bytes")]
    {
        magic[7] = size_of::<usize>() as u8;
    }
    magic
}

/// A ring between two processes. One process [creates](Self::create) it and sends its descriptor
/// (`AsFd`) to the other, which [opens](Self::open) it; then each takes its end.
///
/// There must be one producer and one consumer. If two processes take the same end, bytes are lost
/// and mixed up, but nothing worse happens. If a process dies with its end, another process can open
/// the ring and take that end again; it continues at the same position.
///
/// * **Trust**: the other process can put anything into the ring, stop, and write to all of its
///   memory. It cannot make this process read or write outside the ring.
/// * **Truncation**: on Linux, Android and FreeBSD seals prevent everybody from shortening the
///   memory. Elsewhere the other process can shorten it.
/// * **Running out of memory**: pages are allocated when they are first used, and the other process
///   can give them back by punching a hole. If the system then has none left, or limits what it
///   promises (`vm.overcommit_memory=2`), a copy fails with `EFAULT` ([`Reason::Fault`]). But the
///   numbers that record how much is filled are used in place. Their page is allocated from the
///   start; if the other process gives it back and no memory is left, using the ring raises SIGBUS.
///
/// ```
/// use unix_memory::ring::SharedRing;
///
/// let ring = SharedRing::create(1 << 16)?;
/// // As if another process had received the descriptor.
/// let mut consumer = SharedRing::open(&ring)?.into_consumer()?;
/// let mut producer = ring.into_producer()?;
///
/// assert_eq!(producer.push_slice(b"over there")?, 10);
/// let mut buffer = [0; 20];
/// assert_eq!(consumer.pop_slice(&mut buffer)?, 10);
/// # Ok::<(), unix_memory::Error>(())
/// ```
pub struct SharedRing {
    object: SharedMemory,
    memory: Memory,
}

impl SharedRing {
    /// Makes an empty ring of at least `capacity` bytes, rounded up as the [module](super) describes.
    ///
    /// # Errors
    /// Those of [`pair`](super::pair).
    pub fn create(capacity: usize) -> Result<Self> {
        let capacity = round_up(capacity)?;
        let object = fixed_len((unit() + capacity) as u64)?;
        let memory = Memory::map(&object, capacity)?;
        memory.mapping().write_at(0, &magic())?;
        Ok(Self { object, memory })
    }

    /// Opens the ring behind a descriptor that another process has sent.
    ///
    /// # Errors
    /// * `EINVAL` with [`Reason::NoRing`]: the memory does not hold a ring that this program
    ///   understands.
    /// * `EPERM` with [`Reason::SealsMissing`], or `EINVAL` with [`Reason::NotSealable`], on Linux,
    ///   Android and FreeBSD: somebody could shorten the memory.
    /// * `EACCES`: the descriptor is not open for reading and writing.
    /// * Those of [`pair`](super::pair).
    pub fn open(fd: impl AsFd) -> Result<Self> {
        let object = SharedMemory::from(clone(fd.as_fd())?);
        check_fixed_len(&object)?;
        let no_ring = Error::new(Call::Ring, libc::EINVAL, Arguments::None, Reason::NoRing);
        let facts = Facts::of(object.as_fd())?;
        if facts.huge_page.is_some() {
            // The header, or the bytes, could not be mapped.
            return Err(no_ring);
        }
        let len = usize::try_from(facts.len).map_err(|_| no_ring)?;
        let capacity = len.checked_sub(unit()).ok_or(no_ring)?;
        if capacity == 0 || round_up(capacity) != Ok(capacity) {
            return Err(no_ring);
        }
        let memory = Memory::map(&object, capacity)?;
        let mut found = [0; 8];
        memory.mapping().read_at(0, &mut found)?;
        if found != magic() {
            return Err(no_ring);
        }
        Ok(Self { object, memory })
    }

    /// Returns how many bytes the ring holds when it is full.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.memory.capacity()
    }

    /// Takes the end that writes bytes into the ring. The descriptor is closed.
    ///
    /// # Errors
    /// `EIO` with [`Reason::RingPeer`]: the positions in the memory are impossible; somebody
    /// overwrote them.
    pub fn into_producer(self) -> Result<SharedProducer> {
        let end = End::new(Arc::new(self.memory))?;
        Ok(SharedProducer { end })
    }

    /// Takes the end that reads bytes from the ring. The descriptor is closed.
    ///
    /// # Errors
    /// Those of [`into_producer`](Self::into_producer).
    pub fn into_consumer(self) -> Result<SharedConsumer> {
        let end = End::new(Arc::new(self.memory))?;
        Ok(SharedConsumer { end })
    }
}

impl AsFd for SharedRing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.object.as_fd()
    }
}

impl From<SharedRing> for OwnedFd {
    fn from(ring: SharedRing) -> Self {
        ring.object.into()
    }
}

impl core::fmt::Debug for SharedRing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SharedRing")
            .field("object", &self.object)
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

/// The end of a [`SharedRing`] that writes bytes into it. It implements [`std::io::Write`].
#[derive(Debug)]
#[must_use = "the ring is closed when it is dropped"]
pub struct SharedProducer {
    end: ProducerEnd,
}

impl SharedProducer {
    /// Returns how many bytes the ring holds when it is full.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.end.capacity()
    }

    /// Copies as much of `bytes` into the ring as there is free space for, commits it to the
    /// consumer, and returns how many bytes that was.
    ///
    /// # Errors
    /// `EIO` with [`Reason::RingPeer`]: the consumer does not follow the protocol. Nothing is copied.
    #[inline]
    pub fn push_slice(&mut self, bytes: &[u8]) -> Result<usize> {
        let Some(free) = self.end.bytes_for(bytes.len()) else {
            return Err(self.end.fault());
        };
        let n = free.min(bytes.len());
        let offset = self.end.offset();
        let start = self.end.memory().mapping().region().start();
        let to = start.as_ptr().wrapping_add(offset);
        // SAFETY: at most a capacity of bytes from a place in the first copy lie in the mapping, since
        // there are two copies; it can be written, and Rust accesses no byte of it but the numbers of
        // the header. [inside, access, copied, atomic]
        if unsafe { copy::by_processor(bytes.as_ptr(), to, n) } != Some(0) {
            // The bytes are not given to the other end yet, so they may be stored again.
            self.end.memory().mapping().write_at(offset, &bytes[..n])?;
        }
        self.end.give(n);
        Ok(n)
    }

    /// Returns whether the consumer was dropped, or claims to be.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.end.is_closed()
    }

    /// Vouches for the other process, and returns the producer that has slices.
    ///
    /// # Safety
    /// As long as the result lives:
    /// * nobody else writes to bytes that are free, and only the one consumer writes to the numbers
    ///   of its end: in any process, through any descriptor or mapping of the memory;
    /// * the consumer is one of this crate's, or follows the same protocol;
    /// * nobody truncates the memory, or punches a hole into it.
    ///
    /// ```
    /// use unix_memory::ring::SharedRing;
    ///
    /// let ring = SharedRing::create(100)?;
    /// let consumer = SharedRing::open(&ring)?.into_consumer()?;
    /// // SAFETY: both ends belong to this program, and nobody else has the memory.
    /// let mut producer = unsafe { ring.into_producer()?.assume_honest_peer() };
    /// producer.slot()[0] = 1;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub unsafe fn assume_honest_peer(self) -> Producer {
        Producer { end: self.end }
    }
}

/// The end of a [`SharedRing`] that reads bytes from it. It implements [`std::io::Read`].
#[derive(Debug)]
#[must_use = "the ring is closed when it is dropped"]
pub struct SharedConsumer {
    end: ConsumerEnd,
}

impl SharedConsumer {
    /// Returns how many bytes the ring holds when it is full.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.end.capacity()
    }

    /// Copies as many bytes as are available and fit into `buffer`, consumes them, and returns how
    /// many that was.
    ///
    /// # Errors
    /// `EIO` with [`Reason::RingPeer`]: the producer does not follow the protocol. Nothing is copied.
    #[inline]
    pub fn pop_slice(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let Some(filled) = self.end.bytes_for(buffer.len()) else {
            return Err(self.end.fault());
        };
        let n = filled.min(buffer.len());
        let offset = self.end.offset();
        let start = self.end.memory().mapping().region().start();
        let from = start.as_ptr().wrapping_add(offset);
        // SAFETY: as for the producer; the buffer has room for that many.
        // [inside, access, copied, atomic]
        if unsafe { copy::by_processor(from, buffer.as_mut_ptr(), n) } != Some(0) {
            self.end
                .memory()
                .mapping()
                .read_at(offset, &mut buffer[..n])?;
        }
        self.end.give(n);
        Ok(n)
    }

    /// Returns whether the producer was dropped, or claims to be. Bytes that it gave before remain
    /// available.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.end.is_closed()
    }

    /// Vouches for the other process, and returns the consumer that has slices.
    ///
    /// # Safety
    /// As long as the result lives:
    /// * nobody writes to bytes that are filled, and only the one producer writes to the numbers of
    ///   its end: in any process, through any descriptor or mapping of the memory;
    /// * the producer is one of this crate's, or follows the same protocol;
    /// * nobody truncates the memory, or punches a hole into it.
    pub unsafe fn assume_honest_peer(self) -> Consumer {
        Consumer { end: self.end }
    }
}

static_assertions::assert_impl_all!(SharedRing: Send, Sync, Unpin);
static_assertions::assert_impl_all!(SharedProducer: Send, Sync, Unpin);
static_assertions::assert_impl_all!(SharedConsumer: Send, Sync, Unpin);
