//! The pages of a file that are in memory, as runs: for a file of a terabyte of which nearly nothing is
//! in memory, there are only a few.

use std::ops::Range;

/// Pages in memory, in order; those of two runs never touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    runs: Vec<Range<u64>>,
}

impl Runs {
    /// Adds `pages`, which come after all that were added.
    pub fn push(&mut self, pages: Range<u64>) {
        match self.runs.last_mut() {
            _ if pages.is_empty() => {}
            Some(last) if last.end == pages.start => last.end = pages.end,
            _ => self.runs.push(pages),
        }
    }

    /// How many pages there are.
    pub fn count(&self) -> u64 {
        self.runs.iter().map(|run| run.end - run.start).sum()
    }

    /// Each run: its first page, and how many.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u64, u64)> {
        self.runs.iter().map(|run| (run.start, run.end - run.start))
    }

    /// Whether this page is among them.
    pub fn contains(&self, page: u64) -> bool {
        let at = self.runs.partition_point(|run| run.end <= page);
        self.runs.get(at).is_some_and(|run| run.contains(&page))
    }

    /// The pages `of` in at most `most` columns: for each, how many of its pages are in memory, and how
    /// many it has.
    pub fn columns(&self, of: Range<u64>, most: usize) -> Vec<(u64, u64)> {
        let pages = of.end - of.start;
        let count = (most as u64).min(pages);
        // In 128 bits, in which no product of two lengths overflows.
        let bound = |column: u64| {
            let bound = u128::from(column) * u128::from(pages) / u128::from(count);
            of.start + u64::try_from(bound).unwrap_or(pages)
        };
        let mut runs = self.runs.iter().cloned().peekable();
        (0..count)
            .map(|column| {
                let (start, end) = (bound(column), bound(column + 1));
                let mut full = 0;
                while let Some(run) = runs.peek_mut() {
                    full += run.end.min(end).saturating_sub(run.start.max(start));
                    if run.end > end {
                        break;
                    }
                    runs.next();
                }
                (full, end - start)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Runs;

    fn runs(of: &[(u64, u64)]) -> Runs {
        let mut runs = Runs::default();
        for &(start, end) in of {
            runs.push(start..end);
        }
        runs
    }

    #[test]
    fn runs_that_touch_are_one() {
        let runs = runs(&[(0, 0), (1, 3), (3, 4), (6, 7)]);
        assert_eq!(runs.iter().collect::<Vec<_>>(), [(1, 3), (6, 1)]);
        assert_eq!(runs.count(), 4);
        let pages: Vec<u64> = (0..9).filter(|&page| runs.contains(page)).collect();
        assert_eq!(pages, [1, 2, 3, 6]);
    }

    #[test]
    fn columns_are_as_full_as_their_pages() {
        let some = runs(&[(0, 1), (2, 7), (9, 10)]);
        assert_eq!(
            some.columns(0..10, 5),
            [(1, 2), (2, 2), (2, 2), (1, 2), (1, 2)]
        );
        assert_eq!(some.columns(0..10, 3), [(2, 3), (3, 3), (2, 4)]);
        assert_eq!(some.columns(0..10, 80).len(), 10);
        assert_eq!(some.columns(0..0, 80), []);
        assert_eq!(some.columns(6..10, 2), [(1, 2), (1, 2)]);
        let all = runs(&[(0, 1 << 60)]);
        let columns = all.columns(0..1 << 60, 7);
        assert!(columns.iter().all(|(full, all)| full == all));
        assert_eq!(columns.iter().map(|column| column.1).sum::<u64>(), 1 << 60);
    }
}
