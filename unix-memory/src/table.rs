//! The ranges of all lock guards that live, in a mapping of their own.

use core::cell::UnsafeCell;
use core::mem::ManuallyDrop;
use core::ops::Range;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::call;
use crate::error::Result;
use crate::mapping::Mapping;
use crate::page::page_size;
use crate::protection::ReadWrite;

/// Two words: the first address, and the one after the last.
const ENTRY: usize = 2 * size_of::<usize>();

/// Ranges of addresses, in no order; the same one may be there more than once.
pub struct Table {
    /// Holds `len` entries; grown when they fill it.
    storage: Option<Mapping<ReadWrite>>,
    len: usize,
    /// The process, by its number, whose locks these are.
    owner: u32,
}

impl Table {
    const fn new() -> Self {
        Self {
            storage: None,
            len: 0,
            owner: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        self.storage
            .as_deref()
            .map_or(&[], |storage| &storage[..self.len * ENTRY])
    }

    pub fn iter(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.bytes().chunks_exact(ENTRY).map(|entry| {
            let (start, end) = entry.split_at(ENTRY / 2);
            from_bytes(start)..from_bytes(end)
        })
    }

    /// Removes the entries that lie in `range`.
    fn remove_within(&mut self, range: &Range<usize>) {
        let within = |held: &Range<usize>| range.start <= held.start && held.end <= range.end;
        loop {
            let held = self.iter().find(within);
            let Some(held) = held else { return };
            self.remove(&held);
        }
    }

    /// Adds `range`. Where the table had to grow, its old storage is returned, to be dropped when
    /// nobody uses the table: to unmap looks into it.
    ///
    /// # Errors
    /// Those of `mmap`, where the table cannot grow.
    pub fn add(&mut self, range: &Range<usize>) -> Result<Option<Mapping<ReadWrite>>> {
        let used = self.len * ENTRY;
        let capacity = self.storage.as_ref().map_or(0, Mapping::len);
        let mut old = None;
        if capacity < used + ENTRY {
            let mut larger = Mapping::anonymous((2 * capacity).max(page_size()))?;
            larger[..used].copy_from_slice(self.bytes());
            old = self.storage.replace(larger);
        }
        if let Some(storage) = &mut self.storage {
            put(&mut storage[used..used + ENTRY], range);
            self.len += 1;
        }
        Ok(old)
    }

    /// Removes one entry that equals `range`.
    pub fn remove(&mut self, range: &Range<usize>) {
        let Some(index) = self.iter().position(|entry| entry == *range) else {
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

fn put(entry: &mut [u8], range: &Range<usize>) {
    let (start, end) = entry.split_at_mut(ENTRY / 2);
    start.copy_from_slice(&range.start.to_ne_bytes());
    end.copy_from_slice(&range.end.to_ne_bytes());
}

/// Forgets the guards over pages of `range`, which is about to be unmapped: none is used any more.
pub fn forget(range: &Range<usize>) {
    // Relaxed: whatever guards there were over these pages were made by threads whose work this
    // one, which owns the pages alone, has seen.
    if SHARED.len.load(Ordering::Relaxed) != 0 {
        with_table(|table| table.remove_within(range));
    }
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
            // Another thread, and not for long: one `munlock` at most. To sleep rather than spin
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

    #[test]
    fn adds_grows_and_removes() {
        let mut table = Table::new();
        let many = 3 * page_size() / ENTRY;
        for i in 0..many {
            drop(table.add(&(i..i + 1)).unwrap());
        }
        drop(table.add(&(5..6)).unwrap());
        assert_eq!(table.iter().count(), many + 1);
        for i in (0..many).rev() {
            table.remove(&(i..i + 1));
        }
        assert!(
            table.iter().eq(core::iter::once(5..6)),
            "the second of the two is still there"
        );
        table.remove(&(7..8));
        assert_eq!(table.len, 1);
    }
}
