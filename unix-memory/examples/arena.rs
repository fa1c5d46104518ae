//! An arena: values of any type, allocated one after another, which never move and are freed all at
//! once. It reserves addresses for the maximum, and commits memory as it grows.
//!
//! ```sh
//! cargo run --example arena
//! ```

use std::cell::RefCell;

use unix_memory::Result;
use unix_memory::reserve::Reservation;

struct Arena(RefCell<Inner>);

struct Inner {
    memory: Reservation,
    /// How many bytes are used, and committed.
    used: usize,
    committed: usize,
}

impl Arena {
    /// Memory is committed in such steps: each takes a system call.
    const STEP: usize = 1 << 20;

    /// An arena of `max` bytes, in whole pages.
    fn new(max: usize) -> Result<Self> {
        let inner = Inner {
            memory: Reservation::new(max)?,
            used: 0,
            committed: 0,
        };
        Ok(Self(RefCell::new(inner)))
    }

    /// Puts a value into the arena, which never drops it: hence `Copy`.
    ///
    /// # Errors
    /// Where the arena is full, or the system has no memory left.
    #[allow(clippy::mut_from_ref, reason = "each call gives out other bytes")]
    fn alloc<T: Copy>(&self, value: T) -> Result<&mut T> {
        let inner = &mut *self.0.borrow_mut();
        let base = inner.memory.as_mut_ptr();
        let padding = base.wrapping_add(inner.used).align_offset(align_of::<T>());
        let start = inner.used.saturating_add(padding);
        let end = start.saturating_add(size_of::<T>());
        if end > inner.committed {
            // At the end there may be less than a whole step; more than all is refused.
            let to = end.next_multiple_of(Self::STEP).min(inner.memory.len());
            inner.memory.commit(inner.committed..to.max(end))?;
            inner.committed = to;
        }
        inner.used = end;
        let place = base.wrapping_add(start).cast::<T>();
        // SAFETY: it is aligned, and its bytes stay committed as long as the arena lives.
        unsafe { place.write(value) };
        // SAFETY: there is a value, and no other one gets its bytes.
        Ok(unsafe { &mut *place })
    }
}

/// An element of a list.
#[derive(Clone, Copy)]
struct Node<'a> {
    number: u64,
    next: Option<&'a Node<'a>>,
}

fn main() -> Result<()> {
    let arena = Arena::new(256 << 20)?;
    let mut list = None;
    for number in 1..=100_000 {
        let next = list;
        list = Some(&*arena.alloc(Node { number, next })?);
    }
    let nodes = std::iter::successors(list, |node| node.next);
    println!("the sum is {}", nodes.map(|node| node.number).sum::<u64>());
    Ok(())
}
