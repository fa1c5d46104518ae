//! The handlers that were installed for a signal before the fault handler, so that it can call them
//! in turn.
//!
//! The handler may be installed several times, each time over another one, and a handler that was
//! installed over it may hand signals on to it: theirs, ours, theirs, ours. So the earlier handlers
//! form a stack. Each time the handler gets the same signal again, it goes one level down.
//!
//! The number of turns is kept next to the interrupted state, in the `uc_link` of the `ucontext`: the
//! kernel makes a new one for every signal, sets this field to zero and never looks at it again. Each
//! turn shifts a byte into it. Nothing is left behind if a handler does not return. (Two copies of
//! this crate in one program have different bytes, and each counts its own.)

use core::ffi::c_void;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicUsize};

use crate::error::Errno;

/// How many different dispositions there may be in total.
const SLOTS: usize = (1 << BITS) - 1;
/// How many there may be at once.
const DEPTH: usize = (usize::BITS / BITS) as usize;
/// The width of an entry of an order.
const BITS: u32 = 4;

/// The dispositions of one signal that the handler replaced.
///
/// Handlers read it at any time; changes are made under a lock.
pub struct Chain {
    /// Indices into `slots`, counted from one, with the one that was found last in the lowest bits;
    /// zero means none.
    order: AtomicUsize,
    /// How many slots are taken. They are never released: a handler may be reading one.
    taken: AtomicUsize,
    slots: [Before; SLOTS],
}

/// An order that can be restored.
#[derive(Clone, Copy)]
pub struct Order(usize);

/// What the handler has to know of a signal's disposition. The handler itself has the same mask and
/// other flags, so the kernel applies those.
pub struct Before {
    /// `SIG_DFL`, `SIG_IGN` or a function.
    action: AtomicUsize,
    /// `SA_SIGINFO`: the function takes all three arguments.
    takes_info: AtomicBool,
    /// `SA_RESETHAND`: the function is called once.
    once: AtomicBool,
    /// It has been called.
    spent: AtomicBool,
}

impl Chain {
    pub const fn new() -> Self {
        Self {
            order: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
            slots: [const { Before::new() }; SLOTS],
        }
    }

    /// Returns what the handler calls at turn `turn` with the same signal, counted from zero.
    pub fn at(&self, turn: usize) -> Option<&Before> {
        // Acquire pairs with the releases below: the contents of the slot are visible.
        let order = self.order.load(Acquire);
        let shift = u32::try_from(turn).ok()?.checked_mul(BITS)?;
        let number = order.checked_shr(shift)? & SLOTS;
        self.slots.get(number.checked_sub(1)?)
    }

    /// Puts `found` on top, and returns the previous order.
    ///
    /// If it is in the stack already, it moves to the top, so that it is not called twice.
    ///
    /// # Errors
    /// `ENOMEM` if there is no room.
    pub fn push(&self, found: &libc::sigaction) -> Result<Order, Errno> {
        let before = self.order.load(Relaxed);
        let taken = self.taken.load(Relaxed);
        let known = self.slots[..taken].iter().position(|slot| slot.is(found));
        let index = known.unwrap_or(taken);
        let slot = self.slots.get(index).ok_or(libc::ENOMEM)?;
        let (number, mut order, mut shift) = (index + 1, index + 1, BITS);
        for turn in 0..DEPTH {
            let other = before >> (BITS as usize * turn) & SLOTS;
            if other != 0 && other != number {
                order |= other.checked_shl(shift).ok_or(libc::ENOMEM)?;
                shift += BITS;
            }
        }
        if known.is_none() {
            slot.set(found);
            self.taken.store(taken + 1, Relaxed);
        }
        slot.spent.store(false, Relaxed);
        self.order.store(order, Release);
        Ok(Order(before))
    }

    /// Restores an order.
    pub fn restore(&self, order: Order) {
        self.order.store(order.0, Release);
    }

    /// Removes the top, unless it is the last one, which a handler that runs meanwhile still has to
    /// find.
    pub fn pop(&self) {
        let below = self.order.load(Relaxed) >> BITS;
        if below != 0 {
            self.order.store(below, Release);
        }
    }
}

impl Before {
    const fn new() -> Self {
        Self {
            action: AtomicUsize::new(libc::SIG_DFL),
            takes_info: AtomicBool::new(false),
            once: AtomicBool::new(false),
            spent: AtomicBool::new(false),
        }
    }

    fn set(&self, found: &libc::sigaction) {
        self.action.store(found.sa_sigaction, Relaxed);
        self.takes_info.store(takes_info(found), Relaxed);
        self.once.store(is_once(found), Relaxed);
    }

    fn is(&self, found: &libc::sigaction) -> bool {
        self.action.load(Relaxed) == found.sa_sigaction
            && self.takes_info.load(Relaxed) == takes_info(found)
            && self.once.load(Relaxed) == is_once(found)
    }

    /// Returns the action, to be taken now, and whether it takes all three arguments.
    pub fn take(&self) -> (usize, bool) {
        let action = self.action.load(Relaxed);
        let is_function = !matches!(action, libc::SIG_DFL | libc::SIG_IGN);
        if is_function && self.once.load(Relaxed) && self.spent.swap(true, AcqRel) {
            return (libc::SIG_DFL, false);
        }
        (action, self.takes_info.load(Relaxed))
    }

    /// Restores `handlers`, the disposition with which the handler was installed over this one, to
    /// what it was.
    pub fn undo(&self, handlers: &mut libc::sigaction) {
        handlers.sa_sigaction = self.action.load(Relaxed);
        handlers.sa_flags &= !libc::SA_SIGINFO;
        if self.takes_info.load(Relaxed) {
            handlers.sa_flags |= libc::SA_SIGINFO;
        }
        if self.once.load(Relaxed) {
            handlers.sa_flags |= libc::SA_RESETHAND;
            if self.spent.load(Relaxed) {
                handlers.sa_sigaction = libc::SIG_DFL;
            }
        }
    }
}

const fn takes_info(found: &libc::sigaction) -> bool {
    found.sa_flags & libc::SA_SIGINFO != 0
}

const fn is_once(found: &libc::sigaction) -> bool {
    found.sa_flags & libc::SA_RESETHAND != 0
}

/// One more turn of the handler with the signal of a `ucontext`, as long as this lives.
pub struct Turn {
    link: *mut usize,
    before: usize,
}

impl Turn {
    /// Takes a turn, and returns its number, counted from zero; `None` after too many.
    ///
    /// # Safety
    /// `context` is the `ucontext` that the kernel has passed to a handler, which either runs until
    /// this is dropped or never returns.
    pub unsafe fn take(context: *mut c_void) -> (Self, Option<usize>) {
        // `uc_flags`, a long, and then `uc_link`: <asm-generic/ucontext.h>, and that of x86.
        let link = context
            .wrapping_byte_add(size_of::<usize>())
            .cast::<usize>();
        // SAFETY: the caller vouches for the context, which has the link there. [caller, handler]
        let before = unsafe { link.read() };
        let is_full = before >> (usize::BITS - 8) != 0;
        let ours = |turns, byte| turns + usize::from(byte == mark());
        let turns = before.to_ne_bytes().into_iter().fold(0, ours);
        // SAFETY: as above; the context is the handler's to change. [caller, handler]
        unsafe { link.write(before << 8 | usize::from(mark())) };
        (Self { link, before }, (!is_full).then_some(turns))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // SAFETY: as the caller of `take` vouched, the handler still runs, so its context is there.
        // [handler]
        unsafe { self.link.write(self.before) };
    }
}

/// The mark of this copy of the crate for its turns; never zero.
fn mark() -> u8 {
    let unique = mark as *const () as usize;
    #[allow(clippy::cast_possible_truncation, reason = "at most 255")]
    {
        ((unique >> 4) % 255 + 1) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disposition(action: usize) -> libc::sigaction {
        // SAFETY: it holds only integers. [values]
        let mut disposition: libc::sigaction = unsafe { core::mem::zeroed() };
        disposition.sa_sigaction = action;
        disposition
    }

    fn actions(chain: &Chain) -> [Option<usize>; 4] {
        [0, 1, 2, 3].map(|turn| chain.at(turn).map(|before| before.take().0))
    }

    #[test]
    fn what_was_found_last_is_first_and_there_once() {
        let chain = Chain::new();
        assert_eq!(actions(&chain), [None; 4]);
        let push = |action| chain.push(&disposition(action)).unwrap();
        push(10);
        push(20);
        assert_eq!(actions(&chain), [Some(20), Some(10), None, None]);
        push(20);
        assert_eq!(actions(&chain), [Some(20), Some(10), None, None]);
        let before = push(10);
        assert_eq!(actions(&chain), [Some(10), Some(20), None, None]);
        chain.restore(before);
        assert_eq!(actions(&chain), [Some(20), Some(10), None, None]);
        chain.pop();
        assert_eq!(actions(&chain), [Some(10), None, None, None]);
        chain.pop();
        assert_eq!(actions(&chain), [Some(10), None, None, None]);
        assert!(chain.at(usize::MAX).is_none());
    }

    #[test]
    fn too_many_are_refused_and_change_nothing() {
        let chain = Chain::new();
        let pushed = (2..100).take_while(|&action| chain.push(&disposition(action)).is_ok());
        let pushed = pushed.count();
        assert_eq!(pushed, DEPTH.min(SLOTS));
        let top = pushed + 1;
        assert_eq!(actions(&chain)[0], Some(top));
        // A known disposition has room.
        chain.push(&disposition(2)).map(drop).unwrap();
        assert_eq!(actions(&chain)[..2], [Some(2), Some(top)]);
        // And there is room again once others are gone.
        for _ in 0..DEPTH {
            chain.pop();
        }
        chain.push(&disposition(2)).map(drop).unwrap();
    }

    #[test]
    fn a_turn_in_a_turn_is_the_next_one() {
        let mut context = [7usize, 0, 9];
        let address: *mut c_void = context.as_mut_ptr().cast();
        let mut kept = [const { None }; size_of::<usize>()];
        for (expected, place) in kept.iter_mut().enumerate() {
            // SAFETY: it is as large as the part that is accessed.
            let (turn, number) = unsafe { Turn::take(address) };
            assert_eq!(number, Some(expected));
            *place = Some(turn);
        }
        // SAFETY: as above.
        let (turn, number) = unsafe { Turn::take(address) };
        assert_eq!(number, None);
        drop(turn);
        kept.iter_mut().rev().for_each(|turn| *turn = None);
        // SAFETY: as above.
        let (turn, number) = unsafe { Turn::take(address) };
        assert_eq!(number, Some(0));
        drop(turn);
        assert_eq!(context, [7, 0, 9]);
    }
}
