//! The table of claims as a tree, which takes memory only where there are claims.
//!
//! A leaf has the entries of 256 KiB of the mapping, one after the other. Above the leaves are nodes
//! of pointers, each of which is one of three:
//! * null: nothing is claimed there;
//! * a mark, which is a small number: all of it is claimed, for atomics of that size;
//! * a node, or a leaf, which then stays as long as the tree.
//!
//! The root is as high as the mapping's length needs, and no longer: a small mapping has a leaf
//! alone. Nodes are made when they are first needed; of two threads that make the same one, one
//! unmaps its own and uses the other's.

use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::sync::atomic::{AtomicPtr, AtomicU16};

use super::entry::{self, GRANULE};
use super::memo::Memo;
use crate::call::{self, Errno};
use crate::os;
use crate::page::round_up;
use crate::unchecked_advice::UncheckedAdvice;

/// The length in bytes of every node but the root, which may be shorter.
const NODE: usize = 64 << 10;
/// How many entries a leaf has, and how many pointers another node.
const ENTRIES: usize = NODE / size_of::<AtomicU16>();
const POINTERS: usize = NODE / size_of::<AtomicPtr<u8>>();

/// In the address of a root: how high it is above the leaves.
const HEIGHT: usize = 0b111;

/// No node is at an address below this one: it is a mark, and the size of its atomics.
const MARKS: usize = GRANULE + 1;

/// How far the number of a granule is shifted to have that of a child, in nodes of `height`, which
/// is not zero.
#[inline]
const fn shift(height: usize) -> usize {
    let levels = (height - 1) * POINTERS.trailing_zeros() as usize;
    ENTRIES.trailing_zeros() as usize + levels
}

/// What cannot be had for a node.
#[derive(Debug)]
pub struct NoMemory {
    pub errno: Errno,
    /// The length in bytes that was asked for.
    pub len: usize,
}

/// What is before the entries or pointers of a root.
#[repr(C, align(64))]
pub struct Head {
    /// How many granules the mapping has. It is the first field.
    granules: usize,
    /// Ranges that are known to be claimed.
    pub memo: Memo,
}

/// What to do to a range.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// See whether it can be claimed. Makes no nodes.
    Look,
    /// Make the nodes that claiming it takes.
    Make,
    /// Claim it, from its start on, as far as it is free.
    Claim,
}

/// A node, without its parent.
#[derive(Clone, Copy)]
struct Node {
    /// Its first entry or pointer.
    start: NonNull<u8>,
    /// Zero for a leaf.
    height: usize,
}

/// The root of a tree.
#[derive(Clone, Copy)]
pub struct Root(Node);

impl Node {
    /// An entry of a leaf.
    ///
    /// # Safety
    /// It is a leaf and has so many; the tree lives as long as `'a`.
    unsafe fn entry<'a>(self, index: usize) -> &'a AtomicU16 {
        // SAFETY: as the caller vouches, it lies in the node.
        let entry = unsafe { self.start.cast::<AtomicU16>().add(index) };
        // SAFETY: it is aligned, zeroed or written as such, and lives as the caller vouches.
        unsafe { entry.as_ref() }
    }

    /// A pointer of another node.
    ///
    /// # Safety
    /// It is no leaf and has so many; the tree lives as long as `'a`.
    unsafe fn pointer<'a>(self, index: usize) -> &'a AtomicPtr<u8> {
        // SAFETY: as the caller vouches, it lies in the node.
        let pointer = unsafe { self.start.cast::<AtomicPtr<u8>>().add(index) };
        // SAFETY: it is aligned, zeroed (null) or written as such, and lives as the caller vouches.
        unsafe { pointer.as_ref() }
    }

    /// As [`Root::has`], of a root that is no leaf.
    ///
    /// # Safety
    /// As there.
    #[inline(never)]
    unsafe fn has_below(mut self, granule: usize, own: u16, size: usize) -> bool {
        while self.height > 0 {
            let number = granule >> shift(self.height);
            // (A root may have fewer, but no granule is beyond them.)
            // SAFETY: the node has a pointer for each child that it stands for.
            let child = unsafe { self.pointer(number % POINTERS) }.load(Acquire);
            if child.addr() < MARKS {
                return child.addr() == size;
            }
            // SAFETY: it is not null.
            self.start = unsafe { NonNull::new_unchecked(child) };
            self.height -= 1;
        }
        // SAFETY: the leaf has an entry for each granule that it stands for.
        let entry = unsafe { self.entry(granule % ENTRIES) };
        entry.load(Relaxed) & own == own
    }

    /// Does `step` to `bytes`, counted from the first that the node stands for, of which there are
    /// some; false where another size has a part of them.
    ///
    /// # Errors
    /// Those of `mmap`, where there is no memory for a node.
    ///
    /// # Safety
    /// The node stands for these bytes, in a tree that lives through the call.
    unsafe fn walk(self, bytes: &Range<usize>, size: usize, step: Step) -> Result<bool, NoMemory> {
        let Some(above) = self.height.checked_sub(1) else {
            let mut pieces = pieces(bytes, GRANULE);
            return Ok(step == Step::Make
                || pieces.all(|(index, within)| {
                    // SAFETY: the leaf has an entry for each granule that it stands for.
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
            // SAFETY: the node has a pointer for each child that it stands for.
            let pointer = unsafe { self.pointer(index) };
            // Acquire pairs with the release of who put the child there: it is all zeros.
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
                    // SAFETY: it is the child that stands for these bytes; it stays with the tree.
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

    /// Unmaps what is below the node, of whose pointers `count` may not be null.
    ///
    /// # Safety
    /// The node has so many, unless it is a leaf, and nobody uses the tree any more.
    unsafe fn unmap_below(self, count: usize) {
        let Some(above) = self.height.checked_sub(1) else {
            return;
        };
        for index in 0..count {
            // SAFETY: there are as many.
            let child = unsafe { self.pointer(index) }.load(Relaxed);
            let Some(start) = NonNull::new(child) else {
                continue;
            };
            if child.addr() >= MARKS {
                let height = above;
                // SAFETY: every node but the root is of full length; nobody uses the tree.
                unsafe { Self { start, height }.unmap_below(POINTERS) };
                // SAFETY: it was mapped for this, and is reached by this pointer alone.
                unsafe { unmap(start, NODE) };
            }
        }
    }
}

/// `bytes` in pieces that lie in one multiple of `span` bytes each: its number, and where they are in
/// it.
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

/// Puts `child` where there is none, and returns what is there then: it, or another's.
fn put(pointer: &AtomicPtr<u8>, child: *mut u8) -> *mut u8 {
    let before = pointer.compare_exchange(core::ptr::null_mut(), child, AcqRel, Acquire);
    match before {
        Ok(_) => child,
        Err(first) => first,
    }
}

/// Maps pages for a node.
fn zeroed_pages(len: usize) -> Result<NonNull<u8>, NoMemory> {
    let len = round_up(len);
    call::zeroed_pages(len).map_err(|errno| NoMemory { errno, len })
}

/// Makes a node for `pointer`, unless another thread is first. Returns what is there then.
#[cold]
fn make(pointer: &AtomicPtr<u8>) -> Result<*mut u8, NoMemory> {
    let new = zeroed_pages(NODE)?;
    let child = put(pointer, new.as_ptr());
    if child != new.as_ptr() {
        // SAFETY: nobody else has these pages.
        unsafe { unmap(new, NODE) };
    }
    Ok(child)
}

impl Root {
    /// Makes the root for a mapping of `granules` granules, of which there are some.
    ///
    /// # Errors
    /// Those of `mmap`.
    pub fn make(granules: usize) -> Result<Self, NoMemory> {
        let height = Self::height_for(granules);
        let base = zeroed_pages(Self::len_for(granules))?;
        // The first field of `Head`.
        // SAFETY: the pages begin with room for it.
        unsafe { base.cast::<usize>().write(granules) };
        // SAFETY: and have the entries behind it.
        let start = unsafe { base.add(size_of::<Head>()) };
        Ok(Self(Node { start, height }))
    }

    const fn height_for(granules: usize) -> usize {
        let mut height = 0;
        let mut nodes = (granules - 1) / ENTRIES;
        while nodes != 0 {
            height += 1;
            nodes /= POINTERS;
        }
        height
    }

    /// How many entries or pointers the root for `granules` has.
    const fn count_for(granules: usize) -> usize {
        match Self::height_for(granules) {
            0 => granules,
            height => ((granules - 1) >> shift(height)) + 1,
        }
    }

    /// The length in bytes of the root for `granules`.
    const fn len_for(granules: usize) -> usize {
        let each = match Self::height_for(granules) {
            0 => size_of::<AtomicU16>(),
            _ => size_of::<AtomicPtr<u8>>(),
        };
        size_of::<Head>() + Self::count_for(granules) * each
    }

    /// As one pointer, not null.
    pub fn into_raw(self) -> *mut u8 {
        // Its address is a multiple of the head's alignment.
        self.0.start.as_ptr().wrapping_byte_add(self.0.height)
    }

    /// What [`into_raw`](Self::into_raw) gave; `None` for null.
    #[inline]
    pub fn from_raw(raw: *mut u8) -> Option<Self> {
        let height = raw.addr() & HEIGHT;
        let start = NonNull::new(raw)?.as_ptr().wrapping_byte_sub(height);
        // SAFETY: the address of a root is not below its height.
        let start = unsafe { NonNull::new_unchecked(start) };
        Some(Self(Node { start, height }))
    }

    /// # Safety
    /// The tree lives as long as `'a`.
    pub unsafe fn head<'a>(self) -> &'a Head {
        // SAFETY: it is before the root's first entry, in the same pages.
        let head = unsafe { self.0.start.sub(size_of::<Head>()) };
        // SAFETY: it is aligned, as the pages are; zeros are a value of it; it was written before
        // the root was given to others, and changes by atomics alone.
        unsafe { head.cast::<Head>().as_ref() }
    }

    /// Whether the entry of a granule has all bits of `own`, which are those of some atomics of `size`
    /// bytes.
    ///
    /// # Safety
    /// The mapping has the granule, and the tree lives through the call.
    #[inline]
    pub unsafe fn has(self, granule: usize, own: u16, size: usize) -> bool {
        if self.0.height > 0 {
            // SAFETY: as the caller vouches.
            return unsafe { self.0.has_below(granule, own, size) };
        }
        // SAFETY: a leaf that is a root has an entry for each granule.
        let entry = unsafe { self.0.entry(granule) };
        entry.load(Relaxed) & own == own
    }

    /// Does `step` to `bytes`, counted from the start of the first granule; false where another size
    /// has a part of them.
    ///
    /// # Errors
    /// Those of `mmap`, where there is no memory for a node.
    ///
    /// # Safety
    /// The mapping has these bytes, and the tree lives through the call.
    pub unsafe fn walk(
        self,
        bytes: &Range<usize>,
        size: usize,
        step: Step,
    ) -> Result<bool, NoMemory> {
        // SAFETY: as the caller vouches; the root stands for the whole mapping.
        unsafe { self.0.walk(bytes, size, step) }
    }

    /// Unmaps the tree.
    ///
    /// # Safety
    /// Nobody uses it any more.
    pub unsafe fn unmap(self) {
        // SAFETY: it lives until the end of this function.
        let granules = unsafe { self.head() }.granules;
        // SAFETY: it has so many; nobody uses it.
        unsafe { self.0.unmap_below(Self::count_for(granules)) };
        // SAFETY: the head is where the pages begin.
        let base = unsafe { self.0.start.sub(size_of::<Head>()) };
        // SAFETY: they were mapped for the root, in that length.
        unsafe { unmap(base, Self::len_for(granules)) };
    }
}

/// Unmaps pages of a tree.
///
/// # Safety
/// They were mapped for it as a whole, and nobody uses them.
unsafe fn unmap(start: NonNull<u8>, len: usize) {
    // SAFETY: as the caller vouches.
    if unsafe { call::munmap(start, round_up(len)) }.is_ok() {
        return;
    }
    // The kernel may have merged them with their neighbours, and be at its limit of mappings: then
    // they keep their addresses, and give their memory back.
    for advice in [UncheckedAdvice::DontNeed, UncheckedAdvice::Free] {
        if let Some(value) = os::unchecked_advice(advice) {
            // SAFETY: nobody uses what they hold.
            let _hint = unsafe { call::madvise(start, round_up(len), value) };
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

    #[test]
    fn a_root_is_as_high_as_it_has_to_be() {
        let heights = |granules| (Root::height_for(granules), Root::count_for(granules));
        assert_eq!(heights(1), (0, 1));
        assert_eq!(heights(ENTRIES), (0, ENTRIES));
        assert_eq!(heights(ENTRIES + 1), (1, 2));
        assert_eq!(heights(ENTRIES * POINTERS), (1, POINTERS));
        // The longest that there can be.
        let most = isize::MAX.unsigned_abs() / GRANULE + 1;
        let (height, count) = heights(most);
        assert!(height <= HEIGHT && count <= POINTERS);
        for granules in [1, ENTRIES, ENTRIES + 1, most] {
            let (height, count) = heights(granules);
            let last = granules - 1;
            let index = if height == 0 {
                last
            } else {
                last >> shift(height)
            };
            assert_eq!(index, count - 1);
        }
    }

    #[test]
    fn a_root_is_one_pointer() {
        for granules in [1, ENTRIES + 1] {
            let root = Root::make(granules).unwrap();
            let raw = root.into_raw();
            let same = Root::from_raw(raw).unwrap();
            assert_eq!(same.0.start, root.0.start);
            assert_eq!(same.0.height, Root::height_for(granules));
            // SAFETY: nobody else has it.
            assert_eq!(unsafe { same.head() }.granules, granules);
            // SAFETY: as above.
            unsafe { same.unmap() };
        }
        assert!(Root::from_raw(core::ptr::null_mut()).is_none());
    }
}
