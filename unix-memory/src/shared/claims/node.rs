//! A node of the tree of claims, without its parent.

use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::sync::atomic::{AtomicPtr, AtomicU16};

use super::entry::{self, GRANULE};
use crate::advice::unchecked::UncheckedAdvice;
use crate::error::Errno;
use crate::os::{self, call};
use crate::page::round_up;

/// The length in bytes of every node except the root, which may be shorter.
const NODE: usize = 64 << 10;
/// How many entries a leaf has; other nodes have `POINTERS` pointers.
pub const ENTRIES: usize = NODE / size_of::<AtomicU16>();
pub const POINTERS: usize = NODE / size_of::<AtomicPtr<u8>>();

/// No node is at a lower address: such a pointer is a mark, whose value is the size of its atomics.
const MARKS: usize = GRANULE + 1;

/// Returns how far to shift the number of a granule to get that of a child, in nodes of `height`,
/// which is not zero.
#[inline]
pub const fn shift(height: usize) -> usize {
    let levels = (height - 1) * POINTERS.trailing_zeros() as usize;
    ENTRIES.trailing_zeros() as usize + levels
}

/// The error when no memory is available for a node.
#[derive(Debug)]
pub struct NoMemory {
    pub errno: Errno,
    /// The length in bytes that was requested.
    pub len: usize,
}

/// What to do to a range.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Check whether it can be claimed. Makes no nodes.
    Look,
    /// Make the nodes that are needed to claim it.
    Make,
    /// Claim it, from its start on, as far as it is free.
    Claim,
}

/// A node, without its parent.
#[derive(Clone, Copy)]
pub struct Node {
    /// Its first entry or pointer.
    pub start: NonNull<u8>,
    /// Zero for a leaf.
    pub height: usize,
}

impl Node {
    /// Returns an entry of a leaf.
    ///
    /// # Safety
    /// It is a leaf and has that entry; the tree lives as long as `'a`.
    pub unsafe fn entry<'a>(self, index: usize) -> &'a AtomicU16 {
        // SAFETY: as the caller vouches, it lies in the node. [caller, inside]
        let entry = unsafe { self.start.cast::<AtomicU16>().add(index) };
        // SAFETY: it is aligned, zeroed or written as such, and lives as the caller vouches.
        // [caller, values]
        unsafe { entry.as_ref() }
    }

    /// Returns a pointer of a node that is not a leaf.
    ///
    /// # Safety
    /// It is not a leaf and has that pointer; the tree lives as long as `'a`.
    unsafe fn pointer<'a>(self, index: usize) -> &'a AtomicPtr<u8> {
        // SAFETY: as the caller vouches, it lies in the node. [caller, inside]
        let pointer = unsafe { self.start.cast::<AtomicPtr<u8>>().add(index) };
        // SAFETY: it is aligned, zeroed (null) or written as such, and lives as the caller vouches.
        // [caller, values]
        unsafe { pointer.as_ref() }
    }

    /// Like [`Root::has`], for a root that is not a leaf.
    ///
    /// # Safety
    /// As there.
    #[inline(never)]
    pub unsafe fn has_below(mut self, granule: usize, own: u16, size: usize) -> bool {
        while self.height > 0 {
            let number = granule >> shift(self.height);
            // (A root may have fewer, but no granule lies beyond them.)
            // SAFETY: the node has a pointer for each child that it covers. [inside]
            let child = unsafe { self.pointer(number % POINTERS) }.load(Acquire);
            if child.addr() < MARKS {
                return child.addr() == size;
            }
            // SAFETY: it is not null. [inside]
            self.start = unsafe { NonNull::new_unchecked(child) };
            self.height -= 1;
        }
        // SAFETY: the leaf has an entry for each granule that it covers. [inside]
        let entry = unsafe { self.entry(granule % ENTRIES) };
        entry.load(Relaxed) & own == own
    }

    /// Applies `step` to `bytes`, counted from the first byte that the node covers; the range is not
    /// empty. False if another size has claimed a part of them.
    ///
    /// # Errors
    /// Those of `mmap` if there is no memory for a node.
    ///
    /// # Safety
    /// The node covers these bytes, in a tree that lives throughout the call.
    pub unsafe fn walk(
        self,
        bytes: &Range<usize>,
        size: usize,
        step: Step,
    ) -> Result<bool, NoMemory> {
        let Some(above) = self.height.checked_sub(1) else {
            let mut pieces = pieces(bytes, GRANULE);
            return Ok(step == Step::Make
                || pieces.all(|(index, within)| {
                    // SAFETY: the leaf has an entry for each granule that it covers. [inside]
                    let entry = unsafe { self.entry(index) };
                    if step == Step::Look {
                        entry::is_free(entry, size, &within)
                    } else {
                        entry::claim(entry, size, &within)
                    }
                }));
        };
        let span = GRANULE << shift(self.height);
        for (index, within) in pieces(bytes, span) {
            // SAFETY: the node has a pointer for each child that it covers. [inside]
            let pointer = unsafe { self.pointer(index) };
            // Acquire pairs with the release of the thread that put the child there: it is all zeros.
            let mut child = pointer.load(Acquire);
            if child.is_null() {
                let whole = within.len() == span;
                child = match step {
                    Step::Look => continue,
                    Step::Make if whole => continue,
                    Step::Claim if whole => put(pointer, core::ptr::without_provenance_mut(size)),
                    Step::Make | Step::Claim => make(pointer)?,
                };
            }
            let free = match NonNull::new(child) {
                Some(start) if child.addr() >= MARKS => {
                    let height = above;
                    // SAFETY: it is the child that covers these bytes; it stays as long as the tree.
                    // [owned]
                    unsafe { Self { start, height }.walk(&within, size, step) }?
                }
                _ => child.addr() == size,
            };
            if !free {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Unmaps everything below the node, whose first `count` pointers may be set.
    ///
    /// # Safety
    /// The node has `count` pointers, unless it is a leaf, and nobody uses the tree any more.
    pub unsafe fn unmap_below(self, count: usize) {
        let Some(above) = self.height.checked_sub(1) else {
            return;
        };
        for index in 0..count {
            // SAFETY: the node has that many. [inside]
            let child = unsafe { self.pointer(index) }.load(Relaxed);
            let Some(start) = NonNull::new(child) else {
                continue;
            };
            if child.addr() >= MARKS {
                let height = above;
                // SAFETY: every node but the root is of full length; nobody uses the tree. [caller]
                unsafe { Self { start, height }.unmap_below(POINTERS) };
                // SAFETY: it was mapped as a node, and only this pointer refers to it. [owned]
                unsafe { unmap(start, NODE) };
            }
        }
    }
}

/// Splits `bytes` into pieces that each lie in one multiple of `span` bytes: its number, and the
/// range within it.
fn pieces(
    bytes: &Range<usize>,
    span: usize,
) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
    let Range { start, end } = *bytes;
    (start / span..end.div_ceil(span)).map(move |index| {
        let base = index * span;
        (index, start.saturating_sub(base)..span.min(end - base))
    })
}

/// Sets `pointer` to `child` if it is null, and returns the child that it then points to: this one
/// or another thread's.
fn put(pointer: &AtomicPtr<u8>, child: *mut u8) -> *mut u8 {
    let before = pointer.compare_exchange(core::ptr::null_mut(), child, AcqRel, Acquire);
    match before {
        Ok(_) => child,
        Err(first) => first,
    }
}

/// Maps pages for a node.
pub fn zeroed_pages(len: usize) -> Result<NonNull<u8>, NoMemory> {
    let len = round_up(len);
    call::zeroed_pages(len).map_err(|errno| NoMemory { errno, len })
}

/// Makes a node for `pointer`, unless another thread is faster. Returns the node that is there then.
#[cold]
fn make(pointer: &AtomicPtr<u8>) -> Result<*mut u8, NoMemory> {
    let new = zeroed_pages(NODE)?;
    let child = put(pointer, new.as_ptr());
    if child != new.as_ptr() {
        // SAFETY: no other thread has these pages. [new]
        unsafe { unmap(new, NODE) };
    }
    Ok(child)
}

/// Unmaps pages of a tree.
///
/// # Safety
/// They were mapped for the tree as a whole, and nobody uses them.
pub unsafe fn unmap(start: NonNull<u8>, len: usize) {
    // SAFETY: as the caller vouches. [caller]
    if unsafe { call::munmap(start, round_up(len)) }.is_ok() {
        return;
    }
    // The kernel may have merged them with their neighbours, and be at its limit of mappings: then
    // they keep their addresses, and give back their memory.
    for advice in [UncheckedAdvice::DontNeed, UncheckedAdvice::Free] {
        if let Some(value) = os::unchecked_advice(advice) {
            // SAFETY: nobody uses their content. [caller]
            let _hint = unsafe { os::madvise(start, round_up(len), value) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_cut_at_multiples() {
        assert!(pieces(&(3..5), 8).eq([(0, 3..5)]));
        assert!(pieces(&(8..16), 8).eq([(1, 0..8)]));
        assert!(pieces(&(7..25), 8).eq([(0, 7..8), (1, 0..8), (2, 0..8), (3, 0..1)]));
        let last = usize::MAX / 2;
        assert!(pieces(&(last - 1..last), 1 << 20).count() == 1);
    }
}
