//! Ranges of addresses that do not overlap, and what is known about each: a treap, by address.
//!
//! This file finds, cuts and joins them; their counts and marks are in `ranges.rs`.

use super::node::{Index, NIL, Node};
use super::pool::Pool;
use crate::error::Errno;

pub struct Tree {
    root: Index,
    pool: Pool,
}

/// Which of two nodes is above the other: by chance, so that the tree is usually balanced.
const fn rank(index: Index) -> u32 {
    let mixed = (index ^ index >> 16).wrapping_mul(0x7feb_352d);
    (mixed ^ mixed >> 15).wrapping_mul(0x846c_a68b)
}

/// How many nodes are kept for what must not fail: cutting a hole into a range.
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

    /// Makes sure that this many ranges can be added, with some nodes left.
    ///
    /// # Errors
    /// Those of `mmap`.
    pub fn reserve(&mut self, ranges: usize) -> Result<(), Errno> {
        self.pool.reserve(ranges + SPARE)
    }

    /// The node at `index`.
    pub fn node_mut(&mut self, index: Index) -> &mut Node {
        self.pool.get_mut(index)
    }

    /// Forgets everything, without reading the nodes, whatever their state.
    pub fn abandon(&mut self) {
        self.root = NIL;
        self.pool.release();
    }

    /// The first range that ends after `address`.
    #[inline]
    pub fn find(&self, address: usize) -> Option<(Index, &Node)> {
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

    /// The ranges below `start`, and the others.
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

    /// Both as one; all of `low` are below all of `high`.
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

    /// The only range since there was none, if it is that.
    #[inline]
    pub const fn only(&self) -> Option<&Node> {
        self.pool.only()
    }

    /// Inserts a range where there is none.
    #[inline]
    pub const fn insert_only(&mut self, node: Node) {
        self.root = self.pool.take_only(node);
    }

    /// Removes the [`only`](Self::only) range.
    #[inline]
    pub const fn delete_only(&mut self) {
        self.root = NIL;
        self.pool.give_back_only();
    }

    /// Inserts a range that overlaps with none; false if there is no room.
    pub fn insert(&mut self, node: Node) -> bool {
        let start = node.start;
        let Some(index) = self.pool.take(node) else {
            return false;
        };
        // Goes down to the first node that belongs below the new one.
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

    /// Removes the range that begins at `start`.
    pub fn delete(&mut self, start: usize) {
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

    /// Cuts the range that holds the bytes on both sides of `address` in two, if there is one; false
    /// if there is no room.
    pub fn cut(&mut self, address: usize) -> bool {
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

    /// Joins the two ranges that meet at `address`, if nothing sets them apart.
    pub fn join(&mut self, address: usize) {
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
