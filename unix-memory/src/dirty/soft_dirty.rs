//! Tracking by soft-dirty bits: one a page, cleared for all of the process together.
//!
//! Since they are cleared together there is one tracker in a process. Whoever else clears them takes
//! from it what it has not read, and nothing says so: hence the canary, a page of the tracker's own that
//! is written after each time that the tracker clears. If its bit is not set, somebody else has cleared
//! them since.
//!
//! The bits are read first and cleared later, in two calls. In between nobody writes to the pages: they
//! are those of a private mapping that `take` borrows.
//!
//! What is discarded loses its bit with its page, and looks like what was never used. So pages are
//! brought in before the bits are cleared, as the kernel's one page of zeros: what is not there later was
//! thrown away, and counts as written.

use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use super::descriptor::Descriptor;
use super::write_protect::open_own;
use crate::copy::populate::{Memory, populate};
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os::call;
use crate::page::{Pages, page_size};
use crate::process::Process;

/// The number of the process that has a tracker, or had one and is an ancestor of this; zero: none.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// The right to have a tracker.
#[derive(Debug)]
struct Owner(Process);

impl Owner {
    /// Takes it, unless this process has one.
    fn take(process: Process) -> Option<Self> {
        let take = |owner| (owner != process.number()).then(|| process.number());
        let taken = OWNER.fetch_update(Ordering::Acquire, Ordering::Relaxed, take);
        taken.is_ok().then_some(Self(process))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // In a child it is the copy of its parent's, beside which the child may have one of its own.
        if self.0.is_current() {
            OWNER.store(0, Ordering::Release);
        }
    }
}

/// The tracker of private anonymous pages, which its methods are given: always the same.
#[derive(Debug)]
pub struct SoftDirty {
    bits: Bits,
    canary: Canary,
    // Dropped last.
    _owner: Owner,
}

impl SoftDirty {
    /// Begins to track `pages` as not written.
    ///
    /// # Errors
    /// `ENOSYS` where the kernel has no such bits; `EBUSY` where the process has a tracker; others of
    /// the kernel's.
    pub fn new(
        pages: Pages,
        is_readable: bool,
        process: Process,
        arguments: Arguments,
    ) -> Result<Self> {
        let refused = |call, (errno, reason)| Error::new(call, errno, arguments, reason);
        let Some(owner) = Owner::take(process) else {
            return Err(refused(Call::Track, (libc::EBUSY, Reason::OneTracker)));
        };
        let pagemap = open_own(c"/proc/self/pagemap", libc::O_RDONLY)
            .map_err(|why| refused(Call::Pagemap, why))?;
        let clear_refs =
            open_own(c"/proc/self/clear_refs", libc::O_WRONLY).map_err(|why| match why.0 {
                // A kernel without it.
                libc::ENOENT => refused(Call::ClearRefs, (libc::ENOSYS, Reason::Unsupported)),
                _ => refused(Call::ClearRefs, why),
            })?;
        let canary = Canary::new().map_err(|errno| refused(Call::Mmap, (errno, Reason::Kernel)))?;
        let tracker = Self {
            bits: Bits {
                pagemap,
                clear_refs,
            },
            canary,
            _owner: owner,
        };
        if !tracker.works(arguments)? {
            return Err(refused(
                Call::ClearRefs,
                (libc::ENOSYS, Reason::Unsupported),
            ));
        }
        tracker.mark(pages, is_readable, arguments)?;
        Ok(tracker)
    }

    /// Whether the bits are there, and do what they should.
    ///
    /// A kernel that was built without them always has them clear; on POWER9 some have them clear once
    /// they were cleared.
    fn works(&self, arguments: Arguments) -> Result<bool> {
        self.canary.touch();
        for _ in 0..2 {
            if !self.is_undisturbed(arguments)? {
                return Ok(false);
            }
            self.clear(arguments)?;
            if self.is_undisturbed(arguments)? {
                return Ok(false);
            }
            self.canary.touch();
        }
        self.is_undisturbed(arguments)
    }

    /// Whether nobody else has cleared the bits since this tracker did.
    fn is_undisturbed(&self, arguments: Arguments) -> Result<bool> {
        let mut entry = [0];
        self.read(self.canary.0.addr().get(), &mut entry, arguments)?;
        Ok(entry[0] & SOFT_DIRTY != 0)
    }

    /// Has all pages be not written; those of other memory too.
    pub fn mark(&self, pages: Pages, is_readable: bool, arguments: Arguments) -> Result<()> {
        if is_readable {
            // What is not brought in counts as written until it is used.
            let _as_far_as_it_goes = populate(pages, Memory::Anonymous);
        }
        self.clear(arguments)?;
        self.canary.touch();
        Ok(())
    }

    /// The pages that were written, which are so no more if `reset` and all were asked for.
    pub fn pieces(
        &self,
        pages: Pages,
        is_readable: bool,
        arguments: Arguments,
        reset: bool,
    ) -> Pieces<'_> {
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
        self.bits
            .read(address, entries)
            .map_err(|errno| Error::kernel(Call::Pagemap, errno, arguments))
    }

    fn clear(&self, arguments: Arguments) -> Result<()> {
        self.bits
            .clear()
            .map_err(|errno| Error::kernel(Call::ClearRefs, errno, arguments))
    }
}

/// Bits of an entry, from the kernel's Documentation/admin-guide/mm/pagemap.rst.
const SOFT_DIRTY: u64 = 1 << 55;
const SWAPPED: u64 = 1 << 62;
const PRESENT: u64 = 1 << 63;

/// Whether the page of `entry` was written.
const fn is_written(entry: u64) -> bool {
    entry & SOFT_DIRTY != 0 || entry & (PRESENT | SWAPPED) == 0
}

/// The kernel's files.
#[derive(Debug)]
struct Bits {
    pagemap: Descriptor,
    clear_refs: Descriptor,
}

impl Bits {
    /// Reads the entries of the pages from `address` on, as many as there is room for.
    fn read(&self, address: usize, entries: &mut [u64]) -> Result<(), Errno> {
        let entry = size_of::<u64>();
        let mut done = 0;
        while done < size_of_val(entries) {
            let place = (address / page_size()) as u64 * entry as u64 + done as u64;
            // (Of 32 bits where addresses are.)
            let place = libc::off_t::try_from(place).map_err(|_| libc::EOVERFLOW)?;
            let rest = size_of_val(entries) - done;
            let to = entries.as_mut_ptr().cast::<u8>().wrapping_add(done);
            // SAFETY: the kernel writes at most so many bytes, which the entries have left.
            let read = unsafe { libc::pread(self.pagemap.number(), to.cast(), rest, place) };
            match usize::try_from(read) {
                Ok(0) => return Err(libc::EIO),
                Ok(read) => done += read,
                Err(_) => match call::errno() {
                    libc::EINTR => {}
                    errno => return Err(errno),
                },
            }
        }
        Ok(())
    }

    /// Clears the bits of all pages of the process.
    fn clear(&self) -> Result<(), Errno> {
        let command = b"4";
        loop {
            // SAFETY: the kernel reads so many bytes.
            let written = unsafe {
                libc::write(
                    self.clear_refs.number(),
                    command.as_ptr().cast(),
                    command.len(),
                )
            };
            match written {
                1 => return Ok(()),
                0 => return Err(libc::EIO),
                _ => match call::errno() {
                    libc::EINTR => {}
                    errno => return Err(errno),
                },
            }
        }
    }
}

/// A page of the tracker's own.
#[derive(Debug)]
struct Canary(NonNull<AtomicU8>);

impl Canary {
    fn new() -> Result<Self, Errno> {
        // The kernel sets the bits of all pages of a mapping that it merges with a new one. It merges no
        // shared memory.
        let flags = unix_memory_sys::MAP_SHARED | unix_memory_sys::MAP_ANONYMOUS;
        let protection = unix_memory_sys::PROT_READ | unix_memory_sys::PROT_WRITE;
        let page = call::mmap(0, page_size(), protection, flags, -1, 0)?;
        Ok(Self(page.cast()))
    }

    fn touch(&self) {
        // SAFETY: the page was mapped for this, holds atomics alone, and is unmapped on drop.
        let byte = unsafe { self.0.as_ref() };
        byte.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        // SAFETY: the page is the tracker's own, and used no more.
        let _refused = unsafe { call::munmap(self.0.cast(), page_size()) };
    }
}

// SAFETY: its page holds atomics, and is given back by one call that any thread may make.
unsafe impl Send for Canary {}
// SAFETY: as above.
unsafe impl Sync for Canary {}

/// How many pages are asked about in one call.
const BATCH: usize = 192;

/// What was written, piece by piece, from the lowest address on; it is reset when the end was reached.
#[derive(Debug)]
pub struct Pieces<'a> {
    tracker: &'a SoftDirty,
    pages: Pages,
    is_readable: bool,
    arguments: Arguments,
    reset: bool,
    /// What is still to be asked about.
    start: usize,
    end: usize,
    /// What was answered, of which `next..filled` were not yet returned, and the address of its first.
    batch: [u64; BATCH],
    batch_start: usize,
    next: usize,
    filled: usize,
}

impl Pieces<'_> {
    /// The next piece; the end comes but once.
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

    /// Asks about more.
    fn fill(&mut self) -> Result<()> {
        let pages = (self.end - self.start) / page_size();
        self.batch_start = self.start;
        (self.next, self.filled) = (0, pages.min(BATCH));
        let answer = self
            .tracker
            .read(self.start, &mut self.batch[..self.filled], self.arguments)
            // Asked for after that: what was read was not cleared by others.
            .and_then(|()| self.tracker.is_undisturbed(self.arguments));
        match answer {
            Ok(true) => {}
            Ok(false) => self.batch[..self.filled].fill(SOFT_DIRTY),
            Err(error) => {
                (self.start, self.filled, self.reset) = (self.end, 0, false);
                return Err(error);
            }
        }
        self.start += self.filled * page_size();
        Ok(())
    }
}
