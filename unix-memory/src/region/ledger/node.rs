//! What is known about a range of addresses.

use core::ops::Range;

/// Where a node is; [`NIL`] is nowhere.
pub type Index = u32;
pub const NIL: Index = Index::MAX;

/// How pages are held; the later variant wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Each page from the moment that it is brought in.
    OnFault,
    /// All, at once.
    Full,
}

/// What else is noted about a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Marks(u8);

impl Marks {
    pub const NONE: Self = Self(0);
    /// It is left out of core dumps.
    pub const HIDDEN: Self = Self(1);
    /// It is locked although nobody holds it: the kernel refused to unlock it.
    pub const LOCKED: Self = Self(2);
    /// It is mapped although nobody owns it: the kernel refused to unmap it.
    pub const MAPPED: Self = Self(4);
    /// It must not become writable.
    pub const READ_ONLY: Self = Self(8);
    /// It is fully held, however many guards hold it, until that is undone.
    pub const KEPT: Self = Self(16);

    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The marks that `other` has too.
    pub const fn of(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn with(self, other: Self, yes: bool) -> Self {
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
    pub start: usize,
    pub end: usize,
    /// How many guards hold all of it, by kind.
    pub full: u32,
    pub on_fault: u32,
    /// How many guards begin at its start, and end at its end.
    pub begin: u32,
    pub finish: u32,
    /// In an unused node, the next unused node.
    pub left: Index,
    pub right: Index,
    pub marks: Marks,
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

    /// How it is held, by guards or until that is undone.
    pub const fn kind(&self) -> Option<Kind> {
        if self.marks.contains(Marks::KEPT) {
            return Some(Kind::Full);
        }
        self.guarded()
    }

    /// How guards hold it.
    pub const fn guarded(&self) -> Option<Kind> {
        match (self.full, self.on_fault) {
            (0, 0) => None,
            (0, _) => Some(Kind::OnFault),
            _ => Some(Kind::Full),
        }
    }

    pub const fn count(&mut self, kind: Kind) -> &mut u32 {
        match kind {
            Kind::OnFault => &mut self.on_fault,
            Kind::Full => &mut self.full,
        }
    }

    /// A range that is one guard's.
    #[inline]
    pub const fn held(range: &Range<usize>, kind: Kind) -> Self {
        let mut node = Self::new(range.start, range.end);
        (node.full, node.on_fault) = Self::counted(kind);
        (node.begin, node.finish) = (1, 1);
        node
    }

    /// The counts where one guard holds it.
    #[inline]
    const fn counted(kind: Kind) -> (u32, u32) {
        match kind {
            Kind::OnFault => (0, 1),
            Kind::Full => (1, 0),
        }
    }

    /// Whether it is [`held`](Self::held), and has no marks.
    #[inline]
    pub fn is_held(&self, range: &Range<usize>, kind: Kind) -> bool {
        (self.start, self.end) == (range.start, range.end)
            && (self.full, self.on_fault) == Self::counted(kind)
            && (self.begin, self.finish) == (1, 1)
            && self.marks == Marks::NONE
    }

    pub const fn is_needed(&self) -> bool {
        self.full != 0 || self.on_fault != 0 || self.marks.0 != 0
    }
}

/// What is known about a range, or about most of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// How guards hold it.
    pub kind: Option<Kind>,
    pub marks: Marks,
}

impl Known {
    /// Whether it is locked, by guards or until that is undone.
    pub const fn is_locked(self) -> bool {
        self.kind.is_some() || self.marks.contains(Marks::KEPT)
    }
}
