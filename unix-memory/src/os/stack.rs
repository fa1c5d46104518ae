//! Where the stack of the main thread may grow: Linux and Android.

use core::mem::MaybeUninit;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::proc_file;
use crate::page::{page_size, round_down};

/// Where the stack ends, one behind its highest address; zero before that was asked for, and `MAX` where
/// nobody knows.
static TOP: AtomicUsize = AtomicUsize::new(0);

/// As far below its end the kernel lets it grow by itself, whatever its limit: `MIN_GAP` of its
/// arch/*/mm/mmap.c.
const LEAST: usize = 128 << 20;

/// As far it is taken to grow, whatever its limit, which may be none: the kernel keeps the stack away
/// from what can be accessed (see [`guard_gap`]).
const MOST: usize = if usize::BITS > 32 { 1 << 30 } else { LEAST };

/// As far the kernel keeps the stack, when it grows, from what can be accessed below it:
/// `stack_guard_gap`, unless the kernel was started with another.
fn guard_gap() -> usize {
    256 * page_size()
}

fn top() -> usize {
    // Relaxed: it is the same whoever stores it.
    match TOP.load(Ordering::Relaxed) {
        0 => {
            // At the highest addresses is what the program is told: its path, some random bytes.
            let told = [libc::AT_EXECFN, libc::AT_RANDOM].map(|item| {
                // SAFETY: the call takes any number.
                unsafe { libc::getauxval(item) }
            });
            let highest = told.into_iter().max().unwrap_or(0);
            let top = match usize::try_from(highest) {
                Ok(0) | Err(_) => usize::MAX,
                Ok(highest) => round_down(highest).saturating_add(page_size()),
            };
            TOP.store(top, Ordering::Relaxed);
            top
        }
        top => top,
    }
}

/// The addresses that are kept for the stack: to its limit (`RLIMIT_STACK`) as it is now, and the gap
/// below.
fn zone(top: usize) -> Range<usize> {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: the call writes the structure that it is given.
    let asked = unsafe { libc::getrlimit(libc::RLIMIT_STACK, limit.as_mut_ptr()) };
    let current = if asked == 0 {
        // SAFETY: the call succeeded, so that it wrote all of it.
        unsafe { limit.assume_init() }.rlim_cur
    } else {
        libc::RLIM_INFINITY
    };
    let reach = usize::try_from(current).unwrap_or(MOST).clamp(LEAST, MOST);
    top.saturating_sub(reach + guard_gap())..top
}

/// Whether some of `len` bytes from `start` on are kept for the stack of the main thread.
///
/// What lies there may be accessed as the stack: the kernel grows it where nothing is mapped, and a
/// frame does not stop where something is. (Stacks of other threads are mapped as a whole; nothing is
/// mapped over them.)
#[inline]
pub fn is_for_stack(start: usize, len: usize) -> bool {
    let top = top();
    if start >= top || top - start > MOST + guard_gap() + len {
        return false;
    }
    let (zone, end) = (zone(top), start.saturating_add(len));
    start < zone.end && zone.start < end
}

/// Whether the stack of the main thread has come so near to the end of the pages before `end`, which
/// could not be accessed, that they must not be from now on.
#[cold]
pub fn meets_stack(start: usize, end: usize) -> bool {
    let top = top();
    if !is_for_stack(start, end - start) {
        return false;
    }
    let mut meets = false;
    let read = proc_file::each_line(c"/proc/self/maps", |line| {
        if let Some(mapping) = proc_file::addresses(line) {
            let is_stack = mapping.contains(&(top - page_size()));
            meets |= is_stack && mapping.start >= end && mapping.start - end < guard_gap();
        }
    });
    // Where it cannot be read, it might.
    meets || read.is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_is_below_the_stack() {
        let top = top();
        if top == usize::MAX {
            return;
        }
        let zone = zone(top);
        assert!(is_for_stack(zone.start, 1) && is_for_stack(zone.end - 1, 1));
        assert!(!is_for_stack(zone.start - 1, 1) && is_for_stack(zone.start - 1, 2));
        assert!(!is_for_stack(zone.end, 1) && is_for_stack(0x1000, usize::MAX / 2));
        assert!(!is_for_stack(0x1000, 1));
    }
}
