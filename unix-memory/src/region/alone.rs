//! Memory that belongs to this process alone: what becomes of it in a child of `fork`.
//!
//! A child of a process that has a ring would have the ring's pages too, which are shared, because they
//! are mapped twice. A slice that the forking thread held would then refer to memory that the parent
//! changes. The pages of a secret are wiped in a child, or absent: a slice of them would change under
//! its holder, or refer to whatever is mapped there later. So in the child, before any of its own code
//! runs, pages that somebody may refer to are closed: they cannot be accessed. They are never just
//! missing.
//!
//! The pages to close are in a list that a child can read, whatever the other threads of its parent were
//! doing when it was made: nodes are added, never removed, and change only through atomics.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize};

use unix_memory_sys as sys;

use crate::error::Errno;
use crate::os::{self, call};
use crate::page::{Pages, page_size};
use crate::process::Process;

/// Pages of this process alone, as long as this lives.
pub struct Alone {
    owner: Process,
    entry: &'static Entry,
}

/// What a child finds at the addresses of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inherited {
    /// Pages of its own, or shared ones.
    Pages,
    /// Nothing.
    Nothing,
}

/// An entry of the list. An entry of zeros is free.
struct Entry {
    state: AtomicU8,
    /// The number of the process whose pages they are.
    owner: AtomicU32,
    start: AtomicUsize,
    len: AtomicUsize,
    /// Zero if nobody refers to the pages, which are closed then. What other values mean is up to the
    /// owner of the pages.
    users: AtomicUsize,
    /// Null for the last.
    next: AtomicPtr<Entry>,
}

/// Free.
const FREE: u8 = 0;
/// Taken by somebody who is about to enter the pages.
const TAKEN: u8 = 1;
/// For these pages, which a child has too.
const LIVE: u8 = 2;
/// For these pages, which a child does not have.
const KEPT: u8 = 3;
/// For pages that are closed here, in a child of their owner, and are this process's to unmap.
const CLOSED: u8 = 4;
/// For pages that are not here, in a child of their owner.
const ABSENT: u8 = 5;

/// The entry that was added last.
static LIST: AtomicPtr<Entry> = AtomicPtr::new(ptr::null_mut());

/// Whether `fork` calls `close_all` in children.
static IS_CALLED: AtomicBool = AtomicBool::new(false);

fn entries() -> impl Iterator<Item = &'static Entry> {
    let mut next: *const Entry = LIST.load(Acquire);
    core::iter::from_fn(move || {
        // SAFETY: it is null, or an entry, which is never freed. [kept, atomic]
        let entry = unsafe { next.as_ref() }?;
        next = entry.next.load(Relaxed);
        Some(entry)
    })
}

/// Takes `entry` if it is free.
fn take(entry: &Entry) -> bool {
    // A load first: most entries are taken.
    let state = &entry.state;
    state.load(Relaxed) == FREE && state.compare_exchange(FREE, TAKEN, AcqRel, Relaxed).is_ok()
}

impl Alone {
    /// Makes every child find `pages` closed while [`users`](Self::users), which is `users` at first,
    /// is not zero.
    ///
    /// # Errors
    /// `ENOMEM`.
    ///
    /// # Safety
    /// The pages are the caller's, who does not unmap them before [`release`](Self::release) says so,
    /// and keeps them closed while `users` is zero; `inherited` says whether a child has them.
    pub unsafe fn new(pages: Pages, inherited: Inherited, users: usize) -> Result<Self, Errno> {
        let owner = Process::current()?;
        if !IS_CALLED.load(Acquire) {
            // Two threads may both do it: what is closed is then closed twice.
            os::at_fork(close_all)?;
            IS_CALLED.store(true, Release);
        }
        let entry = match entries().find(|entry| take(entry)) {
            Some(entry) => entry,
            None => add()?,
        };
        entry.owner.store(owner.number(), Relaxed);
        entry.start.store(pages.start.addr().get(), Relaxed);
        entry.len.store(pages.len, Relaxed);
        entry.users.store(users, Relaxed);
        let state = match inherited {
            Inherited::Pages => LIVE,
            Inherited::Nothing => KEPT,
        };
        entry.state.store(state, Release);
        Ok(Self { owner, entry })
    }

    /// Whether this is the process whose pages they are: in another, they must not be accessed.
    #[inline]
    pub fn is_here(&self) -> bool {
        self.owner.is_current()
    }

    /// Who refers to the pages: zero for nobody, any other number for somebody.
    #[inline]
    pub const fn users(&self) -> &'static AtomicUsize {
        &self.entry.users
    }

    /// Gives the pages up; returns whether they are to be unmapped.
    pub fn release(&self) -> bool {
        if self.is_here() {
            // Before they are unmapped: a child that is made after that must not close what then lies
            // there.
            self.entry.state.store(FREE, Release);
            return true;
        }
        // Nobody else changes an entry in these states. In a child that was made by a bare system call,
        // the entry is in neither state: nothing was closed there, and the pages are left alone.
        let state = self.entry.state.load(Acquire);
        if state == CLOSED || state == ABSENT {
            self.entry.state.store(FREE, Release);
        }
        state == CLOSED
    }
}

/// Adds entries to the list, and returns one of them, which is taken.
///
/// # Errors
/// `ENOMEM`.
#[cold]
fn add() -> Result<&'static Entry, Errno> {
    // A page of them, which is never unmapped.
    let new = call::zeroed_pages(page_size())?.cast::<Entry>();
    let count = page_size() / size_of::<Entry>();
    // SAFETY: that many entries are in the page, which is aligned for them; zeros are a free entry,
    // and from here on they only change by atomics. [inside, values, atomic]
    let new = unsafe { core::slice::from_raw_parts(new.as_ptr(), count) };
    let first = &new[0];
    first.state.store(TAKEN, Relaxed);
    for pair in new.windows(2) {
        pair[0]
            .next
            .store(ptr::from_ref(&pair[1]).cast_mut(), Relaxed);
    }
    let last = &new[count - 1];
    let mut rest = LIST.load(Acquire);
    loop {
        last.next.store(rest, Relaxed);
        match LIST.compare_exchange(rest, ptr::from_ref(first).cast_mut(), AcqRel, Acquire) {
            Ok(_) => return Ok(first),
            Err(now) => rest = now,
        }
    }
}

/// Called in a child, which has one thread.
extern "C" fn close_all() {
    // Another function that `fork` calls may have made a ring in the child already.
    let us = Process::current().map_or(0, Process::number);
    for entry in entries() {
        let state = entry.state.load(Acquire);
        if ![LIVE, KEPT].contains(&state) || entry.owner.load(Relaxed) == us {
            continue;
        }
        let (start, len) = (entry.start.load(Relaxed), entry.len.load(Relaxed));
        let Some(start) = NonNull::new(ptr::without_provenance_mut(start)) else {
            continue;
        };
        // This thread is the one that forked: it has counted what it refers to.
        let is_used = entry.users.load(Relaxed) != 0;
        let closed = match (state, is_used) {
            (LIVE, false) => CLOSED,
            (LIVE, true) => {
                // Whole mappings, which takes neither more addresses nor more mappings.
                // SAFETY: the pages were the parent's own, and are the child's now. An access
                // through an old reference should end in a signal. [child]
                if unsafe { call::mprotect(start, len, sys::PROT_NONE) }.is_err() {
                    // References to them would be to memory that the parent changes.
                    call::abort();
                }
                CLOSED
            }
            (_, false) => ABSENT,
            (_, true) => {
                if !occupy(start, len) {
                    // References to them would be to memory that is somebody else's.
                    call::abort();
                }
                CLOSED
            }
        };
        entry.state.store(closed, Relaxed);
    }
}

/// Maps pages that cannot be accessed at `start`, where nothing is mapped; returns whether it did.
fn occupy(start: NonNull<u8>, len: usize) -> bool {
    let flags = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | os::MAP_NORESERVE | os::NO_REPLACE;
    let address = start.addr().get();
    // SAFETY: MAP_FIXED is only set together with all of NO_REPLACE. [new]
    let mapped = unsafe { call::mmap_at(address, len, sys::PROT_NONE, flags, -1, 0) };
    mapped.is_ok_and(|mapped| mapped == start)
}

// SAFETY: an entry is only read, and changed by atomics. [threads, atomic]
unsafe impl Send for Alone {}
// SAFETY: as above. [threads, atomic]
unsafe impl Sync for Alone {}
