//! What the lock guards that live hold, in a mapping of its own.

use core::cell::UnsafeCell;
use core::mem::ManuallyDrop;
use core::ops::Range;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::call;
use crate::error::Result;
use crate::lock_process::Wishes;
use crate::mapping::Mapping;
use crate::page::page_size;
use crate::protection::ReadWrite;

/// How pages are held; the later wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Each from the moment that it is brought in.
    OnFault,
    /// All, at once.
    Full,
}

/// What one guard holds: whole pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub range: Range<usize>,
    pub kind: Kind,
}

/// Two words: the first address, whose lowest bit tells the kind, and the one after the last.
const ENTRY: usize = 2 * size_of::<usize>();

/// What guards hold, in no order; the same may be there more than once.
pub struct Table {
    /// Holds `len` entries; grown when they fill it.
    storage: Option<Mapping<ReadWrite>>,
    len: usize,
    /// What guards of the whole process ask for.
    pub process: Wishes,
    /// The process, by its number, whose locks these are.
    owner: u32,
}

impl Table {
    const fn new() -> Self {
        Self {
            storage: None,
            len: 0,
            process: Wishes::NONE,
            owner: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        self.storage
            .as_deref()
            .map_or(&[], |storage| &storage[..self.len * ENTRY])
    }

    pub fn iter(&self) -> impl Iterator<Item = Held> + '_ {
        self.bytes().chunks_exact(ENTRY).map(|entry| {
            let (start, end) = entry.split_at(ENTRY / 2);
            let (start, end) = (from_bytes(start), from_bytes(end));
            Held {
                range: start & !1..end,
                kind: if start & 1 == 0 {
                    Kind::OnFault
                } else {
                    Kind::Full
                },
            }
        })
    }

    /// How the addresses from `start` on are held, which is before `end`, and up to where alike.
    fn run(&self, start: usize, end: usize) -> (Range<usize>, Option<Kind>) {
        let kind_at = |address| {
            let holds = |held: &Held| held.range.contains(&address);
            self.iter().filter(holds).map(|held| held.kind).max()
        };
        let kind = kind_at(start);
        let mut reached = start;
        loop {
            // The next address where a guard begins or ends.
            let edges = self
                .iter()
                .flat_map(|held| [held.range.start, held.range.end]);
            let next = edges.filter(|&edge| edge > reached && edge < end).min();
            match next {
                Some(edge) if kind_at(edge) == kind => reached = edge,
                next => return (start..next.unwrap_or(end), kind),
            }
        }
    }

    /// How the addresses of `range` are held, in pieces from its start to its end.
    pub fn runs(
        &self,
        range: Range<usize>,
    ) -> impl Iterator<Item = (Range<usize>, Option<Kind>)> + '_ {
        let mut start = range.start;
        core::iter::from_fn(move || {
            if start >= range.end {
                return None;
            }
            let run = self.run(start, range.end);
            start = run.0.end;
            Some(run)
        })
    }

    /// How many bytes of `range` are held.
    pub fn held_bytes(&self, range: Range<usize>) -> usize {
        let held = self.runs(range).filter(|(_, kind)| kind.is_some());
        held.map(|(run, _)| run.len()).sum()
    }

    /// Takes the addresses of `range` out of every entry.
    fn remove_within(&mut self, range: &Range<usize>) {
        let touches = |held: &Held| held.range.start < range.end && range.start < held.range.end;
        loop {
            let Some(held) = self.iter().find(touches) else {
                return;
            };
            self.remove(&held);
            let before = held.range.start..range.start;
            let after = range.end..held.range.end;
            for range in [before, after] {
                // Two where there was one can be one too many for the storage, whose growing can
                // fail: what is then not held any more was held by a guard that was forgotten.
                if !range.is_empty() && self.len * ENTRY < self.capacity() {
                    let kind = held.kind;
                    let _not_grown = self.add(&Held { range, kind });
                }
            }
        }
    }

    fn capacity(&self) -> usize {
        self.storage.as_ref().map_or(0, Mapping::len)
    }

    /// Adds an entry. Where the table had to grow, its old storage is returned, to be dropped when
    /// nobody uses the table: to unmap looks into it.
    ///
    /// # Errors
    /// Those of `mmap`, where the table cannot grow.
    pub fn add(&mut self, held: &Held) -> Result<Option<Mapping<ReadWrite>>> {
        let used = self.len * ENTRY;
        let capacity = self.capacity();
        let mut old = None;
        if capacity < used + ENTRY {
            let mut larger = Mapping::anonymous((2 * capacity).max(page_size()))?;
            larger[..used].copy_from_slice(self.bytes());
            old = self.storage.replace(larger);
        }
        if let Some(storage) = &mut self.storage {
            put(&mut storage[used..used + ENTRY], held);
            self.len += 1;
        }
        Ok(old)
    }

    /// Removes one entry that equals `held`.
    pub fn remove(&mut self, held: &Held) {
        let Some(index) = self.iter().position(|entry| entry == *held) else {
            return;
        };
        self.len -= 1;
        let last = self.len * ENTRY;
        if let Some(storage) = &mut self.storage {
            storage.copy_within(last..last + ENTRY, index * ENTRY);
        }
    }
}

fn from_bytes(bytes: &[u8]) -> usize {
    let mut word = [0; size_of::<usize>()];
    word.copy_from_slice(bytes);
    usize::from_ne_bytes(word)
}

fn put(entry: &mut [u8], held: &Held) {
    let (start, end) = entry.split_at_mut(ENTRY / 2);
    let kind = usize::from(held.kind == Kind::Full);
    start.copy_from_slice(&(held.range.start | kind).to_ne_bytes());
    end.copy_from_slice(&held.range.end.to_ne_bytes());
}

/// Forgets the guards over pages of `range`, which is about to be unmapped: none is used any more.
pub fn forget(range: &Range<usize>) {
    // Relaxed: whatever guards there were over these pages were made by threads whose work this
    // one, which owns the pages alone, has seen.
    if SHARED.len.load(Ordering::Relaxed) != 0 {
        with_table(|table| table.remove_within(range));
    }
}

/// How pages of `range` are held by guards that were forgotten: the most of it.
pub fn kind_of(range: &Range<usize>) -> Option<Kind> {
    // Relaxed: as above.
    if SHARED.len.load(Ordering::Relaxed) == 0 {
        return None;
    }
    with_table(|table| {
        let runs = table.runs(range.clone());
        runs.filter_map(|(_, kind)| kind).max()
    })
}

/// Takes note that the pages of `old`, all held as `kind`, have become those of `new`.
pub fn moved(old: &Range<usize>, new: Range<usize>, kind: Kind) {
    with_table(|table| {
        table.remove_within(old);
        // There is room: an entry went.
        let _not_grown = table.add(&Held { range: new, kind });
    });
}

/// The table of the process.
struct Shared {
    /// How many entries the table has, for who only wants to know whether there are any.
    len: AtomicUsize,
    /// The process, by its number, one of whose threads uses the table; zero where none does.
    user: AtomicU32,
    table: UnsafeCell<Table>,
}

// SAFETY: the table is only accessed by the one who set `user`.
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared {
    len: AtomicUsize::new(0),
    user: AtomicU32::new(0),
    table: UnsafeCell::new(Table::new()),
};

/// Calls `f` with the table of the process, alone. `f` does not panic, and does not call this.
pub fn with_table<R>(f: impl FnOnce(&mut Table) -> R) -> R {
    let us = call::process_id();
    // Acquire pairs with the Release below: what the last user did to the table is seen.
    let mut user = 0;
    while let Err(now) =
        SHARED
            .user
            .compare_exchange(user, us, Ordering::Acquire, Ordering::Relaxed)
    {
        if now == us {
            // Another thread, and seldom for long: a few calls that unlock. To sleep rather than spin
            // lets it go on though its priority may be lower.
            call::pause();
            user = 0;
        } else {
            // Free; or another process: a thread of the parent had the table when it forked, and
            // did not come along.
            user = now;
        }
    }
    // SAFETY: `user` was not us and is now, so no thread of this process has a reference.
    let table = unsafe { &mut *SHARED.table.get() };
    if table.owner != us {
        // A child inherits no locks. If a thread of the parent was at work on the table, nobody
        // knows in which state it is: its storage is left alone, not dropped.
        let _stale = ManuallyDrop::new(core::mem::replace(table, Table::new()));
        table.owner = us;
    }
    let result = f(table);
    SHARED.len.store(table.len, Ordering::Relaxed);
    SHARED.user.store(0, Ordering::Release);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(range: Range<usize>) -> Held {
        let kind = Kind::Full;
        Held { range, kind }
    }

    fn on_fault(range: Range<usize>) -> Held {
        let kind = Kind::OnFault;
        Held { range, kind }
    }

    #[test]
    fn adds_grows_and_removes() {
        let mut table = Table::new();
        // More than a page holds, and not many more: to remove one looks at all.
        let many = page_size() / ENTRY + 100;
        for i in 0..many {
            drop(table.add(&full(2 * i..2 * i + 2)).unwrap());
        }
        drop(table.add(&full(4..6)).unwrap());
        assert_eq!(table.iter().count(), many + 1);
        for i in (0..many).rev() {
            table.remove(&full(2 * i..2 * i + 2));
        }
        assert!(
            table.iter().eq(core::iter::once(full(4..6))),
            "the second of the two is still there"
        );
        table.remove(&full(6..8));
        table.remove(&on_fault(4..6));
        assert_eq!(table.len, 1);
    }

    #[test]
    fn the_stronger_wins_in_runs() {
        let mut table = Table::new();
        for held in [full(2..6), on_fault(4..10), on_fault(10..12), full(20..22)] {
            drop(table.add(&held).unwrap());
        }
        let runs = [
            (0..2, None),
            (2..6, Some(Kind::Full)),
            (6..12, Some(Kind::OnFault)),
            (12..18, None),
        ];
        assert!(table.runs(0..18).eq(runs));
        assert!(table.runs(4..4).next().is_none());
        assert_eq!(table.held_bytes(0..usize::MAX), 12);
        assert_eq!(table.held_bytes(5..7), 2);
    }

    #[test]
    fn what_is_unmapped_is_held_no_more() {
        let mut table = Table::new();
        for held in [full(2..10), on_fault(4..6), full(8..14), full(20..22)] {
            drop(table.add(&held).unwrap());
        }
        table.remove_within(&(4..10));
        let runs = [
            (0..2, None),
            (2..4, Some(Kind::Full)),
            (4..10, None),
            (10..14, Some(Kind::Full)),
            (14..20, None),
        ];
        assert!(table.runs(0..20).eq(runs));
        assert_eq!(table.iter().count(), 3);
    }
}
