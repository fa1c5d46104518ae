//! A few ranges of addresses whose pages were discarded since a mark.

use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};

/// How many ranges there is room for.
const ROOM: usize = 8;

/// Ranges of addresses. They cover everything that was added; once there is no more room, they also
/// cover what lies between two of them.
#[derive(Debug)]
pub struct Discarded {
    /// Those before `len` count: they are in ascending order, and none touches the next. They change
    /// only through an exclusive reference.
    ranges: [Range<usize>; ROOM],
    /// Through a shared reference it can only become zero.
    len: AtomicUsize,
}

impl Discarded {
    pub const fn new() -> Self {
        Self {
            ranges: [const { 0..0 }; ROOM],
            len: AtomicUsize::new(0),
        }
    }

    /// The ranges, in ascending order.
    pub fn ranges(&self) -> &[Range<usize>] {
        // Relaxed: the ranges themselves do not change meanwhile.
        &self.ranges[..self.len.load(Ordering::Relaxed)]
    }

    /// Forgets all of them.
    pub fn forget(&self) {
        self.len.store(0, Ordering::Relaxed);
    }

    pub fn add(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let len = *self.len.get_mut();
        let ranges = &mut self.ranges[..len];
        // Those that it touches, which become one.
        let first = ranges.partition_point(|other| other.end < range.start);
        let after = ranges.partition_point(|other| other.start <= range.end);
        if first < after {
            ranges[first] =
                range.start.min(ranges[first].start)..range.end.max(ranges[after - 1].end);
            ranges[first + 1..].rotate_left(after - first - 1);
            *self.len.get_mut() = len - (after - first - 1);
        } else if len < ROOM {
            self.ranges[len] = range;
            self.ranges[first..=len].rotate_right(1);
            *self.len.get_mut() = len + 1;
        } else {
            // It lies between two, before the first, or after the last: the nearer one grows.
            let before = first.checked_sub(1).map(|i| range.start - ranges[i].end);
            let behind = ranges.get(first).map(|next| next.start - range.end);
            match (before, behind) {
                (Some(gap), behind) if behind.is_none_or(|other| gap <= other) => {
                    ranges[first - 1].end = range.end;
                }
                _ => ranges[first].start = range.start,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::single_range_in_vec_init,
        reason = "ranges come in lists, of which one may have a single range"
    )]

    use super::{Discarded, ROOM};

    #[test]
    fn ranges_that_touch_become_one() {
        let mut discarded = Discarded::new();
        assert_eq!(discarded.ranges(), []);
        for range in [40..50, 10..20, 70..80, 30..30] {
            discarded.add(range);
        }
        assert_eq!(discarded.ranges(), [10..20, 40..50, 70..80]);
        discarded.add(50..55);
        discarded.add(35..40);
        discarded.add(42..44);
        assert_eq!(discarded.ranges(), [10..20, 35..55, 70..80]);
        discarded.add(15..71);
        assert_eq!(discarded.ranges(), [10..80]);
        discarded.add(0..100);
        assert_eq!(discarded.ranges(), [0..100]);
        discarded.forget();
        assert_eq!(discarded.ranges(), []);
        discarded.add(1..2);
        assert_eq!(discarded.ranges(), [1..2]);
    }

    #[test]
    fn with_no_more_room_nothing_is_lost() {
        let full = || {
            let mut discarded = Discarded::new();
            for i in (1..=ROOM).rev() {
                discarded.add(i * 100..i * 100 + 10);
            }
            assert_eq!(discarded.ranges().len(), ROOM);
            discarded
        };
        let last = ROOM * 100;
        for (range, i, grown) in [
            (320..330, 2, 300..330),
            (380..390, 3, 380..410),
            (50..60, 0, 50..110),
            (last + 90..last + 95, ROOM - 1, last..last + 95),
        ] {
            let mut discarded = full();
            discarded.add(range);
            assert_eq!(discarded.ranges().len(), ROOM);
            assert_eq!(discarded.ranges()[i], grown);
        }
    }

    /// Against a list of bytes, each of which was added or not.
    #[test]
    fn whatever_is_added_is_covered() {
        let mut random = 1_usize;
        let mut next = |below: usize| {
            random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
            (random >> 16) % below
        };
        for _ in 0..200 {
            let (mut discarded, mut bytes) = (Discarded::new(), [false; 500]);
            for _ in 0..next(60) {
                let start = next(500);
                let end = (start + next(20)).min(500);
                discarded.add(start..end);
                bytes[start..end].fill(true);
                let ranges = discarded.ranges();
                assert!(ranges.iter().all(|range| !range.is_empty()));
                assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
                let covered = |i| ranges.iter().any(|range| range.contains(&i));
                assert!((0..500).all(|i| !bytes[i] || covered(i)));
            }
        }
    }
}
