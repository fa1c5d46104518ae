//! The ranges of all lock guards that live, in a mapping of their own.

use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::call;
use crate::error::Error;
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
}

impl Table {
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

    /// Adds `range`, or says why the table cannot grow.
    pub fn add(&mut self, range: Range<usize>) -> Result<(), c_int> {
        let used = self.len * ENTRY;
        let capacity = self.storage.as_ref().map_or(0, Mapping::len);
        if capacity < used + ENTRY {
            let mut larger = Mapping::anonymous((2 * capacity).max(page_size()))
                .map_err(|e: Error| e.errno())?;
            larger[..used].copy_from_slice(self.bytes());
            self.storage = Some(larger);
        }
        if let Some(storage) = &mut self.storage {
            put(&mut storage[used..used + ENTRY], &range);
            self.len += 1;
        }
        Ok(())
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
pub fn forget(range: Range<usize>) {
    // Relaxed: whatever guards there were over these pages were made by threads whose work this
    // one, which owns the pages alone, has seen.
    if SHARED.len.load(Ordering::Relaxed) != 0 {
        with_table(|table| table.remove_within(&range));
    }
}

/// The table of the process, and whether somebody uses it.
struct Shared {
    /// How many entries the table has, for who only wants to know whether there are any.
    len: AtomicUsize,
    busy: AtomicBool,
    table: UnsafeCell<Table>,
}

// SAFETY: the table is only accessed by the one who set `busy`.
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared {
    len: AtomicUsize::new(0),
    busy: AtomicBool::new(false),
    table: UnsafeCell::new(Table {
        storage: None,
        len: 0,
    }),
};

/// Calls `f` with the table of the process, alone. `f` does not panic, and does not call this.
pub fn with_table<R>(f: impl FnOnce(&mut Table) -> R) -> R {
    // Acquire pairs with the Release below: what the last user did to the table is seen. Waiting
    // is rare and short: `munlock` of a range is the longest that the table is held for.
    while SHARED.busy.swap(true, Ordering::Acquire) {
        call::sched_yield();
    }
    // SAFETY: `busy` was clear and is set now, so nobody else has a reference.
    let table = unsafe { &mut *SHARED.table.get() };
    let result = f(table);
    SHARED.len.store(table.len, Ordering::Relaxed);
    SHARED.busy.store(false, Ordering::Release);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_grows_and_removes() {
        let mut table = Table {
            storage: None,
            len: 0,
        };
        let many = 3 * page_size() / ENTRY;
        for i in 0..many {
            table.add(i..i + 1).unwrap();
        }
        table.add(5..6).unwrap();
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
