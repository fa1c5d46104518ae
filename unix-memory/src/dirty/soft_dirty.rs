//! Tracking by soft-dirty bits: one for each page, all of which are cleared together for the process.
//!
//! Because all are cleared together, a process has at most one tracker of this kind. If somebody else
//! clears the bits, the tracker loses those that it has not read, and the kernel does not report that. A
//! canary detects it: a page of the tracker's own, to which the tracker writes each time after it clears
//! the bits. If the canary's bit is clear, somebody else has cleared the bits since.
//!
//! The bits are read by one call and cleared by a later one. Nobody writes to the pages between the two:
//! they belong to a private mapping, which `take` borrows.
//!
//! A page that is discarded loses its bit, and looks like one that was never used. The tracker does two
//! things about that. Before the bits are cleared, it brings in all pages, if only as the kernel's page
//! of zeros: a page that is missing later was thrown away, and counts as written. But reading a discarded
//! page brings it in again, without the bit, so the tracker also records what was discarded through it.

use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use super::bits::{Bits, Files, Refused, SOFT_DIRTY, is_written};
use super::discarded::Discarded;
use crate::copy::populate::{Memory, populate};
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os::call;
use crate::page::{Pages, page_size};
use crate::process::Process;

/// The number of the process that has a tracker, or zero. It may be that of an ancestor that had a
/// tracker when this process was made.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// The right to have a tracker.
#[derive(Debug)]
struct Owner(Process);

impl Owner {
    /// Takes the right, unless this process has a tracker.
    fn take(process: Process) -> Option<Self> {
        let take = |owner| (owner != process.number()).then(|| process.number());
        let taken = OWNER.fetch_update(Ordering::Acquire, Ordering::Relaxed, take);
        taken.is_ok().then_some(Self(process))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // In a child this is a copy of the parent's; the child may have a tracker of its own.
        if self.0.is_current() {
            OWNER.store(0, Ordering::Release);
        }
    }
}

/// A tracker of private anonymous pages. Its methods take the pages as an argument, the same ones each
/// time.
#[derive(Debug)]
pub struct SoftDirty<B = Files> {
    bits: B,
    canary: Canary,
    /// What was discarded since the mark, in addresses.
    discarded: Discarded,
    // Dropped last.
    _owner: Owner,
}

impl SoftDirty {
    /// Begins to track `pages` as not written.
    ///
    /// # Errors
    /// `ENOSYS` if the kernel has no such bits; `EBUSY` if the process has a tracker; and other errors of
    /// the kernel.
    pub fn new(
        pages: Pages,
        is_readable: bool,
        process: Process,
        arguments: Arguments,
    ) -> Result<Self> {
        let Some(owner) = Owner::take(process) else {
            let why = (Call::Track, libc::EBUSY, Reason::OneTracker);
            return Err(error(why, arguments));
        };
        let bits = Files::open().map_err(|why| error(why, arguments))?;
        Self::with(bits, owner, pages, is_readable, arguments)
    }
}

impl<B: Bits> SoftDirty<B> {
    fn with(
        bits: B,
        owner: Owner,
        pages: Pages,
        is_readable: bool,
        arguments: Arguments,
    ) -> Result<Self> {
        let canary =
            Canary::new().map_err(|errno| error((Call::Mmap, errno, Reason::Kernel), arguments))?;
        let tracker = Self {
            bits,
            canary,
            discarded: Discarded::new(),
            _owner: owner,
        };
        if !tracker.works(arguments)? {
            let why = (Call::ClearRefs, libc::ENOSYS, Reason::Unsupported);
            return Err(error(why, arguments));
        }
        tracker.mark(pages, is_readable, arguments)?;
        Ok(tracker)
    }

    /// Whether the kernel sets and clears the bits as it should.
    ///
    /// In a kernel that was built without them, they are always clear; in some kernels on POWER9, they
    /// stay clear once they have been cleared.
    fn works(&self, arguments: Arguments) -> Result<bool> {
        for _ in 0..2 {
            self.canary.touch();
            if !self.is_undisturbed(arguments)? || !self.clear(arguments)? {
                return Ok(false);
            }
        }
        self.canary.touch();
        self.is_undisturbed(arguments)
    }

    /// Whether nobody else has cleared the bits since this tracker did.
    fn is_undisturbed(&self, arguments: Arguments) -> Result<bool> {
        let mut entry = [0];
        self.read(self.canary.0.addr().get(), &mut entry, arguments)?;
        Ok(entry[0] & SOFT_DIRTY != 0)
    }

    /// Makes all pages count as not written, including those of other memory.
    pub fn mark(&self, pages: Pages, is_readable: bool, arguments: Arguments) -> Result<()> {
        if is_readable {
            // A page that is not brought in counts as written until it is used.
            // SAFETY: the pages are those of a private anonymous region, which `Tracker` has borrowed
            // from its owner, so nobody writes to them. [owned, access, borrowed]
            let _as_far_as_it_goes = unsafe { populate(pages, Memory::Anonymous) };
        }
        if !self.clear(arguments)? {
            let why = (Call::ClearRefs, libc::EIO, Reason::Kernel);
            return Err(error(why, arguments));
        }
        self.discarded.forget();
        self.canary.touch();
        Ok(())
    }

    /// Notes that the content of `pages` was discarded.
    pub fn note_discarded(&mut self, pages: Pages) {
        self.discarded.add(pages.addresses());
    }

    /// The pages that were written. With `reset`, no page counts as written any more once the end is
    /// reached.
    pub fn pieces(
        &self,
        pages: Pages,
        is_readable: bool,
        arguments: Arguments,
        reset: bool,
    ) -> Pieces<'_, B> {
        let Range { start, end } = pages.addresses();
        Pieces {
            tracker: self,
            pages,
            is_readable,
            arguments,
            reset,
            start,
            end,
            batch: [0; BATCH],
            batch_start: start,
            next: 0,
            filled: 0,
        }
    }

    fn read(&self, address: usize, entries: &mut [u64], arguments: Arguments) -> Result<()> {
        let read = self.bits.read(address, entries);
        read.map_err(|why| error(why, arguments))
    }

    /// Clears the bits, and returns whether the kernel has done so.
    fn clear(&self, arguments: Arguments) -> Result<bool> {
        let refused = |why| error(why, arguments);
        // Its bit is set now, and clear if all are cleared.
        self.canary.touch();
        self.bits.clear().map_err(refused)?;
        if !self.is_undisturbed(arguments)? {
            return Ok(true);
        }
        self.bits.clear_by_thread().map_err(refused)?;
        Ok(!self.is_undisturbed(arguments)?)
    }
}

const fn error((call, errno, reason): Refused, arguments: Arguments) -> Error {
    Error::new(call, errno, arguments, reason)
}

/// A page of the tracker's own.
#[derive(Debug)]
struct Canary(NonNull<AtomicU8>);

impl Canary {
    fn new() -> Result<Self, Errno> {
        // When the kernel merges a mapping with a new one, it sets the bits of all its pages. It does not
        // merge shared memory.
        let flags = unix_memory_sys::MAP_SHARED | unix_memory_sys::MAP_ANONYMOUS;
        let protection = unix_memory_sys::PROT_READ | unix_memory_sys::PROT_WRITE;
        let page = call::mmap(0, page_size(), protection, flags, -1, 0)?;
        Ok(Self(page.cast()))
    }

    fn touch(&self) {
        // SAFETY: the page was mapped for this, holds only atomics, and is unmapped on drop.
        // [owned, atomic]
        let byte = unsafe { self.0.as_ref() };
        byte.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        // SAFETY: the page is the tracker's own, and is no longer used. [owned, once]
        let _refused = unsafe { call::munmap(self.0.cast(), page_size()) };
    }
}

// SAFETY: its page holds atomics, and is given back by one call that any thread may make.
// [threads, atomic]
unsafe impl Send for Canary {}
// SAFETY: as above. [threads, atomic]
unsafe impl Sync for Canary {}

/// How many pages are asked about in one call.
const BATCH: usize = 192;

/// What was written, piece by piece, from the lowest address on. The pages are reset at the end.
#[derive(Debug)]
pub struct Pieces<'a, B = Files> {
    tracker: &'a SoftDirty<B>,
    pages: Pages,
    is_readable: bool,
    arguments: Arguments,
    reset: bool,
    /// The pages that the kernel has not been asked about yet.
    start: usize,
    end: usize,
    /// The kernel's answer, of which `next..filled` have not been returned yet, and the address of its
    /// first page.
    batch: [u64; BATCH],
    batch_start: usize,
    next: usize,
    filled: usize,
}

impl<B: Bits> Pieces<'_, B> {
    /// The next piece. After the end it must not be called again.
    pub fn next(&mut self) -> Result<Option<Range<usize>>> {
        loop {
            let rest = &self.batch[self.next..self.filled];
            if let Some(first) = rest.iter().position(|&entry| is_written(entry)) {
                let written = rest[first..].iter().take_while(|&&entry| is_written(entry));
                let first = self.next + first;
                self.next = first + written.count();
                let address = |i| self.batch_start + i * page_size();
                return Ok(Some(address(first)..address(self.next)));
            }
            if self.start < self.end {
                self.fill()?;
                continue;
            }
            if self.reset {
                self.reset = false;
                self.tracker
                    .mark(self.pages, self.is_readable, self.arguments)?;
            }
            return Ok(None);
        }
    }

    /// Asks the kernel about more pages.
    fn fill(&mut self) -> Result<()> {
        let pages = (self.end - self.start) / page_size();
        self.batch_start = self.start;
        (self.next, self.filled) = (0, pages.min(BATCH));
        let answer = self
            .tracker
            .read(self.start, &mut self.batch[..self.filled], self.arguments)
            // Asked afterward, so that others had not cleared the bits before they were read.
            .and_then(|()| self.tracker.is_undisturbed(self.arguments));
        match answer {
            Ok(true) => self.add_discarded(),
            Ok(false) => self.batch[..self.filled].fill(SOFT_DIRTY),
            Err(error) => {
                (self.start, self.filled, self.reset) = (self.end, 0, false);
                return Err(error);
            }
        }
        self.start += self.filled * page_size();
        Ok(())
    }

    /// Makes those pages of the answer that were discarded count as written.
    fn add_discarded(&mut self) {
        let index = |address: usize| address.saturating_sub(self.batch_start) / page_size();
        for range in self.tracker.discarded.ranges() {
            let (first, after) = (index(range.start), index(range.end));
            let pages = first.min(self.filled)..after.min(self.filled);
            for entry in &mut self.batch[pages] {
                *entry |= SOFT_DIRTY;
            }
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests;
