//! Linux and Android.

use core::ffi::{CStr, c_int};
use core::ops::Range;
use core::ptr::NonNull;

pub use sys::{MAP_NORESERVE, MAP_POPULATE, madvise, mincore};
use unix_memory_sys as sys;

use super::{proc_file, rlimit, touch};
use crate::advice::Advice;
use crate::call::{self, Errno};
use crate::page::page_size;
use crate::populate::Memory;
use crate::protection::Protection;
use crate::region::Pages;
use crate::unchecked_advice::UncheckedAdvice;

/// The `MADV_` value of `advice`.
pub const fn advice(advice: Advice) -> Option<c_int> {
    Some(match advice {
        Advice::Normal => sys::MADV_NORMAL,
        Advice::Random => sys::MADV_RANDOM,
        Advice::Sequential => sys::MADV_SEQUENTIAL,
        Advice::WillNeed => sys::MADV_WILLNEED,
        Advice::Cold => sys::MADV_COLD,
        Advice::PageOut => sys::MADV_PAGEOUT,
        Advice::HugePage => sys::MADV_HUGEPAGE,
        Advice::NoHugePage => sys::MADV_NOHUGEPAGE,
        Advice::Collapse => sys::MADV_COLLAPSE,
        Advice::Mergeable => sys::MADV_MERGEABLE,
        Advice::Unmergeable => sys::MADV_UNMERGEABLE,
        Advice::DontDump => sys::MADV_DONTDUMP,
        Advice::DoDump => sys::MADV_DODUMP,
        Advice::DoFork => sys::MADV_DOFORK,
        Advice::KeepOnFork => sys::MADV_KEEPONFORK,
        _ => return None,
    })
}

/// The `MADV_` value of an advice that does more than advise.
pub const fn unchecked_advice(advice: UncheckedAdvice) -> Option<c_int> {
    // Not in the headers of MIPS, whose kernels do not have it either.
    const MADV_SOFT_OFFLINE: c_int = 101;
    Some(match advice {
        UncheckedAdvice::DontNeed => sys::MADV_DONTNEED,
        UncheckedAdvice::DontNeedLocked => sys::MADV_DONTNEED_LOCKED,
        UncheckedAdvice::Free => sys::MADV_FREE,
        UncheckedAdvice::Remove => sys::MADV_REMOVE,
        UncheckedAdvice::DontFork => sys::MADV_DONTFORK,
        UncheckedAdvice::WipeOnFork => sys::MADV_WIPEONFORK,
        UncheckedAdvice::GuardInstall => sys::MADV_GUARD_INSTALL,
        UncheckedAdvice::GuardRemove => sys::MADV_GUARD_REMOVE,
        UncheckedAdvice::HwPoison => sys::MADV_HWPOISON,
        UncheckedAdvice::SoftOffline => MADV_SOFT_OFFLINE,
        _ => return None,
    })
}

/// Whether the kernel knows the advice `value`: it looks at that before it sees that there is
/// nothing to advise on.
pub fn knows_advice(value: c_int) -> bool {
    let address = core::ptr::without_provenance_mut(page_size());
    NonNull::new(address).is_some_and(|address| {
        // SAFETY: no bytes are advised on.
        let asked = unsafe { call::madvise(address, 0, value) };
        // Known, but not for this process: the kernel looks at that first.
        matches!(asked, Ok(()) | Err(libc::EPERM))
    })
}

/// Brings `pages`, which can be read, into memory.
pub fn populate(pages: Pages, memory: Memory) -> Result<(), Errno> {
    // SAFETY: the pages are the caller's; reading them changes nothing.
    match unsafe { call::madvise(pages.start, pages.len, sys::MADV_POPULATE_READ) } {
        // Before Linux 5.14. A kernel that knows the value refuses memory that is no RAM, which
        // must not be touched.
        Err(libc::EINVAL) if !knows_advice(sys::MADV_POPULATE_READ) => {
            touch::populate(pages, or_gone(memory))
        }
        result => result,
    }
}

/// Brings `pages` into memory, ready to be written.
///
/// # Safety
/// They can be written, and unless `memory` is shared nobody else accesses them.
pub unsafe fn populate_write(pages: Pages, memory: Memory) -> Result<(), Errno> {
    // SAFETY: the pages are the caller's; no content changes.
    match unsafe { call::madvise(pages.start, pages.len, sys::MADV_POPULATE_WRITE) } {
        // As above.
        Err(libc::EINVAL) if !knows_advice(sys::MADV_POPULATE_WRITE) => {
            // SAFETY: as the caller vouches.
            unsafe { touch::populate_write(pages, or_gone(memory)) }
        }
        result => result,
    }
}

/// What of `memory` can be relied on: anonymous memory may be in huge pages, of which there may be
/// none left when one is touched.
const fn or_gone(memory: Memory) -> Memory {
    match memory {
        Memory::Anonymous => Memory::Owned,
        other => other,
    }
}

/// What the kernel tells of the calling thread and its process.
const STATUS: &CStr = c"/proc/thread-self/status";

/// How many bytes the process may lock, if that is limited: it is not with the privilege.
pub fn lock_limit() -> Option<u64> {
    const CAP_IPC_LOCK: u32 = 14;
    let capabilities = proc_file::hexadecimal(STATUS, b"CapEff:").unwrap_or(0);
    if capabilities >> CAP_IPC_LOCK & 1 == 1 {
        return None;
    }
    rlimit::lock_limit()
}

/// How many bytes the process has locked.
pub fn locked_bytes() -> Option<u64> {
    proc_file::number(STATUS, b"VmLck:")?.checked_mul(1024)
}

/// How many bytes the process has mapped.
pub fn address_space_bytes() -> Option<u64> {
    proc_file::number(STATUS, b"VmSize:")?.checked_mul(1024)
}

/// Whether /proc/self/maps says that all of `pages` is protected as `protection`.
pub fn is_protected(pages: Pages, protection: Protection) -> bool {
    let Range { start, end } = pages.addresses();
    let letters = [
        (Protection::READ, b'r'),
        (Protection::WRITE, b'w'),
        (Protection::EXECUTE, b'x'),
    ]
    .map(|(flag, letter)| {
        if protection.contains(flag) {
            letter
        } else {
            b'-'
        }
    });
    let (mut reached, mut alike) = (start, true);
    let read = proc_file::each_line(c"/proc/self/maps", |line| {
        let Some(mapping) = proc_file::addresses(line) else {
            return;
        };
        if mapping.end <= start || end <= mapping.start {
            return;
        }
        let theirs = line.split(|&byte| byte == b' ').nth(1);
        alike &= mapping.start <= reached && theirs.is_some_and(|them| them.starts_with(&letters));
        reached = mapping.end;
    });
    read.is_ok() && alike && reached >= end
}
