//! Which bytes of a mapping are in use as atomics of which size.
//!
//! Atomic accesses of different sizes to the same bytes, at the same time and one of them a write,
//! are undefined behaviour (`core::sync::atomic`, "Memory model for atomic accesses"). So the first
//! request for an atomic claims its bytes for that size as long as the mapping lives, and later
//! requests for another size are refused. (Another mapping of the same file is separate memory, as in
//! another process.)
//!
//! The claims are in a table of 16 bits for each aligned eight bytes of the mapping: a bit for each
//! of the 1 + 2 + 4 + 8 atomics of 8, 4, 2 and 1 bytes that fit in there. The table is a tree, which
//! is created when the first atomic is requested, and has only the parts that contain claims: even in
//! a mapping of terabytes, an atomic takes little memory and few addresses. Threads claim
//! concurrently, without locks.

mod entry;
mod memo;
mod node;
mod tree;

use core::ops::Range;
use core::ptr;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::{AcqRel, Acquire};

use self::entry::{GRANULE, bits};
use self::node::{NoMemory, Step};
use self::tree::Root;
use crate::error::{Arguments, Call, Error, Result};
use crate::region::Region;

/// Ranges longer than this, in bytes, are remembered as a whole.
const LONG: usize = 16 * GRANULE;

/// The claims on the bytes of one mapping.
pub struct Claims {
    /// The root of the tree, as one pointer. Null until there are claims.
    root: AtomicPtr<u8>,
}

impl Claims {
    pub const fn new() -> Self {
        Self {
            root: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Returns whether the atomic of `size` bytes (1, 2, 4 or 8) at `address`, which lies in `region`
    /// and is aligned, was claimed before.
    #[inline]
    pub fn has(&self, region: &Region, address: usize, size: usize) -> bool {
        // Acquire pairs with the release of `make_root`: its nodes are visible.
        let Some(root) = Root::from_raw(self.root.load(Acquire)) else {
            return false;
        };
        let first = region.start().addr().get() & !(GRANULE - 1);
        let within = address % GRANULE;
        let own = bits(size, &(within..within + size));
        // SAFETY: the mapping has the byte, and the tree lives as long as `self`. [inside, owned]
        unsafe { root.has((address - first) / GRANULE, own, size) }
    }

    /// Returns whether `range`, in bytes from the start of `region`, was claimed before. It is one or
    /// more whole atomics of `size` bytes (1, 2, 4 or 8), at addresses that are multiples of it. May
    /// also return false for a long range, which takes longer to check.
    pub fn has_all(&self, region: &Region, range: &Range<usize>, size: usize) -> bool {
        let Some(root) = Root::from_raw(self.root.load(Acquire)) else {
            return false;
        };
        let skip = skip(region);
        let (mut start, end) = (skip + range.start, skip + range.end);
        if end - start > LONG {
            // SAFETY: the tree lives as long as `self`. [owned]
            return unsafe { root.head() }.memo.has(&(start..end), size);
        }
        while start < end {
            let within = start % GRANULE;
            let len = (GRANULE - within).min(end - start);
            let own = bits(size, &(within..within + len));
            // SAFETY: the mapping has the bytes, and the tree lives as long as `self`.
            // [inside, owned]
            if !unsafe { root.has(start / GRANULE, own, size) } {
                return false;
            }
            start += len;
        }
        true
    }

    /// Claims `range`, as in [`has_all`](Self::has_all). False if another size has claimed some of
    /// it; nothing is claimed then, unless that other claim came at the same time. Every call takes
    /// the same region.
    ///
    /// # Errors
    /// Those of `mmap` if there is no memory for the table. Nothing is claimed then.
    #[cold]
    pub fn claim(&self, region: &Region, range: &Range<usize>, size: usize) -> Result<bool> {
        debug_assert!(range.start < range.end && range.end <= region.len());
        let skip = skip(region);
        let bytes = skip + range.start..skip + range.end;
        self.claim_bytes(&bytes, size, skip + region.len())
            .map_err(|NoMemory { errno, len }| {
                Error::kernel(Call::Mmap, errno, Arguments::Length(len))
            })
    }

    /// Claims `bytes`, counted from the first granule, in a mapping that has `len` of them.
    fn claim_bytes(
        &self,
        bytes: &Range<usize>,
        size: usize,
        len: usize,
    ) -> core::result::Result<bool, NoMemory> {
        let root = match Root::from_raw(self.root.load(Acquire)) {
            Some(root) => root,
            None => self.make_root(len.div_ceil(GRANULE))?,
        };
        let steps = [Step::Look, Step::Make, Step::Claim];
        // A single entry is claimed entirely or not at all.
        let single = bytes.start / GRANULE == (bytes.end - 1) / GRANULE;
        for &step in &steps[usize::from(single)..] {
            // SAFETY: the mapping has the bytes, and the tree lives as long as `self`.
            // [inside, owned]
            if !unsafe { root.walk(bytes, size, step) }? {
                return Ok(false);
            }
        }
        if bytes.len() > LONG {
            // SAFETY: the tree lives as long as `self`. [owned]
            unsafe { root.head() }.memo.add(bytes, size);
        }
        Ok(true)
    }

    /// Makes the root, unless another thread is faster.
    fn make_root(&self, granules: usize) -> core::result::Result<Root, NoMemory> {
        let new = Root::make(granules)?;
        let raw = new.into_raw();
        match self
            .root
            .compare_exchange(ptr::null_mut(), raw, AcqRel, Acquire)
        {
            Ok(_) => Ok(new),
            Err(first) => {
                // SAFETY: no other thread has it. [new]
                unsafe { new.unmap() };
                Ok(Root::from_raw(first).expect("not null: null would have been replaced"))
            }
        }
    }
}

/// Returns the offset of the region in its first granule: granules are counted from the one that
/// holds its first byte.
#[inline]
fn skip(region: &Region) -> usize {
    region.start().addr().get() % GRANULE
}

impl Drop for Claims {
    #[inline]
    fn drop(&mut self) {
        if let Some(root) = Root::from_raw(*self.root.get_mut()) {
            // SAFETY: `self` is being dropped: nobody uses the tree. [once]
            unsafe { root.unmap() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with a table of one size per byte, in a mapping of several leaves: ranges of all
    /// lengths.
    #[test]
    fn a_byte_has_one_size() {
        const LEN: usize = (1 << 20) + 12;
        // On the heap, which only this test uses.
        let mut model = std::vec![0_u8; LEN];
        // A generator of numbers that look random: Marsaglia's xorshift.
        let mut state = 0x2545_f491_u32;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as usize % below
        };
        // An emulator, which `cargo xtask emulate` names, is slow.
        let is_emulated = std::env::var_os("UNIX_MEMORY_RUNNER").is_some();
        for _ in 0..if is_emulated { 1 } else { 20 } {
            let claims = Claims::new();
            model.fill(0);
            let (mut taken, mut refused) = (0, 0);
            for _ in 0..60 {
                let size = 1 << random(4);
                let most = [16, 1 << 10, 1 << 17, LEN][random(4)];
                let start = random(LEN) / size * size;
                let len = (1 + random(most)).div_ceil(size) * size;
                let end = (start + len).min(LEN / size * size);
                if start >= end {
                    continue;
                }
                let own = u8::try_from(size).unwrap();
                let free = model[start..end].iter().all(|&it| it == 0 || it == own);
                let claimed = claims.claim_bytes(&(start..end), size, LEN);
                assert_eq!(claimed.ok(), Some(free), "{start}..{end} of {size}");
                if free {
                    model[start..end].fill(own);
                    taken += 1;
                } else {
                    refused += 1;
                }
            }
            assert!(taken > 0 && refused > 0);
            // And the claims are remembered.
            let root = Root::from_raw(claims.root.load(Acquire)).unwrap();
            for start in (0..LEN).step_by(4) {
                for size in [1, 2, 4] {
                    let within = start % GRANULE;
                    let own = bits(size, &(within..within + size));
                    // SAFETY: the tree has the granule.
                    let has = unsafe { root.has(start / GRANULE, own, size) };
                    assert_eq!(has, usize::from(model[start]) == size);
                }
            }
        }
    }
}
