//! Room for the nodes of a tree: it grows without moving them, and without an allocator.

use core::ptr::NonNull;

use super::node::{Index, NIL, Node};
use crate::error::Errno;
use crate::os::call;

/// How many nodes there are without a system call, as a binary logarithm.
const FIRST_LOG2: u32 = 6;
const FIRST: usize = 1 << FIRST_LOG2;
/// Further chunks: each has as many nodes as there are before it.
const CHUNKS: usize = (Index::BITS - FIRST_LOG2) as usize;

pub struct Pool {
    first: [Node; FIRST],
    chunks: [Option<NonNull<Node>>; CHUNKS],
    /// How many nodes there is room for.
    capacity: usize,
    /// The nodes below this index were in use at some time since none was.
    fresh: usize,
    /// How many of these are in use now.
    used: usize,
    /// The first of those that are not; its `left` is the next one.
    free: Index,
}

impl Pool {
    pub const fn new() -> Self {
        Self {
            first: [const { Node::new(0, 0) }; FIRST],
            chunks: [None; CHUNKS],
            capacity: FIRST,
            fresh: 0,
            used: 0,
            free: NIL,
        }
    }

    /// The chunk that holds the node at `index`, which is not in the first, and where in it.
    const fn place(index: Index) -> (usize, usize) {
        let log2 = index.ilog2();
        let chunk = (log2 - FIRST_LOG2) as usize;
        (chunk, (index as usize) - (1 << log2))
    }

    /// The pointer to the node at `index`.
    fn node(&self, index: Index) -> NonNull<Node> {
        let (chunk, offset) = Self::place(index);
        let start = self.chunks[chunk].expect("below the capacity");
        // SAFETY: the chunk has a power of two of nodes, and the offset is below it. [inside]
        unsafe { start.add(offset) }
    }

    /// The node at `index`, which was taken.
    #[inline]
    pub fn get(&self, index: Index) -> &Node {
        debug_assert!((index as usize) < self.fresh);
        match self.first.get(index as usize) {
            Some(node) => node,
            // SAFETY: the pages hold zeros or nodes, both of which are values, and nobody but this
            // pool, which is borrowed, has them. [values, borrowed]
            None => unsafe { self.node(index).as_ref() },
        }
    }

    /// The node at `index`, which was taken.
    #[inline]
    pub fn get_mut(&mut self, index: Index) -> &mut Node {
        debug_assert!((index as usize) < self.fresh);
        if (index as usize) < FIRST {
            return &mut self.first[index as usize];
        }
        // SAFETY: as for `get`; the borrow is exclusive. [values, borrowed]
        unsafe { self.node(index).as_mut() }
    }

    /// How many nodes are in use.
    pub const fn used(&self) -> usize {
        self.used
    }

    /// Makes sure that this many nodes can be taken.
    ///
    /// # Errors
    /// Those of `mmap`.
    #[inline]
    pub fn reserve(&mut self, nodes: usize) -> Result<(), Errno> {
        while self.capacity - self.used < nodes {
            self.grow()?;
        }
        Ok(())
    }

    #[cold]
    fn grow(&mut self) -> Result<(), Errno> {
        let new = Index::try_from(self.capacity).map_err(|_| libc::ENOMEM)?;
        let (chunk, _) = Self::place(new);
        let slot = self.chunks.get_mut(chunk).ok_or(libc::ENOMEM)?;
        // As many as there are already.
        let len = self.capacity.checked_mul(size_of::<Node>());
        *slot = Some(call::zeroed_pages(len.ok_or(libc::ENOMEM)?)?.cast());
        self.capacity *= 2;
        Ok(())
    }

    /// The first node, if that is the only one in use.
    #[inline]
    pub const fn only(&self) -> Option<&Node> {
        // No other is in use then, nor was since.
        if self.used == 1 && self.fresh == 1 {
            return Some(&self.first[0]);
        }
        None
    }

    /// Takes the first node, for `node`, where none is in use.
    #[inline]
    pub const fn take_only(&mut self, node: Node) -> Index {
        debug_assert!(self.used == 0 && self.fresh == 0 && self.free == NIL);
        (self.used, self.fresh) = (1, 1);
        self.first[0] = node;
        0
    }

    /// Takes back the [`only`](Self::only) node in use.
    #[inline]
    pub const fn give_back_only(&mut self) {
        debug_assert!(self.used == 1 && self.fresh == 1 && self.free == NIL);
        (self.used, self.fresh) = (0, 0);
    }

    /// A node that holds `node`, unless there is no room.
    #[inline]
    pub fn take(&mut self, node: Node) -> Option<Index> {
        let index = if self.free != NIL {
            let index = self.free;
            self.free = self.get(index).left;
            index
        } else if self.fresh < self.capacity {
            self.fresh += 1;
            // Less than the capacity, which is at most 2^32.
            #[allow(clippy::cast_possible_truncation, reason = "as said")]
            let index = (self.fresh - 1) as Index;
            index
        } else {
            return None;
        };
        self.used += 1;
        *self.get_mut(index) = node;
        Some(index)
    }

    /// Takes back the node at `index`, which is no longer used.
    #[inline]
    pub fn give_back(&mut self, index: Index) {
        let free = self.free;
        self.get_mut(index).left = free;
        self.free = index;
        self.used -= 1;
        if self.used == 0 {
            // From the first node on again.
            (self.fresh, self.free) = (0, NIL);
            if self.capacity > FIRST {
                self.release();
            }
        }
    }

    /// Unmaps all chunks, as no node is in use.
    #[cold]
    pub fn release(&mut self) {
        (self.fresh, self.used, self.free) = (0, 0, NIL);
        // From the last one, so that those that stay are the first.
        for log2 in (FIRST_LOG2..Index::BITS).rev() {
            let chunk = (log2 - FIRST_LOG2) as usize;
            // Out of the list before it is unmapped: a child that is made in between must not find
            // it there.
            let Some(start) = self.chunks[chunk].take() else {
                continue;
            };
            let len = size_of::<Node>() << log2;
            // SAFETY: the pages were mapped for the chunk, and no node of it is in use.
            // [owned, once]
            if unsafe { call::munmap(start.cast(), len) }.is_err() {
                // At the limit of mappings. The chunk stays, for later nodes.
                self.chunks[chunk] = Some(start);
                break;
            }
            self.capacity = 1 << log2;
        }
    }
}

// SAFETY: the chunks are the pool's own. [owned, threads]
unsafe impl Send for Pool {}
