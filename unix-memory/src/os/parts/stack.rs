//! Where the stack of the main thread is, and may grow: Linux and Android.
//!
//! It is the one stack for which the kernel sets no addresses aside. It grows by a fault below it, as
//! far as its limit (`RLIMIT_STACK`) allows at that moment, and keeps 256 pages away from what can be
//! accessed. Where the kernel chooses an address, or follows a hint, it keeps these too; for
//! `MAP_FIXED_NOREPLACE`, `mremap` and `mprotect` it does not check. (Stacks of other threads are
//! mapped as a whole. A heap that grows by `brk` stops where something is mapped.)

use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use unix_memory_sys as sys;

use super::{proc_file, rlimit};
use crate::os::call;
use crate::page::{page_size, round_down};

/// This much is kept for the stack whatever its limit, which may be raised again: the usual limit.
/// The kernel itself chooses no address this near to the stack.
const LEAST: usize = 8 << 20;

/// This much is kept if there is no limit: 1 GiB, or 128 MiB if addresses have 32 bits.
const UNLIMITED: usize = if usize::BITS > 32 { 1 << 30 } else { 128 << 20 };

/// The depth that a stack can have: 16 GiB, or all addresses where they have 32 bits. A deeper one is
/// not seen.
const DEEPEST: usize = if usize::BITS > 32 {
    UNLIMITED << 4
} else {
    usize::MAX
};

/// Nothing below this address is the stack's, however deep it is. Zero before it is known.
static LOWEST: AtomicUsize = AtomicUsize::new(0);

/// Whether the stack is known not to grow.
static IS_FIXED: AtomicBool = AtomicBool::new(false);

/// How far the kernel keeps a growing stack away from what can be accessed below it:
/// `stack_guard_gap`, unless the kernel was started with another.
fn gap() -> usize {
    256 * page_size()
}

/// One of the uppermost pages of the stack; zero where that is not known.
fn upper_page() -> usize {
    // At the highest addresses the kernel writes the path of the program.
    // SAFETY: the call takes any number. [arguments]
    let path = unsafe { libc::getauxval(libc::AT_EXECFN) };
    usize::try_from(path).map_or(0, round_down)
}

#[inline]
fn lowest() -> usize {
    // Relaxed: it is the same whoever stores it.
    match LOWEST.load(Ordering::Relaxed) {
        0 => find_lowest(),
        lowest => lowest,
    }
}

#[cold]
fn find_lowest() -> usize {
    let lowest = match upper_page() {
        0 => usize::MAX,
        page => page
            .saturating_sub(DEEPEST.saturating_add(2 * gap()))
            .max(1),
    };
    LOWEST.store(lowest, Ordering::Relaxed);
    lowest
}

/// Whether some of `len` bytes from `start` on are kept for the stack of the main thread, or the
/// stack has come so near to them that it would not stop before them.
#[inline]
pub fn is_for_stack(start: usize, len: usize) -> bool {
    let end = start.saturating_add(len);
    end > lowest() && (is_in_zone(start, end) || has_come_near(start, end)) && grows()
}

/// Whether the stack of the main thread has come so near to the pages before `end` that it would
/// not stop before them.
#[inline]
pub fn meets_stack(start: usize, end: usize) -> bool {
    end > lowest() && has_come_near(start, end) && grows()
}

/// Whether the kernel makes the stack longer when it is used up: an emulator's is a mapping of its
/// own as long as the limit, and other mappings lie beside it. Reading what the kernel reports about
/// all mappings may take long, so it is only asked before something is refused.
#[cold]
fn grows() -> bool {
    if IS_FIXED.load(Ordering::Relaxed) {
        return false;
    }
    let upper = upper_page();
    let (mut is_here, mut grows, mut flags_seen) = (false, false, false);
    let read = proc_file::each_line(c"/proc/thread-self/smaps", |line| {
        if let Some(flags) = line.strip_prefix(b"VmFlags:") {
            flags_seen = true;
            grows |= is_here && flags.split(|&byte| byte == b' ').any(|flag| flag == b"gd");
        } else if let Some(range) = proc_file::addresses(line) {
            is_here = range.contains(&upper);
        }
    });
    // If that is not known, the stack is assumed to grow.
    let is_fixed = read.is_ok() && flags_seen && !grows;
    IS_FIXED.store(is_fixed, Ordering::Relaxed);
    !is_fixed
}

#[cold]
fn is_in_zone(start: usize, end: usize) -> bool {
    // SAFETY: the structure can be written. [arguments]
    let limit = rlimit::current(|limit| unsafe { libc::getrlimit(libc::RLIMIT_STACK, limit) });
    let bytes = limit.map_or(UNLIMITED, |bytes| {
        let bytes = usize::try_from(bytes).unwrap_or(DEEPEST);
        bytes.clamp(LEAST, DEEPEST)
    });
    let zone = zone(upper_page(), bytes);
    start < zone.end && zone.start < end
}

/// What is kept for a stack of `bytes` bytes that has this page.
fn zone(upper_page: usize, bytes: usize) -> Range<usize> {
    // The limit counts from the end of the stack, which is above.
    let bottom = round_down(upper_page.saturating_sub(bytes));
    bottom.saturating_sub(gap())..upper_page + page_size()
}

#[cold]
fn has_come_near(start: usize, end: usize) -> bool {
    let upper = upper_page();
    if start >= upper {
        return false;
    }
    // The lowest page that leaves the stack less than the gap.
    let near = round_down(end.saturating_add(gap() - page_size()));
    if near >= upper {
        return true;
    }
    // All is mapped from there to the stack's end exactly if the stack has come this far. (Other
    // mappings there are taken for the stack.)
    let address = core::ptr::without_provenance_mut(near);
    // SAFETY: with MS_ASYNC Linux only checks whether there are pages, whoever owns them.
    // [harmless]
    let asked = unsafe { sys::msync(address, upper - near, sys::MS_ASYNC) };
    match call::zero_or_errno(asked) {
        Ok(()) => true,
        Err(libc::ENOMEM) => false,
        // Refused by a filter: the stack may have come as far as its limit allows.
        Err(_) => is_in_zone(start, end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_is_below_the_stack() {
        let (upper, page) = (upper_page(), page_size());
        // (An emulator's does not grow.)
        if upper == 0 || !grows() {
            return;
        }
        let zone = zone(upper, LEAST);
        assert_eq!(zone, upper - LEAST - gap()..upper + page);
        assert!(is_for_stack(zone.start, 1) && is_for_stack(zone.end - 1, 1));
        assert!(!is_for_stack(zone.end, 1) && !is_for_stack(page, page));
        assert!(meets_stack(upper - page, upper) && !meets_stack(page, 2 * page));
        assert!(!meets_stack(upper, upper + page));
    }
}
