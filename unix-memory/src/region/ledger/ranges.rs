//! Counts and marks over ranges: changing and querying them.
//!
//! A guard adds one to the count of every range that it holds. If it begins or ends inside a range,
//! that range is cut in two; the two become one again when no guard begins or ends there any more.
//! So removing a guard takes no new node, and cannot fail.

use core::ops::Range;

use super::node::{Kind, Known, Marks, Node};
use super::tree::Tree;
use crate::error::Errno;

impl Tree {
    /// Counts a guard in.
    ///
    /// # Errors
    /// Those of `mmap`; nothing is counted then.
    #[inline]
    pub fn add(&mut self, range: &Range<usize>, kind: Kind) -> Result<(), Errno> {
        if self.len() == 0 {
            self.insert_only(Node::held(range, kind));
            return Ok(());
        }
        self.add_beside(range, kind)
    }

    /// Counts in a guard where there may be other ranges.
    #[inline(never)]
    fn add_beside(&mut self, range: &Range<usize>, kind: Kind) -> Result<(), Errno> {
        self.reserve(2)?;
        if self
            .find(range.start)
            .is_none_or(|(_, node)| node.start >= range.end)
        {
            // It touches no other range, like most guards.
            self.insert(Node::held(range, kind));
            return Ok(());
        }
        self.add_over(range, kind)
    }

    /// Counts in a guard that touches other ranges.
    fn add_over(&mut self, range: &Range<usize>, kind: Kind) -> Result<(), Errno> {
        self.cut_out(range)?;
        let counted = self.update(range, true, |node| *node.count(kind) += 1);
        if let Err((errno, reached)) = counted {
            let done = range.start..reached;
            let _cannot_fail = self.update(&done, false, |node| *node.count(kind) -= 1);
            self.join_ends(range);
            return Err(errno);
        }
        self.count_ends(range, 1);
        Ok(())
    }

    /// Counts out a guard if nothing else is known, which is quick; returns whether it did.
    #[inline]
    pub fn remove_only(&mut self, range: &Range<usize>, kind: Kind) -> bool {
        let is_only = self.only().is_some_and(|node| node.is_held(range, kind));
        if is_only {
            self.delete_only();
        }
        is_only
    }

    /// Counts out a guard that was counted in; returns whether no guard holds any of it now.
    pub fn remove(&mut self, range: &Range<usize>, kind: Kind) -> bool {
        match self.find(range.start) {
            // No other guard has any of it.
            Some((_, node)) if node.is_held(range, kind) => {
                self.delete(range.start);
                true
            }
            _ => {
                self.remove_from(range, kind);
                false
            }
        }
    }

    /// Counts out a guard that shares ranges with others.
    fn remove_from(&mut self, range: &Range<usize>, kind: Kind) {
        self.count_ends(range, -1);
        let _cannot_fail = self.update(range, false, |node| {
            let count = node.count(kind);
            *count = count.saturating_sub(1);
        });
        self.join_ends(range);
    }

    /// Sets `mark` on the whole `range`, or clears it.
    ///
    /// # Errors
    /// Those of `mmap`. Nothing has changed then: what was marked before still is.
    pub fn mark(&mut self, range: &Range<usize>, mark: Marks, yes: bool) -> Result<(), Errno> {
        self.cut_out(range)?;
        let room = if yes {
            self.reserve(self.gaps(range))
        } else {
            Ok(())
        };
        if room.is_ok() {
            let _has_room = self.update(range, yes, |node| {
                node.marks = node.marks.with(mark, yes);
            });
        }
        // Marks that differed inside no longer do.
        let mut at = range.start;
        self.join(at);
        while let Some((_, node)) = self.find(at) {
            at = node.end;
            self.join(at);
            if at >= range.end {
                break;
            }
        }
        room
    }

    /// How many parts of `range` are in no node.
    fn gaps(&self, range: &Range<usize>) -> usize {
        let (mut at, mut gaps) = (range.start, 0);
        while at < range.end {
            let (start, end) = match self.find(at) {
                Some((_, node)) => (node.start, node.end),
                None => (range.end, range.end),
            };
            gaps += usize::from(at < start);
            at = end;
        }
        gaps
    }

    /// Forgets all that is known about `range`.
    ///
    /// Cutting a hole into a range takes a node, for which there is usually room. If there is none,
    /// the range stays as it is, and pages that come there later stay locked longer than needed.
    pub fn forget(&mut self, range: &Range<usize>) {
        let _or_from_the_spare = self.reserve(0);
        while let Some((index, &node)) = self.find(range.start) {
            if node.start >= range.end {
                return;
            }
            let (before, after) = (node.start < range.start, range.end < node.end);
            if before && after && !self.cut(range.end) {
                return;
            }
            match (before, after) {
                (true, _) => {
                    let node = self.node_mut(index);
                    node.end = range.start;
                    node.finish = 0;
                }
                (false, true) => {
                    let node = self.node_mut(index);
                    node.start = range.end;
                    node.begin = 0;
                }
                (false, false) => self.delete(node.start),
            }
        }
    }

    /// Forgets everything but `mark`.
    pub fn keep(&mut self, mark: Marks) {
        let mut at = 0;
        while let Some((index, &Node { start, end, .. })) = self.find(at) {
            let node = self.node_mut(index);
            (node.full, node.on_fault, node.begin, node.finish) = (0, 0, 0, 0);
            node.marks = node.marks.of(mark);
            if !node.is_needed() {
                self.delete(start);
            }
            at = end;
        }
    }

    /// What is known about any page of `range`.
    pub fn known(&self, range: &Range<usize>) -> Option<Known> {
        let mut all: Option<Known> = None;
        let mut at = range.start;
        while let Some((_, node)) = self.find(at) {
            if node.start >= range.end {
                break;
            }
            let known = all.get_or_insert_default();
            known.kind = known.kind.max(node.guarded());
            known.marks = known.marks.with(node.marks, true);
            at = node.end;
        }
        all
    }

    /// How guards hold all of `range`, if they do; on fault, if a part of it is. And whether all of it is
    /// [`Marks::KEPT`].
    pub fn of_all(&self, range: &Range<usize>) -> (Option<Kind>, bool) {
        let of = |node: &Node| (node.guarded(), node.marks.contains(Marks::KEPT));
        let (mut least, mut at) = ((Some(Kind::Full), true), range.start);
        while at < range.end && least != (None, false) {
            let (end, (kind, is_kept)) = self.run_of(at, range.end, of);
            least = (least.0.min(kind), least.1 && is_kept);
            at = end;
        }
        least
    }

    /// How the addresses from `start` on are held, and up to where they are held in the same way,
    /// at most `end`.
    pub fn run(&self, start: usize, end: usize) -> (usize, Option<Kind>) {
        self.run_of(start, end, Node::kind)
    }

    /// What `of` returns for the address `start` (the default, where nothing is known), and the address up
    /// to which it returns the same, at most `end`.
    fn run_of<T: PartialEq + Default>(
        &self,
        start: usize,
        end: usize,
        of: impl Fn(&Node) -> T,
    ) -> (usize, T) {
        let at = |address| match self.find(address) {
            Some((_, node)) if node.start <= address => (node.end, of(node)),
            Some((_, node)) => (node.start, T::default()),
            None => (end, T::default()),
        };
        let (mut reached, what) = at(start);
        while reached < end {
            match at(reached) {
                (next, same) if same == what => reached = next,
                _ => break,
            }
        }
        (reached.min(end), what)
    }

    /// How many bytes of `range` are held.
    pub fn held_bytes(&self, range: &Range<usize>) -> usize {
        let (mut sum, mut at) = (0, range.start);
        while at < range.end {
            let (end, kind) = self.run(at, range.end);
            if kind.is_some() {
                sum += end - at;
            }
            at = end;
        }
        sum
    }

    /// The first range that ends after `address`, how it is held, and its marks.
    pub fn next(&self, address: usize) -> Option<(Range<usize>, Option<Kind>, Marks)> {
        self.find(address)
            .map(|(_, node)| (node.start..node.end, node.kind(), node.marks))
    }

    /// Calls `change` with every range in `range`, after making ranges where there are none; ranges
    /// that are not needed afterwards are removed.
    ///
    /// # Errors
    /// Those of `mmap`, where there is no room; the change was made up to the address that is
    /// returned with the error.
    fn update(
        &mut self,
        range: &Range<usize>,
        makes: bool,
        change: impl Fn(&mut Node),
    ) -> Result<(), (Errno, usize)> {
        let mut at = range.start;
        while at < range.end {
            let (index, end) = match self.find(at) {
                Some((index, node)) if node.start <= at => (index, node.end),
                next => {
                    let end = next.map_or(range.end, |(_, node)| node.start.min(range.end));
                    if makes {
                        self.reserve(1).map_err(|errno| (errno, at))?;
                        let mut node = Node::new(at, end);
                        change(&mut node);
                        self.insert(node);
                    }
                    at = end;
                    continue;
                }
            };
            let node = self.node_mut(index);
            change(node);
            if !node.is_needed() {
                let start = node.start;
                self.delete(start);
            }
            at = end;
        }
        Ok(())
    }

    /// Cuts at both ends of `range`, so that it consists of whole ranges and gaps.
    fn cut_out(&mut self, range: &Range<usize>) -> Result<(), Errno> {
        self.reserve(2)?;
        let _reserved = self.cut(range.start) && self.cut(range.end);
        Ok(())
    }

    fn join_ends(&mut self, range: &Range<usize>) {
        self.join(range.start);
        self.join(range.end);
    }

    fn count_ends(&mut self, range: &Range<usize>, by: i32) {
        match self.find(range.start) {
            Some((index, node)) if node.start == range.start => {
                let begin = &mut self.node_mut(index).begin;
                *begin = begin.saturating_add_signed(by);
            }
            _ => {}
        }
        match self.find(range.end - 1) {
            Some((index, node)) if node.end == range.end => {
                let finish = &mut self.node_mut(index).finish;
                *finish = finish.saturating_add_signed(by);
            }
            _ => {}
        }
    }
}
