//! What this crate knows about pages beyond what the kernel reports, by address: which of them guards
//! hold, which are left out of core dumps, and what the kernel refused to release.
//!
//! One ledger serves the process, under a lock. A call that gives up addresses of pages that it knows
//! is made under that lock: otherwise another thread could get the addresses, and record something
//! about them, before they are forgotten here.

mod node;
mod pool;
mod ranges;
mod tree;
pub mod wishes;

use core::cell::UnsafeCell;
use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

pub use node::{Kind, Known, Marks};
pub use tree::Tree;

use crate::advice::Advice;
use crate::error::Errno;
use crate::os::{self, call};
use crate::page::{Pages, page_size};
use crate::process::Process;
use crate::region::spare;
use wishes::Wishes;

/// How many refused ranges are tried again at a time.
const TRIES: usize = 8;

pub struct Ledger {
    /// What guards hold, and what is left out of core dumps.
    pub held: Tree,
    /// What the kernel refused: [`Marks::LOCKED`], [`Marks::MAPPED`].
    refused: Tree,
    /// The address at which the search for the next of these begins.
    next_try: usize,
    /// What guards of the whole process ask for.
    pub process: Wishes,
    /// The number of the process that owns this; zero until it is used.
    number: u32,
}

struct Shared {
    /// How many ranges the two trees have, for callers that only ask whether there are any.
    len: AtomicUsize,
    /// The number of the process one of whose threads uses the ledger; zero where none does.
    user: AtomicU32,
    ledger: UnsafeCell<Ledger>,
}

// SAFETY: the ledger is only accessed by the thread that set `user`. [turns]
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared {
    len: AtomicUsize::new(0),
    user: AtomicU32::new(0),
    ledger: UnsafeCell::new(Ledger {
        held: Tree::new(),
        refused: Tree::new(),
        next_try: 0,
        process: Wishes::NONE,
        number: 0,
    }),
};

/// Calls `f` with the ledger of this process, alone. `f` neither panics nor calls this.
///
/// # Errors
/// Those of [`Process::current`], which succeeds once there is anything in a ledger.
pub fn with<R>(f: impl FnOnce(&mut Ledger) -> R) -> Result<R, Errno> {
    Ok(with_that_of(Process::current()?, f))
}

/// Calls `f` with the ledger of `process`, which is this one, alone.
#[inline]
pub fn with_that_of<R>(process: Process, f: impl FnOnce(&mut Ledger) -> R) -> R {
    let us = process.number();
    // Acquire pairs with the Release below: what the last user did to the ledger is seen.
    let mut user = 0;
    while let Err(now) =
        SHARED
            .user
            .compare_exchange(user, us, Ordering::Acquire, Ordering::Relaxed)
    {
        user = wait(now, us);
    }
    // SAFETY: `user` was not us and is now, so no thread of this process has a reference. [turns]
    let ledger = unsafe { &mut *SHARED.ledger.get() };
    if ledger.number != us {
        ledger.begin(us, user == 0);
    }
    let result = f(ledger);
    let len = ledger.held.len() + ledger.refused.len();
    SHARED.len.store(len, Ordering::Relaxed);
    SHARED.user.store(0, Ordering::Release);
    result
}

/// The value to expect next of the ledger's user, which was `now`; `us` is this process.
#[cold]
fn wait(now: u32, us: u32) -> u32 {
    if now == us {
        // Another thread has it, seldom for long: a few calls that unlock. Sleeping instead of spinning
        // lets that thread continue even if its priority is lower.
        call::pause();
        0
    } else {
        // Free; or taken in another process: a thread of the parent had the ledger at the fork, and
        // does not exist here.
        now
    }
}

/// Whether there is anything in the ledger, or in that of the parent.
///
/// Relaxed: what is noted about a thread's own pages was noted by threads whose work it has seen.
#[inline]
pub fn is_empty() -> bool {
    SHARED.len.load(Ordering::Relaxed) == 0
}

/// What is known about the pages of `range`: how guards lock all of it, whether all of it is
/// [`Marks::KEPT`], and what other marks any of it has.
pub fn known(range: &Range<usize>) -> Known {
    if is_empty() {
        return Known::default();
    }
    let known = with(|ledger| {
        let marks = ledger.held.known(range).unwrap_or_default().marks;
        let (kind, is_kept) = ledger.held.of_all(range);
        let marks = marks.with(Marks::KEPT, is_kept);
        Known { kind, marks }
    });
    known.unwrap_or_default()
}

/// Whether some of `range` is locked on fault, and none of it fully, as far as guards ask for it.
pub fn is_on_fault(range: &Range<usize>) -> bool {
    let asked = with(|ledger| {
        let held = ledger.held.known(range).unwrap_or_default();
        !held.marks.contains(Marks::KEPT)
            && held.kind.max(ledger.process.kind()) == Some(Kind::OnFault)
    });
    asked.unwrap_or(false)
}

/// Sets a mark on `range`, or clears it.
///
/// # Errors
/// `ENOMEM` if there is no room for the record.
pub fn mark(range: &Range<usize>, mark: Marks, yes: bool) -> Result<(), Errno> {
    if !yes && is_empty() {
        return Ok(());
    }
    with(|ledger| ledger.held.mark(range, mark, yes))?
}

/// Unmaps the `len` bytes of `pages` that were mapped, and forgets what is known about them.
///
/// # Errors
/// Those of `munmap`; what is known stays so.
///
/// # Safety
/// The same as for [`call::munmap`]; `len` bytes reach into the last page.
#[inline]
pub unsafe fn unmap(pages: Pages, len: usize) -> Result<(), Errno> {
    if is_empty() {
        // SAFETY: as the caller vouches. [caller]
        return unsafe { call::munmap(pages.start, len) };
    }
    // SAFETY: as the caller vouches. [caller]
    unsafe { unmap_known(pages, len) }
}

/// # Safety
/// The same as for [`unmap`].
#[cold]
unsafe fn unmap_known(pages: Pages, len: usize) -> Result<(), Errno> {
    // SAFETY: as the caller vouches. [caller]
    let munmap = || unsafe { call::munmap(pages.start, len) };
    let range = pages.addresses();
    let (mut known, mut others_refused) = (None, false);
    let _there = with(|ledger| {
        others_refused = ledger.refused.len() != 0;
        if ledger.knows(&range) {
            let unmapped = munmap();
            if unmapped.is_ok() {
                ledger.forget(&range);
            }
            known = Some(unmapped);
        }
    });
    // Nobody else can record anything about pages that the caller owns.
    known.unwrap_or_else(munmap)?;
    if others_refused {
        // Something was released, so there may be room now.
        let _there = with(Ledger::retry);
    }
    Ok(())
}

/// Gives the mapping of `pages` a length of `len` bytes, elsewhere if it `may_move`; what was known
/// about the old pages is known about the new ones.
///
/// # Errors
/// Those of `mremap`, and of `mmap` if there is no room for a record; nothing has changed then.
///
/// # Safety
/// The same as for [`os::remap`].
pub unsafe fn remap(pages: Pages, len: usize, may_move: bool) -> Result<NonNull<u8>, Errno> {
    // SAFETY: as the caller vouches. [caller]
    let remap = || unsafe { os::remap(pages.start, pages.len, len, may_move) };
    let range = pages.addresses();
    if is_empty() {
        return remap();
    }
    let under_lock = with(|ledger| {
        if !ledger.knows(&range) {
            return Ok(None);
        }
        ledger.held.reserve(4)?;
        ledger.refused.reserve(2)?;
        // The kernel accepts only a single mapping, which is locked, and hidden, as a whole.
        let known = ledger.held.known(&range);
        let refused = ledger.refused.known(&range);
        let new = remap()?;
        ledger.forget(&range);
        let start = new.addr().get();
        let range = start..start + len;
        if let Some(known) = known {
            let _reserved = ledger.note(&range, known);
        }
        if let Some(known) = refused {
            let _reserved = ledger.refused.mark(&range, known.marks, true);
        }
        Ok(Some(new))
    });
    // Nobody else can record anything about pages that the caller owns.
    under_lock.and_then(|done| done)?.map_or_else(remap, Ok)
}

/// Unmaps pages, now or once the kernel no longer refuses.
///
/// # Safety
/// They are the caller's, who no longer uses them.
pub unsafe fn release(pages: Pages) {
    // SAFETY: as the caller vouches. [caller]
    if unsafe { unmap(pages, pages.len) }.is_err() {
        // SAFETY: as the caller vouches. [caller]
        unsafe { abandon(pages) };
    }
}

/// Takes charge of pages that the kernel refused to unmap: gives the memory back, and tries to
/// unmap them again when there may be room.
///
/// # Safety
/// They are the caller's, who no longer uses them.
#[cold]
pub unsafe fn abandon(pages: Pages) {
    for advice in os::GIVE_BACK {
        // SAFETY: nobody uses the pages any more; of a file or shared memory, only this process's view
        // disappears. [caller]
        if unsafe { os::madvise(pages.start, pages.len, *advice) }.is_ok() {
            break;
        }
    }
    // A child without these pages may have something else there, which it must not unmap. Where nothing
    // was advised, this changes nothing, and succeeds also at the limit of mappings.
    let in_children = os::advice(Advice::DoFork).is_none_or(|advice| {
        // SAFETY: no content changes. [harmless]
        unsafe { os::madvise(pages.start, pages.len, advice) }.is_ok()
    });
    if !in_children {
        // The addresses are lost.
        return;
    }
    let range = pages.addresses();
    if Process::current().is_err() {
        // Nothing has used the ledger so far, and its first use takes a mapping.
        spare::give_up();
    }
    let _or_lost = with(|ledger| {
        ledger.forget(&range);
        ledger.refused.mark(&range, Marks::MAPPED, true)
    });
}

impl Ledger {
    /// Makes this the ledger of the process with that number, a child, which has none of its parent's locks, but
    /// everything else. If a thread of the parent was changing the ledger, the ledger is not `whole`:
    /// nothing in it is read, and all of it is forgotten.
    #[cold]
    fn begin(&mut self, number: u32, whole: bool) {
        if whole {
            self.held.keep(Marks::HIDDEN.with(Marks::READ_ONLY, true));
            self.refused.keep(Marks::MAPPED);
        } else {
            self.held.abandon();
            self.refused.abandon();
        }
        self.process = Wishes::NONE;
        self.number = number;
    }

    /// Whether anything is known about `range`.
    fn knows(&self, range: &Range<usize>) -> bool {
        self.held.known(range).is_some() || self.refused.known(range).is_some()
    }

    /// Forgets all that is known about `range`.
    fn forget(&mut self, range: &Range<usize>) {
        self.held.forget(range);
        self.refused.forget(range);
    }

    /// Records that `range` is held and marked, as a whole and permanently, as `known` says.
    ///
    /// # Errors
    /// Those of `mmap`.
    pub fn note(&mut self, range: &Range<usize>, known: Known) -> Result<(), Errno> {
        if let Some(kind) = known.kind {
            self.held.add(range, kind)?;
        }
        if known.marks != Marks::NONE {
            self.held.mark(range, known.marks, true)?;
        }
        Ok(())
    }

    /// Unlocks `range`, which nobody holds; where the kernel refuses, that is noted, to be tried
    /// again.
    pub fn unlock(&mut self, range: &Range<usize>) {
        let Some(start) = pointer(range.start) else {
            return;
        };
        // SAFETY: the pages are those of a guard that is being dropped, or of an earlier one, which
        // the kernel kept locked; no content changes. [owned, harmless]
        let unlocked = unsafe { call::munlock(start, range.len()) }.is_ok();
        self.note_unlocked(range, unlocked);
    }

    /// Notes whether the kernel has just unlocked `range`, pages of a guard that is dropped: where it
    /// refused, that is tried again.
    #[inline]
    pub fn note_unlocked(&mut self, range: &Range<usize>, unlocked: bool) {
        if !unlocked || self.refused.len() != 0 {
            self.note_refused(range, unlocked);
        }
    }

    #[cold]
    fn note_refused(&mut self, range: &Range<usize>, unlocked: bool) {
        if unlocked {
            self.refused.forget(range);
        } else {
            let _or_until_unmapped = self.refused.mark(range, Marks::LOCKED, true);
        }
    }

    /// Forgets which pages the kernel refused to unlock: everything was unlocked.
    pub fn all_unlocked(&mut self) {
        let mut at = 0;
        while let Some((range, _, marks)) = self.refused.next(at) {
            if marks.contains(Marks::LOCKED) {
                self.refused.forget(&range);
            }
            at = range.end;
        }
    }

    fn retry(&mut self) {
        for _ in 0..TRIES {
            let Some((range, _, marks)) = self.refused.next(self.next_try) else {
                self.next_try = 0;
                return;
            };
            self.next_try = range.end;
            if marks.contains(Marks::MAPPED) {
                let Some(start) = pointer(range.start) else {
                    continue;
                };
                // SAFETY: the pages stayed mapped when their owner gave them up, and are nobody's.
                // [owned]
                if unsafe { call::munmap(start, range.len()) }.is_ok() {
                    self.refused.forget(&range);
                }
                continue;
            }
            if self.process.any() {
                // A guard of the process wants all pages locked. When the last one is dropped,
                // everything is unlocked.
                continue;
            }
            // What a guard holds again is unlocked when that is dropped.
            let mut at = range.start;
            while at < range.end {
                let (end, kind) = self.held.run(at, range.end);
                match kind {
                    Some(_) => self.refused.forget(&(at..end)),
                    None => self.unlock(&(at..end)),
                }
                at = end;
            }
        }
    }
}

/// The pointer to an address that the ledger knows.
pub fn pointer(address: usize) -> Option<NonNull<u8>> {
    debug_assert_eq!(address % page_size(), 0);
    // (A guard, or nobody, has the pointer to the pages; the kernel needs only an address.)
    NonNull::new(core::ptr::without_provenance_mut(address))
}

#[cfg(all(test, feature = "std"))]
mod tests;
