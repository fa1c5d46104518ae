//! What both ends of a ring have in common: the numbers that determine which bytes belong to which
//! end.
//!
//! Each end has a position, which only it moves: the position of the first byte that it has not yet
//! given to the other end. Positions count from 0 to twice the capacity, and then from 0 again, so
//! that a full ring (positions a capacity apart) differs from an empty one (equal positions), and a
//! capacity need not be a power of two.
//!
//! An end keeps a private copy of its own position, and how many bytes it had when it last read the
//! other end's. It never reads its own position back, and reads the other's only when these bytes do
//! not suffice.

use core::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::memory::Memory;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::process::Process;

/// Far enough apart that the two ends never contend for a cache line, even where two lines are
/// fetched at a time.
const LINE: usize = 128;

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Producer,
    Consumer,
}

/// The end that writes bytes.
pub type ProducerEnd = End<true>;

/// The end that reads them.
pub type ConsumerEnd = End<false>;

/// The offset of a producer's, or a consumer's, position in the header.
const fn position(produces: bool) -> usize {
    if produces { LINE } else { 2 * LINE }
}

/// The offset in the header of the number that is set when that end is closed.
const fn closed(produces: bool) -> usize {
    position(produces) + size_of::<usize>()
}

/// One end of a ring. Which one is part of the type, so that no copy asks.
pub struct End<const PRODUCES: bool> {
    memory: Arc<Memory>,
    /// Less than twice the capacity.
    position: usize,
    /// How many bytes this end is known to have: free ones for a producer, filled ones for a consumer.
    /// At most the capacity.
    bytes: usize,
    /// The process that owns this end.
    owner: Process,
}

impl<const PRODUCES: bool> End<PRODUCES> {
    const ROLE: Role = if PRODUCES {
        Role::Producer
    } else {
        Role::Consumer
    };

    /// Returns this end of the ring in `memory`, at the position where its last owner left it.
    ///
    /// # Errors
    /// `EIO` with [`Reason::RingPeer`] if the positions in the memory are impossible.
    pub fn new(memory: Arc<Memory>) -> Result<Self> {
        let owner = Process::current()
            .map_err(|errno| Error::kernel(Call::Ring, errno, Arguments::None))?;
        // Not dropped if it cannot be taken: that would close the end of its present owner.
        let mut end = ManuallyDrop::new(Self {
            position: memory.number(position(PRODUCES)).load(Acquire),
            bytes: 0,
            owner,
            memory,
        });
        if end.position >= 2 * end.capacity() || end.refresh().is_err() {
            let Self { memory, .. } = &*end;
            // SAFETY: the end is neither used nor dropped afterwards: this is its only use. [once]
            drop(unsafe { core::ptr::read(memory) });
            return Err(broken());
        }
        end.memory.number(closed(PRODUCES)).store(0, Release);
        Ok(ManuallyDrop::into_inner(end))
    }

    #[inline]
    pub fn capacity(&self) -> usize {
        self.memory.capacity()
    }

    #[inline]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Refuses to use memory that belongs to another process, of which this one is a child.
    ///
    /// # Errors
    /// `EPERM` with [`Reason::OtherProcess`].
    #[inline]
    pub fn check(&self, call: Call) -> Result<()> {
        if self.memory.is_here() {
            return Ok(());
        }
        Err(elsewhere(call))
    }

    /// Returns how many bytes this end has when the other one is at `other`, less than twice the
    /// capacity; more than the capacity if that position is impossible.
    #[inline]
    fn bytes_with(&self, other: usize) -> usize {
        let (first, last) = match Self::ROLE {
            Role::Producer => (other, self.position),
            Role::Consumer => (self.position, other),
        };
        let filled = if last >= first {
            last - first
        } else {
            last + 2 * self.capacity() - first
        };
        match Self::ROLE {
            Role::Consumer => filled,
            // If more is filled than the ring holds, this wraps around to a large number.
            Role::Producer => self.capacity().wrapping_sub(filled),
        }
    }

    /// Reads the other end's position, and returns how many bytes this end has.
    ///
    /// # Errors
    /// `EIO` with [`Reason::RingPeer`] if that position is impossible; and the errors of
    /// [`check`](Self::check). Nothing has changed then.
    #[inline]
    pub fn refresh(&mut self) -> Result<usize> {
        self.check(Call::Ring)?;
        self.ask().ok_or_else(broken)
    }

    /// Like [`refresh`](Self::refresh), in the end's own process; `None` if the position is impossible.
    #[inline]
    fn ask(&mut self) -> Option<usize> {
        // Acquire pairs with the Release in `advance`: this end sees what the other did to the bytes
        // before it gave them, and what this end does to them comes after.
        let other = self.memory.number(position(!PRODUCES)).load(Acquire);
        // No overflow below: both are less than twice the capacity, and that many bytes can be
        // mapped.
        if other >= 2 * self.capacity() {
            return None;
        }
        let bytes = self.bytes_with(other);
        if bytes > self.capacity() {
            return None;
        }
        self.bytes = bytes;
        Some(bytes)
    }

    /// Returns how many bytes this end has; reads the other's position only if fewer than `wanted`
    /// are known. `None` for an error, which [`fault`](Self::fault) returns.
    #[inline]
    pub fn bytes_for(&mut self, wanted: usize) -> Option<usize> {
        if !self.memory.is_here() {
            return None;
        }
        if self.bytes >= wanted {
            return Some(self.bytes);
        }
        self.ask()
    }

    /// Returns why [`bytes_for`](Self::bytes_for) did not: an error of [`refresh`](Self::refresh).
    #[cold]
    pub fn fault(&self) -> Error {
        self.check(Call::Ring).err().unwrap_or_else(broken)
    }

    /// Returns how many bytes this end is known to have, at most the capacity.
    #[inline]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the offset in the mapping of this end's first byte. All its bytes follow in a row.
    #[inline]
    pub fn offset(&self) -> usize {
        let in_ring = if self.position < self.capacity() {
            self.position
        } else {
            self.position - self.capacity()
        };
        self.memory.header() + in_ring
    }

    /// Gives the first `n` of this end's bytes to the other.
    ///
    /// # Errors
    /// `EINVAL` if this end is not known to have that many; and the errors of
    /// [`check`](Self::check).
    #[inline]
    pub fn advance(&mut self, call: Call, n: usize) -> Result<()> {
        self.check(call)?;
        if n > self.bytes {
            return Err(too_many(call, n, self.bytes));
        }
        self.give(n);
        Ok(())
    }

    /// Gives the first `n` of the bytes that this end is known to have to the other. Requires the
    /// end's own process.
    #[inline]
    pub fn give(&mut self, n: usize) {
        debug_assert!(n <= self.bytes);
        let around = 2 * self.capacity();
        self.bytes -= n;
        self.position += n;
        if self.position >= around {
            self.position -= around;
        }
        // Release: see `refresh`.
        self.memory
            .number(position(PRODUCES))
            .store(self.position, Release);
    }

    /// Returns whether the other end was dropped, or this one belongs to another process. Bytes that
    /// the other end gave before remain available.
    #[inline]
    pub fn is_closed(&self) -> bool {
        if !self.memory.is_here() {
            return true;
        }
        // Acquire pairs with the Release in `drop`: the last position is visible after that.
        self.memory.number(closed(!PRODUCES)).load(Acquire) != 0
    }
}

impl<const PRODUCES: bool> Drop for End<PRODUCES> {
    fn drop(&mut self) {
        // A child's copy does not close the ring.
        if self.owner.is_current() {
            self.memory.number(closed(PRODUCES)).store(1, Release);
        }
    }
}

#[cold]
const fn elsewhere(call: Call) -> Error {
    Error::new(call, libc::EPERM, Arguments::None, Reason::OtherProcess)
}

#[cold]
const fn too_many(call: Call, n: usize, bytes: usize) -> Error {
    let reason = Reason::RingBytes(bytes);
    Error::new(call, libc::EINVAL, Arguments::Length(n), reason)
}

#[cold]
const fn broken() -> Error {
    Error::new(Call::Ring, libc::EIO, Arguments::None, Reason::RingPeer)
}

impl<const PRODUCES: bool> core::fmt::Debug for End<PRODUCES> {
    /// Shows numbers, never content.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let other = || self.memory.number(position(!PRODUCES));
        f.debug_struct("End")
            .field("role", &Self::ROLE)
            .field("capacity", &self.capacity())
            .field("position", &self.position)
            .field(
                "other",
                &self.memory.is_here().then(|| other().load(Relaxed)),
            )
            .finish_non_exhaustive()
    }
}
