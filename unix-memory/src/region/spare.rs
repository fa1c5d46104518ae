//! Spare mappings, which are given up if the kernel's limit of mappings prevents undoing a change.
//!
//! A change of protection that fails half-way has to be undone. What it did may have merged two
//! mappings into one, and undoing that takes one more mapping than there are then; at the limit,
//! there is none.

use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::{AcqRel, Relaxed};

use unix_memory_sys as sys;

use crate::error::Errno;
use crate::os::{self, call};
use crate::page::{Pages, page_size};

/// How many there are: undoing a change takes one at each end of a range.
const MAPPINGS: usize = 3;

/// The pages; null where there are none.
static SPARE: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// Whether there are some.
#[inline]
pub fn is_kept() -> bool {
    !SPARE.load(Relaxed).is_null()
}

/// Makes them, unless they exist, before one mapping may become several, or several are changed.
#[inline]
pub fn keep() {
    if !is_kept() {
        let _without = make();
    }
}

/// Makes them, unless they exist, before `pages`, which may be several mappings, are changed.
///
/// # Errors
/// `ENOMEM` if there are none, and none can be made: such a change could not be undone.
#[inline]
pub fn keep_for(pages: Pages) -> Result<(), Errno> {
    if is_kept() {
        return Ok(());
    }
    do_without(pages)
}

#[cold]
fn do_without(pages: Pages) -> Result<(), Errno> {
    match make() {
        Err(libc::ENOMEM) if os::may_be_several(pages) => Err(libc::ENOMEM),
        // A single mapping is changed as a whole. And if mapping fails for another reason, such as a
        // filter, there is room to undo a change.
        _ => Ok(()),
    }
}

#[cold]
#[inline(never)]
fn make() -> Result<(), Errno> {
    let page = page_size();
    let len = MAPPINGS * page;
    // Shared, so that the kernel does not merge it with another mapping.
    let flags = sys::MAP_SHARED | sys::MAP_ANONYMOUS;
    let start = call::mmap(0, len, sys::PROT_NONE, flags, -1, 0)?;
    // SAFETY: the offset is within the pages. [inside]
    let middle = unsafe { start.add(page) };
    // The page in the middle has another protection than those beside it: three mappings.
    // SAFETY: the pages were mapped just now, and nothing refers to them. [new]
    let apart = unsafe { call::mprotect(middle, page, sys::PROT_READ) };
    let new = start.as_ptr();
    let kept = apart.is_ok()
        && SPARE
            .compare_exchange(ptr::null_mut(), new, AcqRel, Relaxed)
            .is_ok();
    if !kept {
        // SAFETY: nobody else has these pages. [new]
        let _refused = unsafe { call::munmap(start, len) };
    }
    apart
}

/// Gives them up; another thread may take the room that this makes.
pub fn give_up() {
    if let Some(start) = NonNull::new(SPARE.swap(ptr::null_mut(), AcqRel)) {
        // SAFETY: the pages were mapped for this, and nobody else has them any more. They are whole
        // mappings, which the kernel can always unmap. [new, owned]
        let _whole = unsafe { call::munmap(start, MAPPINGS * page_size()) };
    }
}

/// How often another thread may take the room that was made, before this gives up.
const TRIES: u16 = 64;

/// The outcome of a change that was refused half-way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is as it was.
    Undone,
    /// It was completed after all.
    Done,
}

/// Undoes a change of several mappings that the kernel refused, by `back`, or completes it, by `on`;
/// `is_back` checks whether all is as it was.
///
/// The kernel changes one mapping after another, and stops at the first that it refuses: those before
/// it have changed. If it refuses both directions, again and again, this aborts the process, because
/// no type would describe the pages.
#[cold]
pub fn undo(
    back: impl Fn() -> Result<(), Errno>,
    on: impl Fn() -> Result<(), Errno>,
    is_back: impl Fn() -> bool,
) -> Outcome {
    for tries in 0..TRIES {
        match back() {
            // If a part is sealed (EPERM), the mappings before it went back, and those after it never
            // changed. The kernel has the call, so ENOSYS comes from a filter, and nothing changed.
            Ok(()) | Err(libc::EPERM | libc::ENOSYS) => return Outcome::Undone,
            Err(_) => {}
        }
        if tries == 0 {
            give_up();
        } else if is_back() {
            return Outcome::Undone;
        } else if on().is_ok() {
            return Outcome::Done;
        } else {
            call::pause_for(tries);
        }
    }
    call::abort()
}
