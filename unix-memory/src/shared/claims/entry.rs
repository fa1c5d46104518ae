//! One entry of the table: which of eight bytes are in use as atomics of which size.

use core::ops::Range;
use core::sync::atomic::AtomicU16;
use core::sync::atomic::Ordering::Relaxed;

/// How many bytes one entry covers.
pub const GRANULE: usize = 8;

/// Returns the bits of the atomics of `size` bytes that overlap `bytes`, a range within a granule.
#[inline]
pub const fn bits(size: usize, bytes: &Range<usize>) -> u16 {
    let shift = size.trailing_zeros();
    let (start, end) = (bytes.start >> shift, (bytes.end + size - 1) >> shift);
    // Eight bytes: bit 0; four: bits 1 and 2; two: 3 to 6; one: 7 to 14.
    let first = (GRANULE >> shift) - 1;
    let ones = (1u16 << (end - start)) - 1;
    ones << (first + start)
}

/// Returns the bits that may not be set while `bytes` are in use as atomics of `size` bytes.
fn conflicts(size: usize, bytes: &Range<usize>) -> u16 {
    [1, 2, 4, 8]
        .into_iter()
        .filter(|&other| other != size)
        .fold(0, |set, other| set | bits(other, bytes))
}

/// Returns whether `bytes` of the granule of `entry` can be claimed for atomics of `size` bytes.
pub fn is_free(entry: &AtomicU16, size: usize, bytes: &Range<usize>) -> bool {
    let (now, own) = (entry.load(Relaxed), bits(size, bytes));
    // A bit that is set excludes those that it conflicts with.
    now & own == own || now & conflicts(size, bytes) == 0
}

/// Claims `bytes` of the granule of `entry` for atomics of `size` bytes; false if another size has
/// claimed some of them.
pub fn claim(entry: &AtomicU16, size: usize, bytes: &Range<usize>) -> bool {
    let own = bits(size, bytes);
    // Relaxed throughout: a bit that is set stays set, and nothing else depends on it.
    let mut now = entry.load(Relaxed);
    // A bit that is set excludes those that it conflicts with.
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
                assert!(claim(&entry, size, &bytes));
                let overlap = bytes.start < others.end && others.start < bytes.end;
                let expected = size == other || !overlap;
                assert_eq!(is_free(&entry, other, &others), expected);
                assert_eq!(claim(&entry, other, &others), expected);
                assert!(is_free(&entry, size, &bytes));
                assert!(claim(&entry, size, &bytes), "once more");
            }
        }
    }
}
