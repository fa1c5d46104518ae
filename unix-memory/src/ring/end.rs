//! What both ends of a ring do alike: numbers that say what is whose.
//!
//! Each end has a position, which it alone moves: that of the first byte that it has not yet given
//! to the other end. Positions count from 0 to twice the capacity, and then from 0 again; so a ring
//! that is full (they are a capacity apart) can be told from one that is empty (they are equal),
//! and a capacity need not be a power of two.
//!
//! An end keeps its own position, and what it last saw of the other's, to itself: it reads no
//! number of its own back, and asks for the other's only when what it knows will not do.

use core::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::memory::{Memory, unit};
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::process::Process;

/// Far enough apart that no two processors wait for each other's line of the cache, where two lines
/// are fetched at a time.
const LINE: usize = 128;

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Producer,
    Consumer,
}

impl Role {
    /// Where in the header its position is.
    const fn position(self) -> usize {
        match self {
            Self::Producer => LINE,
            Self::Consumer => 2 * LINE,
        }
    }

    /// Where in the header it says that it is gone.
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
    /// Less than twice the capacity, as is `other`, and so that at most a capacity is filled.
    position: usize,
    /// The other end's position when it was last asked for.
    other: usize,
    /// The process that has this end.
    owner: Process,
}

impl End {
    /// The end `role` of the ring in `memory`, where the last one that had it left it.
    ///
    /// # Errors
    /// `EIO` with [`Reason::RingPeer`] where no ring has such positions.
    pub fn new(memory: Arc<Memory>, role: Role) -> Result<Self> {
        let owner = Process::current()
            .map_err(|errno| Error::kernel(Call::Ring, errno, Arguments::None))?;
        // Not dropped where it cannot be taken: that would close the end of whoever has it.
        let mut end = ManuallyDrop::new(Self {
            position: memory.number(role.position()).load(Acquire),
            other: 0,
            owner,
            memory,
            role,
        });
        if end.position >= 2 * end.capacity() || end.refresh().is_err() {
            let Self { memory, .. } = &*end;
            // SAFETY: the end is not used again, nor dropped: this is its only use.
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

    /// Refuses to use memory of another process: of the one that this was forked from.
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

    /// How many bytes this end has, when the other one is at `other`; more than the capacity if
    /// that cannot be.
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
            // Where more is filled than can be, this wraps around: a large number.
            Role::Producer => self.capacity().wrapping_sub(filled),
        }
    }

    /// How many bytes this end is known to have: free ones for a producer, filled ones for a
    /// consumer. At most the capacity.
    pub fn bytes(&self) -> usize {
        self.bytes_with(self.other)
    }

    /// Asks the other end how many bytes this one has.
    ///
    /// # Errors
    /// `EIO` with [`Reason::RingPeer`] where its answer cannot be, those of [`check`](Self::check);
    /// nothing has changed then.
    #[inline]
    pub fn refresh(&mut self) -> Result<usize> {
        self.check(Call::Ring)?;
        self.ask().ok_or_else(broken)
    }

    /// As [`refresh`](Self::refresh), in its own process; `None` where the answer cannot be.
    #[inline]
    fn ask(&mut self) -> Option<usize> {
        // Acquire pairs with the Release in `advance`: what the other end did to the bytes that it
        // gives is seen, and what this one does to them comes after.
        let other = self
            .memory
            .number(self.role.other().position())
            .load(Acquire);
        // No overflow below: both are less than twice the capacity, which can be mapped.
        if other >= 2 * self.capacity() || self.bytes_with(other) > self.capacity() {
            return None;
        }
        self.other = other;
        Some(self.bytes())
    }

    /// How many bytes this end has: asks only when it is not known to have `wanted` of them.
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh).
    #[inline]
    pub fn bytes_for(&mut self, wanted: usize) -> Result<usize> {
        self.check(Call::Ring)?;
        self.known_or_asked(wanted).ok_or_else(broken)
    }

    /// As [`bytes_for`](Self::bytes_for): none where there is an error.
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

    /// Where in the mapping this end's bytes begin. All of them lie behind it, in a row.
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
    /// `EINVAL` where this end is not known to have as many; those of [`check`](Self::check).
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

    /// Gives the first `n` of the bytes that this end is known to have, in its own process, to the
    /// other.
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

    /// Whether the other end was dropped, or this one belongs to another process. What it gave
    /// before is there all the same.
    pub fn is_closed(&self) -> bool {
        if !self.memory.is_here() {
            return true;
        }
        // Acquire pairs with the Release in `drop`: its last position is seen after that.
        self.memory.number(self.role.other().closed()).load(Acquire) != 0
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // A child's copy is not the end.
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
    /// Numbers, never content.
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
