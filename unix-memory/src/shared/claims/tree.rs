//! The table of claims as a tree, which takes memory only where there are claims.
//!
//! A leaf has the entries of 256 KiB of the mapping, one after another. Above the leaves are nodes of
//! pointers, each of which is one of three:
//! * null: nothing is claimed there;
//! * a mark, which is a small number: all of it is claimed, for atomics of that size;
//! * a node, or a leaf, which then stays as long as the tree.
//!
//! The root is as high as the mapping's length requires, and no higher: a small mapping has only a
//! leaf. Nodes are made when they are first needed; if two threads make the same one, one unmaps its
//! own and uses the other's.

use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicPtr, AtomicU16};

use super::memo::Memo;
use super::node::{ENTRIES, NoMemory, Node, POINTERS, Step, shift, unmap, zeroed_pages};

/// The bits in the address of a root that hold its height above the leaves.
const HEIGHT: usize = 0b111;

/// The header before the entries or pointers of a root.
#[repr(C, align(64))]
pub struct Head {
    /// How many granules the mapping has. It is the first field.
    granules: usize,
    /// Ranges that are known to be claimed.
    pub memo: Memo,
}

/// The root of a tree.
#[derive(Clone, Copy)]
pub struct Root(Node);

impl Root {
    /// Makes the root for a mapping of `granules` granules, at least one.
    ///
    /// # Errors
    /// Those of `mmap`.
    pub fn make(granules: usize) -> Result<Self, NoMemory> {
        let height = Self::height_for(granules);
        let base = zeroed_pages(Self::len_for(granules))?;
        // SAFETY: the pages begin with room for it, and zeros are a valid value; nobody else has
        // them. [new, values]
        unsafe { base.cast::<Head>().as_mut() }.granules = granules;
        // SAFETY: the entries follow it in the same pages. [inside]
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

    /// Returns how many entries or pointers the root for `granules` has.
    const fn count_for(granules: usize) -> usize {
        match Self::height_for(granules) {
            0 => granules,
            height => ((granules - 1) >> shift(height)) + 1,
        }
    }

    /// Returns the length in bytes of the root for `granules`.
    const fn len_for(granules: usize) -> usize {
        let each = match Self::height_for(granules) {
            0 => size_of::<AtomicU16>(),
            _ => size_of::<AtomicPtr<u8>>(),
        };
        size_of::<Head>() + Self::count_for(granules) * each
    }

    /// Returns the root as one pointer, not null.
    pub fn into_raw(self) -> *mut u8 {
        // Its address is a multiple of the head's alignment.
        self.0.start.as_ptr().wrapping_byte_add(self.0.height)
    }

    /// Returns the root of a result of [`into_raw`](Self::into_raw); `None` for null.
    #[inline]
    pub fn from_raw(raw: *mut u8) -> Option<Self> {
        let height = raw.addr() & HEIGHT;
        let start = NonNull::new(raw)?.as_ptr().wrapping_byte_sub(height);
        // SAFETY: the address of a root is not below its height. [inside]
        let start = unsafe { NonNull::new_unchecked(start) };
        Some(Self(Node { start, height }))
    }

    /// # Safety
    /// The tree lives as long as `'a`.
    pub unsafe fn head<'a>(self) -> &'a Head {
        // SAFETY: it is before the root's first entry, in the same pages. [inside]
        let head = unsafe { self.0.start.sub(size_of::<Head>()) };
        // SAFETY: it is aligned, as the pages are; zeros are a valid value; it was written before the
        // root was published, and changes only by atomics. [values, atomic, owned]
        unsafe { head.cast::<Head>().as_ref() }
    }

    /// Returns whether the entry of a granule has all bits of `own`, the bits of atomics of `size`
    /// bytes.
    ///
    /// # Safety
    /// The mapping has the granule, and the tree lives throughout the call.
    #[inline]
    pub unsafe fn has(self, granule: usize, own: u16, size: usize) -> bool {
        if self.0.height > 0 {
            // SAFETY: as the caller vouches. [caller]
            return unsafe { self.0.has_below(granule, own, size) };
        }
        // SAFETY: a leaf that is a root has an entry for each granule. [inside]
        let entry = unsafe { self.0.entry(granule) };
        entry.load(Relaxed) & own == own
    }

    /// Applies `step` to `bytes`, counted from the start of the first granule; false if another size
    /// has claimed a part of them.
    ///
    /// # Errors
    /// Those of `mmap` if there is no memory for a node.
    ///
    /// # Safety
    /// The mapping has these bytes, and the tree lives throughout the call.
    pub unsafe fn walk(
        self,
        bytes: &Range<usize>,
        size: usize,
        step: Step,
    ) -> Result<bool, NoMemory> {
        // SAFETY: as the caller vouches; the root covers the whole mapping. [caller]
        unsafe { self.0.walk(bytes, size, step) }
    }

    /// Unmaps the tree.
    ///
    /// # Safety
    /// Nobody uses it any more.
    pub unsafe fn unmap(self) {
        // SAFETY: it lives until the end of this function. [caller]
        let granules = unsafe { self.head() }.granules;
        // SAFETY: the root has that many; nobody uses it. [caller]
        unsafe { self.0.unmap_below(Self::count_for(granules)) };
        // SAFETY: the head is where the pages begin. [inside]
        let base = unsafe { self.0.start.sub(size_of::<Head>()) };
        // SAFETY: they were mapped for the root, in that length. [owned, caller]
        unsafe { unmap(base, Self::len_for(granules)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::claims::entry::GRANULE;

    #[test]
    fn a_root_is_as_high_as_it_has_to_be() {
        let heights = |granules| (Root::height_for(granules), Root::count_for(granules));
        assert_eq!(heights(1), (0, 1));
        assert_eq!(heights(ENTRIES), (0, ENTRIES));
        assert_eq!(heights(ENTRIES + 1), (1, 2));
        assert_eq!(heights(ENTRIES * POINTERS), (1, POINTERS));
        // The longest possible mapping.
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
