//! Which bytes of a mapping are in use as atomics of which size.
//!
//! Atomic accesses of different sizes to the same bytes, at the same time and one of them a write,
//! are undefined behaviour (`core::sync::atomic`, "Memory model for atomic accesses"). So the first
//! who asks for an atomic claims its bytes for that size as long as the mapping lives, and whoever
//! asks for another size is refused. (Another mapping of the same file is other memory, as in
//! another process.)
//!
//! The claims are in a table of 16 bits for each aligned eight bytes of the mapping: a bit for each
//! of the 1 + 2 + 4 + 8 atomics of 8, 4, 2 and 1 bytes that fit in there. It is mapped when the
//! first atomic is asked for, and takes memory only where it is used.

use core::mem::ManuallyDrop;
use core::ops::Range;
use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::sync::atomic::{AtomicPtr, AtomicU16};

use crate::error::Result;
use crate::options::MapOptions;
use crate::protection::ReadWrite;
use crate::region::Region;

/// What one entry stands for, in bytes.
const GRANULE: usize = 8;
const ENTRY: usize = size_of::<AtomicU16>();
/// The table begins with its own length in bytes, as a `usize`, in the room of these entries.
const HEADER: usize = size_of::<usize>() / ENTRY;

/// The bits of the atomics of `size` bytes that hold a byte of `bytes`, a range within a granule.
#[inline]
const fn bits(size: usize, bytes: &Range<usize>) -> u16 {
    let shift = size.trailing_zeros();
    let (start, end) = (bytes.start >> shift, (bytes.end + size - 1) >> shift);
    // Eight bytes: bit 0; four: bits 1 and 2; two: 3 to 6; one: 7 to 14.
    let first = (GRANULE >> shift) - 1;
    let ones = (1u16 << (end - start)) - 1;
    ones << (first + start)
}

/// The bits that may not be set where `bytes` are in use as atomics of `size` bytes.
fn conflicts(size: usize, bytes: &Range<usize>) -> u16 {
    [1, 2, 4, 8]
        .into_iter()
        .filter(|&other| other != size)
        .fold(0, |set, other| set | bits(other, bytes))
}

/// Claims `bytes` of the granule of `entry` for atomics of `size` bytes; false where another size
/// has some of them.
#[inline]
fn claim_entry(entry: &AtomicU16, size: usize, bytes: &Range<usize>) -> bool {
    let own = bits(size, bytes);
    // Relaxed throughout: a bit that is set stays set, and nothing else hangs on it.
    let mut now = entry.load(Relaxed);
    // One bit set rules out those that it conflicts with.
    while now & own != own {
        if now & conflicts(size, bytes) != 0 {
            return false;
        }
        match entry.compare_exchange_weak(now, now | own, Relaxed, Relaxed) {
            Ok(_) => return true,
            Err(changed) => now = changed,
        }
    }
    true
}

/// The claims on the bytes of one mapping.
pub struct Claims {
    /// Null until there are any; then the table, which is this one's own.
    table: AtomicPtr<AtomicU16>,
}

impl Claims {
    pub const fn new() -> Self {
        Self {
            table: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Claims `range`, in bytes from the start of `region`, which is whole atomics of `size` bytes
    /// (1, 2, 4 or 8) at addresses that are multiples of it. False where another size has some of
    /// it; nothing is claimed then, unless that other came at the same time. It is the same region
    /// in every call.
    ///
    /// # Errors
    /// Those of `mmap`, where there is no memory for the table.
    #[inline]
    pub fn claim(&self, region: &Region, range: &Range<usize>, size: usize) -> Result<bool> {
        debug_assert!(range.end <= region.len());
        // Granules are counted from the one that holds the mapping's first byte.
        let skip = region.start().addr().get() % GRANULE;
        let bytes = skip + range.start..skip + range.end;
        // Acquire pairs with the release of `make_table`: its length is seen.
        let table = match NonNull::new(self.table.load(Acquire)) {
            Some(table) => table,
            None => self.make_table(skip + region.len())?,
        };
        let entry = |index| -> &AtomicU16 {
            // SAFETY: the table has an entry for each granule of the mapping after its header.
            let entry = unsafe { table.add(HEADER + index) };
            // SAFETY: it is aligned, zeroed or written as such, and lives as long as `self`.
            unsafe { entry.as_ref() }
        };
        let first = bytes.start / GRANULE;
        if bytes.end <= (first + 1) * GRANULE {
            // Mostly it is one atomic that is asked for, and mostly not for the first time.
            let within = bytes.start % GRANULE..bytes.end - first * GRANULE;
            return Ok(claim_entry(entry(first), size, &within));
        }
        let mut entries = (first..bytes.end.div_ceil(GRANULE)).map(|index| {
            let base = index * GRANULE;
            let within = bytes.start.saturating_sub(base)..GRANULE.min(bytes.end - base);
            (entry(index), within)
        });
        let free = |(entry, within): (&AtomicU16, Range<usize>)| {
            entry.load(Relaxed) & conflicts(size, &within) == 0
        };
        let claim = |(entry, within): (&AtomicU16, Range<usize>)| claim_entry(entry, size, &within);
        Ok(entries.clone().all(free) && entries.all(claim))
    }

    /// Makes the table for a mapping of `len` bytes, unless another thread was first.
    #[cold]
    fn make_table(&self, len: usize) -> Result<NonNull<AtomicU16>> {
        let len = (HEADER + len.div_ceil(GRANULE)) * ENTRY;
        let options = MapOptions::new().len(len).no_reserve(true);
        let mut table = ManuallyDrop::new(options.map_anonymous(ReadWrite)?);
        table[..size_of::<usize>()].copy_from_slice(&len.to_ne_bytes());
        #[allow(clippy::cast_ptr_alignment, reason = "it is at the start of a page")]
        let new = table.as_mut_ptr().cast::<AtomicU16>();
        let won = self
            .table
            .compare_exchange(ptr::null_mut(), new, AcqRel, Acquire);
        let table = match won {
            Ok(_) => new,
            Err(first) => {
                drop(ManuallyDrop::into_inner(table));
                first
            }
        };
        Ok(NonNull::new(table).expect("not null: it was exchanged for null"))
    }
}

/// The length in bytes of a table, with which it begins.
///
/// # Safety
/// It is one that [`Claims::make_table`] made.
unsafe fn len_of(table: NonNull<AtomicU16>) -> usize {
    // SAFETY: the table is at the start of a page.
    unsafe { table.cast::<usize>().read() }
}

impl Drop for Claims {
    fn drop(&mut self) {
        let Some(table) = NonNull::new(*self.table.get_mut()) else {
            return;
        };
        // SAFETY: it is the table that was made.
        let len = unsafe { len_of(table) };
        // SAFETY: these pages were mapped for the table, private and anonymous, and are used by
        // nobody else: `self` is being dropped.
        drop(unsafe { Region::from_raw(table.cast(), len, true) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_tell_the_sizes_apart() {
        assert_eq!(bits(8, &(0..8)), 1);
        assert_eq!(bits(4, &(4..8)), 0b100);
        assert_eq!(bits(2, &(2..6)), 0b11_0000);
        assert_eq!(bits(1, &(0..8)), 0xff << 7);
        let all: u16 = [1, 2, 4, 8].map(|size| bits(size, &(0..8))).iter().sum();
        assert_eq!(all, (1 << 15) - 1, "each has its own");
    }

    /// Every pair of atomics in a granule: refused exactly where they overlap and differ in size.
    #[test]
    fn every_pair() {
        let all = || {
            [1usize, 2, 4, 8]
                .into_iter()
                .flat_map(|size| (0..8 / size).map(move |i| (size, i * size..(i + 1) * size)))
        };
        for (size, bytes) in all() {
            for (other, others) in all() {
                let entry = AtomicU16::new(0);
                assert!(claim_entry(&entry, size, &bytes));
                let overlap = bytes.start < others.end && others.start < bytes.end;
                let expected = size == other || !overlap;
                assert_eq!(claim_entry(&entry, other, &others), expected);
                assert!(claim_entry(&entry, size, &bytes), "once more");
            }
        }
    }

    /// Else not all of it would be unmapped, or more.
    #[test]
    fn a_table_knows_its_length() {
        for len in [1, GRANULE, 1000 * GRANULE] {
            let claims = Claims::new();
            let table = claims.make_table(len).unwrap();
            // SAFETY: it was made just now.
            let told = unsafe { len_of(table) };
            assert_eq!(told, (HEADER + len.div_ceil(GRANULE)) * ENTRY);
        }
    }
}
