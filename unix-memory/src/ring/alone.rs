//! Memory that belongs to this process alone: what becomes of it in a child of `fork`.
//!
//! Its pages are shared, as they have to be to be mapped twice. A child would have them too, and a slice
//! that its parent's thread held when it forked would be one of memory that its parent changes. So in
//! the child, before anything of its own runs, they are replaced by pages that cannot be accessed. They
//! are never just missing: something else could come to lie there, and the slice be one of that.
//!
//! What is replaced is found in a list that a child can read whatever the other threads of its parent
//! were at when it was made: nodes are added, never removed, and only change by atomics.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize};
use std::boxed::Box;

use crate::call::{self, Errno};
use crate::os;
use crate::process::Process;
use crate::region::Pages;

/// Pages of this process alone, as long as this lives.
pub struct Alone {
    owner: Process,
    entry: &'static Entry,
}

/// An entry of the list.
struct Entry {
    state: AtomicU8,
    /// The number of the process whose pages they are.
    owner: AtomicU32,
    start: AtomicUsize,
    len: AtomicUsize,
    /// Null for the last.
    next: *const Entry,
}

/// Nobody's.
const FREE: u8 = 0;
/// Somebody's, who is about to say what pages.
const TAKEN: u8 = 1;
/// Of these pages.
const LIVE: u8 = 2;
/// Of pages that were replaced here, in a child of who had them.
const REPLACED: u8 = 3;

/// The entry that was added last.
static LIST: AtomicPtr<Entry> = AtomicPtr::new(ptr::null_mut());

/// Whether `fork` calls `replace_all` in children.
static IS_CALLED: AtomicBool = AtomicBool::new(false);

fn entries() -> impl Iterator<Item = &'static Entry> {
    let mut next: *const Entry = LIST.load(Acquire);
    core::iter::from_fn(move || {
        // SAFETY: it is null, or an entry, which is never freed.
        let entry = unsafe { next.as_ref() }?;
        next = entry.next;
        Some(entry)
    })
}

impl Alone {
    /// Has every child find what cannot be accessed in place of `pages`.
    ///
    /// # Errors
    /// `ENOMEM`.
    ///
    /// # Safety
    /// They are the caller's, who does not unmap them before [`release`](Self::release) says so.
    pub unsafe fn new(pages: Pages) -> Result<Self, Errno> {
        let owner = Process::current()?;
        if !IS_CALLED.load(Acquire) {
            // Two threads may both do it: what is replaced is then replaced once.
            os::at_fork(replace_all)?;
            IS_CALLED.store(true, Release);
        }
        let take = |entry: &&Entry| {
            let taken = entry.state.compare_exchange(FREE, TAKEN, AcqRel, Relaxed);
            taken.is_ok()
        };
        let entry = entries().find(take).unwrap_or_else(add);
        entry.owner.store(owner.number(), Relaxed);
        entry.start.store(pages.start.addr().get(), Relaxed);
        entry.len.store(pages.len, Relaxed);
        entry.state.store(LIVE, Release);
        Ok(Self { owner, entry })
    }

    /// Whether this is the process whose pages they are: in another, they must not be accessed.
    #[inline]
    pub fn is_here(&self) -> bool {
        self.owner.is_current()
    }

    /// Gives the pages up; returns whether they are to be unmapped.
    pub fn release(&self) -> bool {
        if self.is_here() {
            // Before they are unmapped: a child that is made after that must not replace what has
            // come to lie there.
            self.entry.state.store(FREE, Release);
            return true;
        }
        // What replaced them is this process's own. Where they were not, in a child that a bare
        // system call made, they are left alone.
        let replaced = self
            .entry
            .state
            .compare_exchange(REPLACED, FREE, AcqRel, Relaxed);
        replaced.is_ok()
    }
}

/// Adds an entry to the list, which is taken.
#[cold]
fn add() -> &'static Entry {
    let entry = Box::leak(Box::new(Entry {
        state: AtomicU8::new(TAKEN),
        owner: AtomicU32::new(0),
        start: AtomicUsize::new(0),
        len: AtomicUsize::new(0),
        next: ptr::null(),
    }));
    let mut first = LIST.load(Acquire);
    loop {
        entry.next = first;
        match LIST.compare_exchange(first, entry, AcqRel, Acquire) {
            Ok(_) => return entry,
            Err(now) => first = now,
        }
    }
}

/// Called in a child, which has one thread.
extern "C" fn replace_all() {
    // Another function that `fork` calls may have made a ring in the child already.
    let us = Process::current().map_or(0, Process::number);
    for entry in entries() {
        if entry.state.load(Acquire) != LIVE || entry.owner.load(Relaxed) == us {
            continue;
        }
        let start = entry.start.load(Relaxed);
        let Some(start) = NonNull::new(ptr::without_provenance_mut(start)) else {
            continue;
        };
        // SAFETY: the pages were the parent's own, and are the child's now. Who refers to them is to
        // be ended by a signal.
        if unsafe { call::replace_by_nothing(start, entry.len.load(Relaxed)) }.is_err() {
            // What refers to them would be of memory that the parent changes.
            call::abort();
        }
        entry.state.store(REPLACED, Relaxed);
    }
}

// SAFETY: an entry is only read, and changed by atomics.
unsafe impl Send for Alone {}
// SAFETY: as above.
unsafe impl Sync for Alone {}
