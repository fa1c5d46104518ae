//! arm64: Arm Architecture Reference Manual, "Synchronization and coherency issues between data and
//! instruction accesses" (B2.7.4.2).

use core::arch::{asm, global_asm};

use super::way::InstructionCache;

pub const INSTRUCTION_CACHE: InstructionCache = InstructionCache::Instructions(sync);

/// `CTR_EL0`: data need not be cleaned to where instructions are fetched from.
const IDC: u64 = 1 << 28;
/// `CTR_EL0`: instructions need not be invalidated.
const DIC: u64 = 1 << 29;

/// The smallest page that a kernel gives to programs.
const PAGE: u64 = 4096;

// For each line from x0 on, up to x1 (or for none), x2 bytes long. A line's page may be gone by now, as
// after its file was truncated: if a handler is installed, that fault resumes at the end, so that x0 is
// the line's address.
unsafe extern "C" {
    /// Cleans data; returns where it ended.
    #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_clean")]
    fn clean(start: u64, end: u64, line: u64) -> u64;
    #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_clean_stop")]
    fn clean_stop();
    /// Invalidates instructions; returns where it ended.
    #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_invalidate")]
    fn invalidate(start: u64, end: u64, line: u64) -> u64;
    #[link_name = concat!("unix_memory_", env!("CARGO_PKG_VERSION"), "_invalidate_stop")]
    fn invalidate_stop();
}

global_asm!(
    ".text",
    ".p2align 4",
    ".globl {clean}",
    "{clean}:",
    "    hint 34",
    "2:  cmp x0, x1",
    "    b.hs 3f",
    "    dc cvau, x0",
    "    add x0, x0, x2",
    "    b 2b",
    "3:",
    ".globl {clean_stop}",
    "{clean_stop}:",
    "    ret",
    ".globl {invalidate}",
    "{invalidate}:",
    "    hint 34",
    "2:  cmp x0, x1",
    "    b.hs 3f",
    "    ic ivau, x0",
    "    add x0, x0, x2",
    "    b 2b",
    "3:",
    ".globl {invalidate_stop}",
    "{invalidate_stop}:",
    "    ret",
    clean = sym clean,
    clean_stop = sym clean_stop,
    invalidate = sym invalidate,
    invalidate_stop = sym invalidate_stop,
);

/// Where to continue after a fault at `pc`, if that is in one of the two.
#[allow(dead_code, reason = "only Linux asks")]
pub fn resume(pc: usize) -> Option<usize> {
    let [clean, invalidate] = [clean, invalidate]
        .map(|routine: unsafe extern "C" fn(u64, u64, u64) -> u64| routine as *const () as usize);
    let [clean_stop, invalidate_stop] = [clean_stop, invalidate_stop]
        .map(|label: unsafe extern "C" fn()| label as *const () as usize);
    [(clean, clean_stop), (invalidate, invalidate_stop)]
        .into_iter()
        .find(|&(start, end)| (start..end).contains(&pc))
        .map(|(_, end)| end)
}

/// # Safety
/// The bytes are mapped, and can be read; one whose memory is gone is a fault, which ends the process
/// unless a handler makes it go on at [`resume`].
unsafe fn sync(start: *const u8, len: usize) {
    let ctr: u64;
    // SAFETY: the register can be read by any program: where the processor traps, the kernel
    // answers in its place. [instruction]
    unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr, options(nomem, nostack, preserves_flags)) };
    // Words of the smallest line of any cache, as a binary logarithm.
    let data_line = 4 << (ctr >> 16 & 0xf);
    let instruction_line = 4 << (ctr & 0xf);
    if ctr & IDC == 0 {
        each_line(start, len, data_line, |at, end| {
            // SAFETY: it changes no content; the caller vouches for the bytes.
            // [caller, instruction]
            unsafe { clean(at, end, data_line) }
        });
    }
    // SAFETY: a barrier. [instruction]
    unsafe { asm!("dsb ish", options(nostack, preserves_flags)) };
    if ctr & DIC == 0 {
        each_line(start, len, instruction_line, |at, end| {
            // SAFETY: as above; the lines are fetched again. [caller, instruction]
            unsafe { invalidate(at, end, instruction_line) }
        });
        // SAFETY: a barrier. [instruction]
        unsafe { asm!("dsb ish", options(nostack, preserves_flags)) };
    }
    // SAFETY: a barrier. [instruction]
    unsafe { asm!("isb", options(nostack, preserves_flags)) };
}

/// Calls `routine`, which returns where it ended, for the lines of `size` bytes that hold a byte of
/// the range. If it ended early, the page is gone, and with it what was to be done.
fn each_line(start: *const u8, len: usize, size: u64, routine: impl Fn(u64, u64) -> u64) {
    let start = start.addr() as u64;
    let end = start + len as u64;
    let mut at = if len == 0 { end } else { start & !(size - 1) };
    while at < end {
        at = routine(at, end);
        if at < end {
            at = (at | (PAGE - 1)) + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::cell::RefCell;

    use super::*;

    #[test]
    fn pages_that_are_gone_are_left_out() {
        let calls = RefCell::new(std::vec::Vec::new());
        // The second and the third page are gone.
        let gone = 2 * PAGE..4 * PAGE;
        let start = core::ptr::without_provenance((PAGE + 100) as usize);
        each_line(start, 4 * PAGE as usize, 64, |at, end| {
            calls.borrow_mut().push(at);
            (at..end)
                .step_by(64)
                .find(|at| gone.contains(at))
                .unwrap_or(end)
        });
        let expected = [PAGE + 64, 3 * PAGE, 4 * PAGE];
        assert_eq!(*calls.borrow(), expected);
        each_line(start, 0, 64, |_, _| panic!("there are none"));
    }

    #[test]
    fn both_loops_resume_at_their_ends() {
        for start in [clean as *const (), invalidate as *const ()] {
            let start = start as usize;
            let stop = resume(start).unwrap();
            assert!(stop > start);
            assert_eq!(resume(stop), None);
            assert_eq!(resume(start - 1), None);
        }
    }
}
