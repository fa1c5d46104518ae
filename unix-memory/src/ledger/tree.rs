//! Ranges of addresses that do not overlap, and what is known of each: a treap, by address.
//!
//! A guard adds one to the count of every range that it holds. Where it begins or ends inside of a
//! range, that is cut in two; the two become one again when no guard begins or ends there any more. So
//! to remove a guard takes no new node, and cannot fail.

use core::ops::Range;

use super::pool::{Index, NIL, Pool};
use crate::call::Errno;

/// How pages are held; the later wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Each from the moment that it is brought in.
    OnFault,
    /// All, at once.
    Full,
}

/// What else is noted of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Marks(u8);

impl Marks {
    pub const NONE: Self = Self(0);
    /// It is left out of core dumps.
    pub const HIDDEN: Self = Self(1);
    /// It is locked though nobody holds it: the kernel refused to unlock it.
    pub const LOCKED: Self = Self(2);
    /// It is mapped though nobody owns it: the kernel refused to unmap it.
    pub const MAPPED: Self = Self(4);

    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    const fn with(self, other: Self, yes: bool) -> Self {
        Self(if yes {
            self.0 | other.0
        } else {
            self.0 & !other.0
        })
    }
}

/// A range, and its place in the tree.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    start: usize,
    end: usize,
    /// How many guards hold all of it, by kind.
    full: u32,
    on_fault: u32,
    /// How many guards begin at its start, and end at its end.
    begin: u32,
    finish: u32,
    /// Of nodes that are not in use, the next one.
    pub(super) left: Index,
    right: Index,
    marks: Marks,
}

impl Node {
    pub const fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end,
            full: 0,
            on_fault: 0,
            begin: 0,
            finish: 0,
            left: NIL,
            right: NIL,
            marks: Marks::NONE,
        }
    }

    const fn kind(&self) -> Option<Kind> {
        match (self.full, self.on_fault) {
            (0, 0) => None,
            (0, _) => Some(Kind::OnFault),
            _ => Some(Kind::Full),
        }
    }

    const fn count(&mut self, kind: Kind) -> &mut u32 {
        match kind {
            Kind::OnFault => &mut self.on_fault,
            Kind::Full => &mut self.full,
        }
    }

    /// The counts where one guard holds it.
    const fn counted(kind: Kind) -> (u32, u32) {
        match kind {
            Kind::OnFault => (0, 1),
            Kind::Full => (1, 0),
        }
    }

    const fn is_needed(&self) -> bool {
        self.full != 0 || self.on_fault != 0 || self.marks.0 != 0
    }
}

/// What is known of a range, or of the most of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub kind: Option<Kind>,
    pub marks: Marks,
}

pub struct Tree {
    root: Index,
    pool: Pool,
}

/// Which of two nodes is above the other: by chance, so that the tree is balanced as a rule.
const fn rank(index: Index) -> u32 {
    let mixed = (index ^ index >> 16).wrapping_mul(0x7feb_352d);
    (mixed ^ mixed >> 15).wrapping_mul(0x846c_a68b)
}

/// How many nodes are left for what must not fail: to cut a hole into a range.
const SPARE: usize = 2;

impl Tree {
    pub const fn new() -> Self {
        Self {
            root: NIL,
            pool: Pool::new(),
        }
    }

    /// How many ranges there are.
    pub const fn len(&self) -> usize {
        self.pool.used()
    }

    /// Forgets everything. Nothing is read of the nodes, in whatever state they are.
    pub fn abandon(&mut self) {
        self.root = NIL;
        self.pool.release();
    }

    /// Forgets all but that `mark` was noted.
    pub fn keep(&mut self, mark: Marks) {
        let mut at = 0;
        while let Some((index, &Node { start, end, .. })) = self.find(at) {
            let node = self.pool.get_mut(index);
            (node.full, node.on_fault, node.begin, node.finish) = (0, 0, 0, 0);
            node.marks = Marks(node.marks.0 & mark.0);
            if !node.is_needed() {
                self.delete(start);
            }
            at = end;
        }
    }

    /// The first range that ends after `address`.
    #[inline]
    fn find(&self, address: usize) -> Option<(Index, &Node)> {
        let (mut found, mut at) = (None, self.root);
        while at != NIL {
            let node = self.pool.get(at);
            if node.end > address {
                found = Some((at, node));
                at = node.left;
            } else {
                at = node.right;
            }
        }
        found
    }

    /// Those below `start`, and the others.
    fn split(&mut self, at: Index, start: usize) -> (Index, Index) {
        if at == NIL {
            return (NIL, NIL);
        }
        let Node {
            start: own,
            left,
            right,
            ..
        } = *self.pool.get(at);
        if own < start {
            let (low, high) = self.split(right, start);
            self.pool.get_mut(at).right = low;
            (at, high)
        } else {
            let (low, high) = self.split(left, start);
            self.pool.get_mut(at).left = high;
            (low, at)
        }
    }

    /// Both, of which all of `low` are below all of `high`.
    fn merge(&mut self, low: Index, high: Index) -> Index {
        if low == NIL {
            return high;
        }
        if high == NIL {
            return low;
        }
        if rank(low) > rank(high) {
            let right = self.pool.get(low).right;
            let right = self.merge(right, high);
            self.pool.get_mut(low).right = right;
            low
        } else {
            let left = self.pool.get(high).left;
            let left = self.merge(low, left);
            self.pool.get_mut(high).left = left;
            high
        }
    }

    /// Makes sure that so many ranges can be added, and some are left.
    ///
    /// # Errors
    /// Those of `mmap`.
    pub fn reserve(&mut self, ranges: usize) -> Result<(), Errno> {
        self.pool.reserve(ranges + SPARE)
    }

    /// Puts in a range that overlaps with none; false where there is no room.
    fn insert(&mut self, node: Node) -> bool {
        let start = node.start;
        let Some(index) = self.pool.take(node) else {
            return false;
        };
        // Down to the first that belongs below it.
        let (mut above, mut at, mut is_left) = (NIL, self.root, false);
        while at != NIL && rank(at) > rank(index) {
            let node = self.pool.get(at);
            (above, is_left) = (at, start < node.start);
            at = if is_left { node.left } else { node.right };
        }
        let (left, right) = self.split(at, start);
        let new = self.pool.get_mut(index);
        (new.left, new.right) = (left, right);
        self.put_below(above, is_left, index);
        true
    }

    /// Takes the range that begins at `start` out.
    fn delete(&mut self, start: usize) {
        let (mut above, mut at, mut is_left) = (NIL, self.root, false);
        while at != NIL {
            let node = self.pool.get(at);
            if node.start == start {
                let (left, right) = (node.left, node.right);
                let below = self.merge(left, right);
                self.put_below(above, is_left, below);
                self.pool.give_back(at);
                return;
            }
            (above, is_left) = (at, start < node.start);
            at = if is_left { node.left } else { node.right };
        }
    }

    /// Makes `below` the left or right of `above`, or the root where there is none.
    fn put_below(&mut self, above: Index, is_left: bool, below: Index) {
        if above == NIL {
            self.root = below;
        } else if is_left {
            self.pool.get_mut(above).left = below;
        } else {
            self.pool.get_mut(above).right = below;
        }
    }

    /// Makes two of the range that holds the bytes on both sides of `address`, if there is one; false
    /// where there is no room.
    fn cut(&mut self, address: usize) -> bool {
        match self.find(address) {
            Some((index, &node)) if node.start < address => {
                let upper = Node {
                    start: address,
                    begin: 0,
                    left: NIL,
                    right: NIL,
                    ..node
                };
                if !self.insert(upper) {
                    return false;
                }
                let lower = self.pool.get_mut(index);
                lower.end = address;
                lower.finish = 0;
                true
            }
            _ => true,
        }
    }

    /// Makes one of the two ranges that meet at `address`, if nothing sets them apart.
    fn join(&mut self, address: usize) {
        let Some(before) = address.checked_sub(1) else {
            return;
        };
        let (Some((low, &lower)), Some((_, &upper))) = (self.find(before), self.find(address))
        else {
            return;
        };
        let meet = lower.end == address && upper.start == address;
        let alike = lower.finish == 0 && upper.begin == 0 && lower.marks == upper.marks;
        if meet && alike && (lower.full, lower.on_fault) == (upper.full, upper.on_fault) {
            self.delete(address);
            let lower = self.pool.get_mut(low);
            lower.end = upper.end;
            lower.finish = upper.finish;
        }
    }

    /// Calls `change` with every range in `range`, which are made where there are none; what is not
    /// needed afterwards goes.
    ///
    /// # Errors
    /// Those of `mmap`, where there is no room; it was done up to the address that is returned with
    /// it.
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
            let node = self.pool.get_mut(index);
            change(node);
            if !node.is_needed() {
                let start = node.start;
                self.delete(start);
            }
            at = end;
        }
        Ok(())
    }

    /// Cuts at both ends of `range`, so that it is whole ranges and gaps.
    fn cut_out(&mut self, range: &Range<usize>) -> Result<(), Errno> {
        self.reserve(2)?;
        let _reserved = self.cut(range.start) && self.cut(range.end);
        Ok(())
    }

    fn join_ends(&mut self, range: &Range<usize>) {
        self.join(range.start);
        self.join(range.end);
    }

    /// Counts a guard in.
    ///
    /// # Errors
    /// Those of `mmap`; nothing is counted then.
    #[inline]
    pub fn add(&mut self, range: &Range<usize>, kind: Kind) -> Result<(), Errno> {
        self.reserve(2)?;
        if self
            .find(range.start)
            .is_none_or(|(_, node)| node.start >= range.end)
        {
            // It touches no other, as most do not.
            let mut node = Node::new(range.start, range.end);
            (node.begin, node.finish) = (1, 1);
            *node.count(kind) = 1;
            self.insert(node);
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

    /// Counts a guard out, which was counted in; returns whether no guard holds any of it now.
    #[inline]
    pub fn remove(&mut self, range: &Range<usize>, kind: Kind) -> bool {
        match self.find(range.start) {
            // The only one.
            Some((_, node))
                if (node.start, node.end) == (range.start, range.end)
                    && (node.full, node.on_fault) == Node::counted(kind)
                    && (node.begin, node.finish) == (1, 1)
                    && node.marks == Marks::NONE =>
            {
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

    fn count_ends(&mut self, range: &Range<usize>, by: i32) {
        match self.find(range.start) {
            Some((index, node)) if node.start == range.start => {
                let begin = &mut self.pool.get_mut(index).begin;
                *begin = begin.saturating_add_signed(by);
            }
            _ => {}
        }
        match self.find(range.end - 1) {
            Some((index, node)) if node.end == range.end => {
                let finish = &mut self.pool.get_mut(index).finish;
                *finish = finish.saturating_add_signed(by);
            }
            _ => {}
        }
    }

    /// Notes `mark` of the whole `range`, or takes it away.
    ///
    /// # Errors
    /// Those of `mmap`. Where it was to be noted, it is not.
    pub fn mark(&mut self, range: &Range<usize>, mark: Marks, yes: bool) -> Result<(), Errno> {
        let set = |yes| move |node: &mut Node| node.marks = node.marks.with(mark, yes);
        self.cut_out(range)?;
        let marked = self.update(range, yes, set(yes));
        if let Err((_, reached)) = marked {
            let _cannot_fail = self.update(&(range.start..reached), false, set(false));
        }
        // Where marks differed inside, they do not any more.
        let mut at = range.start;
        self.join(at);
        while let Some((_, node)) = self.find(at) {
            at = node.end;
            self.join(at);
            if at >= range.end {
                break;
            }
        }
        marked.map_err(|(errno, _)| errno)
    }

    /// Forgets all that is known of `range`.
    ///
    /// To cut a hole into a range takes a node, for which there is room as a rule. Where there is none
    /// the range stays as it is: pages that come there later stay locked longer than is needed.
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
                    let node = self.pool.get_mut(index);
                    node.end = range.start;
                    node.finish = 0;
                }
                (false, true) => {
                    let node = self.pool.get_mut(index);
                    node.start = range.end;
                    node.begin = 0;
                }
                (false, false) => self.delete(node.start),
            }
        }
    }

    /// What is known of any page of `range`.
    pub fn known(&self, range: &Range<usize>) -> Option<Known> {
        let mut all: Option<Known> = None;
        let mut at = range.start;
        while let Some((_, node)) = self.find(at) {
            if node.start >= range.end {
                break;
            }
            let known = all.get_or_insert_default();
            known.kind = known.kind.max(node.kind());
            known.marks = known.marks.with(node.marks, true);
            at = node.end;
        }
        all
    }

    /// How the addresses from `start` on are held, and up to where, at most `end`, alike.
    pub fn run(&self, start: usize, end: usize) -> (usize, Option<Kind>) {
        let at = |address| match self.find(address) {
            Some((_, node)) if node.start <= address => (node.end, node.kind()),
            Some((_, node)) => (node.start, None),
            None => (end, None),
        };
        let (mut reached, kind) = at(start);
        while reached < end {
            match at(reached) {
                (next, same) if same == kind => reached = next,
                _ => break,
            }
        }
        (reached.min(end), kind)
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

    /// The first range that ends after `address`, and what is known of it.
    pub fn next(&self, address: usize) -> Option<(Range<usize>, Known)> {
        self.find(address).map(|(_, node)| {
            let known = Known {
                kind: node.kind(),
                marks: node.marks,
            };
            (node.start..node.end, known)
        })
    }

    /// How many nodes are above the lowest.
    #[cfg(test)]
    pub fn depth(&self) -> usize {
        fn below(tree: &Tree, at: Index) -> usize {
            if at == NIL {
                return 0;
            }
            let node = tree.pool.get(at);
            1 + below(tree, node.left).max(below(tree, node.right))
        }
        below(self, self.root)
    }
}
