//! What both ends of a ring have in common: the numbers that determine which bytes belong to which
//! end.
//!
//! Each end has a position, which only it moves: the position of the first byte that it has not yet
//! given to the other end. Positions count from 0 to twice the capacity, and then from 0 again, so
//! that a full ring (positions a capacity apart) differs from an empty one (equal positions), and a
//! capacity need not be a power of two.
//!
//! An end keeps a private copy of its own position and of the last position that it read from the
//! other end. It never reads its own position back, and reads the other's only when the copy does not
//! suffice.

use core::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::memory::{Memory, unit};
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::process::Process;

/// Far enough apart that the two ends never contend for a cache line, even where two lines are
/// fetched at a time.
const LINE: usize = 128;

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Producer,
    Consumer,
}

impl Role {
    /// The offset of its position in the header.
    const fn position(self) -> usize {
        match self {
            Self::Producer => LINE,
            Self::Consumer => 2 * LINE,
        }
    }

    /// The offset in the header of the number that is set when it is closed.
    const fn closed(self) -> usize {
        self.position() + size_of::<usize>()
    }

    const fn other(self) -> Self {
        match self {
            Self::Producer => Self::Consumer,
            Self::Consumer => Self::Producer,
        }
    }
}

/// One end of a ring.
pub struct End {
    memory: Arc<Memory>,
    role: Role,
    /// Less than twice the capacity, as is `other`, and never more than a capacity ahead of it.
    position: usize,
    /// The other end's position when it was last read.
    other: usize,
    /// The process that owns this end.
    owner: Process,
}

impl End {
    /// Returns the end `role` of the ring in `memory`, at the position where its last owner left it.
    ///
    /// # Errors
    /// `EIO` with [`Reason::RingPeer`] if the positions in the memory are impossible.
    pub fn new(memory: Arc<Memory>, role: Role) -> Result<Self> {
        let owner = Process::current()
            .map_err(|errno| Error::kernel(Call::Ring, errno, Arguments::None))?;
        // Not dropped if it cannot be taken: that would close the end of its present owner.
        let mut end = ManuallyDrop::new(Self {
            position: memory.number(role.position()).load(Acquire),
            other: 0,
            owner,
            memory,
            role,
        });
        if end.position >= 2 * end.capacity() || end.refresh().is_err() {
            let Self { memory, .. } = &*end;
            // SAFETY: the end is neither used nor dropped afterwards: this is its only use. [once]
            drop(unsafe { core::ptr::read(memory) });
            return Err(broken());
        }
        end.memory.number(role.closed()).store(0, Release);
        Ok(ManuallyDrop::into_inner(end))
    }

    pub fn capacity(&self) -> usize {
        self.memory.capacity()
    }

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

    /// Returns how many bytes this end has when the other one is at `other`; more than the capacity
    /// if that position is impossible.
    #[inline]
    fn bytes_with(&self, other: usize) -> usize {
        let (first, last) = match self.role {
            Role::Producer => (other, self.position),
            Role::Consumer => (self.position, other),
        };
        let filled = if last >= first {
            last - first
        } else {
            last + 2 * self.capacity() - first
        };
        match self.role {
            Role::Consumer => filled,
            // If more is filled than the ring holds, this wraps around to a large number.
            Role::Producer => self.capacity().wrapping_sub(filled),
        }
    }

    /// Returns how many bytes this end is known to have: free ones for a producer, filled ones for a
    /// consumer. At most the capacity.
    pub fn bytes(&self) -> usize {
        self.bytes_with(self.other)
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
        let other = self
            .memory
            .number(self.role.other().position())
            .load(Acquire);
        // No overflow below: both are less than twice the capacity, and that many bytes can be
        // mapped.
        if other >= 2 * self.capacity() || self.bytes_with(other) > self.capacity() {
            return None;
        }
        self.other = other;
        Some(self.bytes())
    }

    /// Returns how many bytes this end has; reads the other's position only if fewer than `wanted`
    /// are known.
    ///
    /// # Errors
    /// Those of [`refresh`](Self::refresh).
    #[inline]
    pub fn bytes_for(&mut self, wanted: usize) -> Result<usize> {
        self.check(Call::Ring)?;
        self.known_or_asked(wanted).ok_or_else(broken)
    }

    /// Like [`bytes_for`](Self::bytes_for), but returns 0 for an error.
    #[inline]
    pub fn bytes_for_or_none(&mut self, wanted: usize) -> usize {
        if !self.memory.is_here() {
            return 0;
        }
        self.known_or_asked(wanted).unwrap_or(0)
    }

    #[inline]
    fn known_or_asked(&mut self, wanted: usize) -> Option<usize> {
        match self.bytes() {
            known if known >= wanted => Some(known),
            _ => self.ask(),
        }
    }

    /// Returns the offset in the mapping of this end's first byte. All its bytes follow in a row.
    pub fn offset(&self) -> usize {
        let in_ring = if self.position < self.capacity() {
            self.position
        } else {
            self.position - self.capacity()
        };
        unit() + in_ring
    }

    /// Gives the first `n` of this end's bytes to the other.
    ///
    /// # Errors
    /// `EINVAL` if this end is not known to have that many; and the errors of
    /// [`check`](Self::check).
    pub fn advance(&mut self, call: Call, n: usize) -> Result<()> {
        self.check(call)?;
        let bytes = self.bytes();
        if n > bytes {
            let reason = Reason::RingBytes(bytes);
            return Err(Error::new(call, libc::EINVAL, Arguments::Length(n), reason));
        }
        self.give(n);
        Ok(())
    }

    /// Gives the first `n` of the bytes that this end is known to have to the other. Requires the
    /// end's own process.
    #[inline]
    pub fn give(&mut self, n: usize) {
        debug_assert!(n <= self.bytes());
        let around = 2 * self.capacity();
        self.position += n;
        if self.position >= around {
            self.position -= around;
        }
        // Release: see `refresh`.
        self.memory
            .number(self.role.position())
            .store(self.position, Release);
    }

    /// Returns whether the other end was dropped, or this one belongs to another process. Bytes that
    /// the other end gave before remain available.
    pub fn is_closed(&self) -> bool {
        if !self.memory.is_here() {
            return true;
        }
        // Acquire pairs with the Release in `drop`: the last position is visible after that.
        self.memory.number(self.role.other().closed()).load(Acquire) != 0
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // A child's copy does not close the ring.
        if self.owner.is_current() {
            self.memory.number(self.role.closed()).store(1, Release);
        }
    }
}

#[cold]
const fn elsewhere(call: Call) -> Error {
    Error::new(call, libc::EPERM, Arguments::None, Reason::OtherProcess)
}

#[cold]
const fn broken() -> Error {
    Error::new(Call::Ring, libc::EIO, Arguments::None, Reason::RingPeer)
}

impl core::fmt::Debug for End {
    /// Shows numbers, never content.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let other = || self.memory.number(self.role.other().position());
        f.debug_struct("End")
            .field("role", &self.role)
            .field("capacity", &self.capacity())
            .field("position", &self.position)
            .field(
                "other",
                &self.memory.is_here().then(|| other().load(Relaxed)),
            )
            .finish_non_exhaustive()
    }
}
