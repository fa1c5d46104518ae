//! Which parts of a reservation are of one kind: ranges in the order of their addresses, no two of
//! which touch each other.
//!
//! The first few are in the value itself. More of them go into a table of their own, which is made
//! before the memory that it describes is changed.

use core::ops::Range;

use crate::error::Result;
use crate::mapping::Mapping;
use crate::page::page_size;
use crate::protection::ReadWrite;

/// The start and the end of a range.
type Span = [usize; 2];

/// How many ranges need no table.
const FEW: usize = 2;

/// The panic message: a table begins with a page, and has room for whole ranges.
const TABLE: &str = "a table of whole ranges";

#[derive(Default)]
pub struct Ranges {
    few: [Span; FEW],
    /// Holds the ranges once there have been more than a few.
    table: Option<Mapping<ReadWrite>>,
    len: usize,
}

impl Ranges {
    fn as_slice(&self) -> &[Span] {
        let room = match &self.table {
            Some(table) => table.view(..).expect(TABLE),
            None => &self.few,
        };
        &room[..self.len]
    }

    /// All the room that there is, in use or not.
    fn room_mut(&mut self) -> &mut [Span] {
        match &mut self.table {
            Some(table) => table.view_mut(..).expect(TABLE),
            None => &mut self.few,
        }
    }

    /// Makes sure that there is room for one more range.
    ///
    /// # Errors
    /// Those of `mmap` and `mremap`; nothing is changed then.
    pub fn reserve_one(&mut self) -> Result<()> {
        if self.len < self.room_mut().len() {
            return Ok(());
        }
        if let Some(table) = &mut self.table {
            return table.resize(2 * table.len());
        }
        let mut table = Mapping::anonymous(page_size())?;
        table.view_mut(..).expect(TABLE)[..FEW].copy_from_slice(&self.few);
        self.table = Some(table);
        Ok(())
    }

    /// Iterates over the ranges.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Range<usize>> + Clone + '_ {
        self.as_slice().iter().map(|&[start, end]| start..end)
    }

    /// Returns the number of bytes.
    pub fn bytes(&self) -> usize {
        self.iter().map(|range| range.len()).sum()
    }

    /// Returns whether all of `range` is included.
    pub fn contains(&self, range: &Range<usize>) -> bool {
        range.is_empty() || self.next(range.start, range.end).as_ref() == Some(range)
    }

    /// Returns the first part of `start..end` that is included.
    pub fn next(&self, start: usize, end: usize) -> Option<Range<usize>> {
        let spans = self.as_slice();
        let at = spans.partition_point(|span| span[1] <= start);
        let &[first, last] = spans.get(at)?;
        let (first, last) = (first.max(start), last.min(end));
        (first < last).then_some(first..last)
    }

    /// Returns the first part of `start..end` that is not included.
    pub fn next_gap(&self, start: usize, end: usize) -> Option<Range<usize>> {
        let spans = self.as_slice();
        let at = spans.partition_point(|span| span[1] <= start);
        let (start, rest) = match spans.get(at) {
            Some(&[first, last]) if first <= start => (last, &spans[at + 1..]),
            _ => (start, &spans[at..]),
        };
        let end = rest.first().map_or(end, |span| span[0].min(end));
        (start < end).then_some(start..end)
    }

    /// Adds `range`. There is room if it touches a range, or if room [was made](Self::reserve_one).
    pub fn insert(&mut self, range: &Range<usize>) {
        if range.is_empty() {
            return;
        }
        let spans = self.as_slice();
        // The ranges that it touches are merged with it.
        let first = spans.partition_point(|span| span[1] < range.start);
        let end = spans.partition_point(|span| span[0] <= range.end);
        let touched = &spans[first..end];
        let start = touched.first().map_or(range.start, |span| span[0]);
        let last = touched.last().map_or(range.end, |span| span[1]);
        let new = [start.min(range.start), last.max(range.end)];
        self.replace(&(first..end), &[new]);
    }

    /// Removes `range`. There is room if it does not cut a range in two, or if room [was
    /// made](Self::reserve_one).
    pub fn remove(&mut self, range: &Range<usize>) {
        if range.is_empty() {
            return;
        }
        let spans = self.as_slice();
        let first = spans.partition_point(|span| span[1] <= range.start);
        let end = spans.partition_point(|span| span[0] < range.end);
        if first == end {
            return;
        }
        let touched = &spans[first..end];
        let before = touched
            .first()
            .map(|span| [span[0], range.start])
            .filter(|[start, end]| start < end);
        let behind = touched
            .last()
            .map(|span| [range.end, span[1]])
            .filter(|[start, end]| start < end);
        match (before, behind) {
            (Some(before), Some(behind)) => self.replace(&(first..end), &[before, behind]),
            (Some(rest), None) | (None, Some(rest)) => self.replace(&(first..end), &[rest]),
            (None, None) => self.replace(&(first..end), &[]),
        }
    }

    /// Replaces the ranges at these indices.
    fn replace(&mut self, places: &Range<usize>, by: &[Span]) {
        let len = self.len;
        let behind = places.start + by.len();
        let room = self.room_mut();
        room.copy_within(places.end..len, behind);
        room[places.start..behind].copy_from_slice(by);
        self.len = len - places.len() + by.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with a table of included places, for every change of up to 12 places.
    #[test]
    fn as_a_table_of_places() {
        let mut ranges = Ranges::default();
        let mut model = [false; 1024];
        let mut random = 1_u64;
        let mut next = |below: usize| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(random >> 40).unwrap() % below
        };
        for step in 0..20_000 {
            let start = next(model.len());
            let range = start..(start + next(12)).min(model.len());
            ranges.reserve_one().unwrap();
            // Mostly adds, so that it fills, then mostly removes.
            let is_in = (next(4) != 0) == (step % 4_000 < 2_000);
            model[range.clone()].fill(is_in);
            if is_in {
                ranges.insert(&range);
            } else {
                ranges.remove(&range);
            }
            if step % 50 != 0 {
                continue;
            }
            let mut again = [false; 1024];
            let mut last_end = None;
            for range in ranges.iter() {
                assert!(!range.is_empty() && Some(range.start) > last_end);
                last_end = Some(range.end);
                again[range].fill(true);
            }
            assert!(again == model, "step {step}");
            assert_eq!(ranges.bytes(), model.iter().filter(|is| **is).count());
            let (start, end) = (next(512), 512 + next(512));
            let runs = |of: bool| {
                let first = (start..end).find(|&at| model[at] == of)?;
                let end = (first..end).find(|&at| model[at] != of).unwrap_or(end);
                Some(first..end)
            };
            assert_eq!(ranges.next(start, end), runs(true));
            assert_eq!(ranges.next_gap(start, end), runs(false));
            assert_eq!(ranges.contains(&(start..end)), runs(false).is_none());
            // An empty range has neither included places nor others.
            assert_eq!(ranges.next(start, start), None);
            assert_eq!(ranges.next_gap(start, start), None);
            assert!(ranges.contains(&(start..start)));
        }
        assert!(ranges.table.is_some());
    }
}
