//! Which limit keeps a process from more memory: asked once the kernel has said `ENOMEM`, which it says
//! of all of them.

use core::ffi::CStr;

use super::proc_file::{self, kibibytes};
use super::rlimit;
use crate::error::Reason;
use crate::os::call::Wanted;

const STATUS: &CStr = c"/proc/thread-self/status";
const MEMORY: &CStr = c"/proc/meminfo";

/// How many additional mappings a call may need: `mremap` asks for four.
const SPARE: u64 = 4;

/// The limit that `wanted` goes beyond, as far as /proc can be read.
pub fn memory_limit(wanted: &Wanted) -> Option<Reason> {
    let more = wanted.bytes as u64;
    let exceeds =
        |used: Option<u64>, limit: u64| used.is_some_and(|used| more > limit - limit.min(used));
    let reached = |limit: Option<u64>, used: &[u8]| {
        limit.filter(|&limit| exceeds(kibibytes(STATUS, used), limit))
    };
    if wanted.is_mapped {
        // SAFETY: the structure can be written. [arguments]
        let limit = rlimit::current(|limit| unsafe { libc::getrlimit(libc::RLIMIT_AS, limit) });
        if let Some(limit) = reached(limit, b"VmSize:") {
            return Some(Reason::AddressSpaceLimit(limit));
        }
    }
    if wanted.is_data {
        // SAFETY: the structure can be written. [arguments]
        let limit = rlimit::current(|limit| unsafe { libc::getrlimit(libc::RLIMIT_DATA, limit) });
        if let Some(limit) = reached(limit, b"VmData:") {
            return Some(Reason::DataLimit(limit));
        }
    }
    let (count, gap) = mappings()?;
    let most = proc_file::number(c"/proc/sys/vm/max_map_count", b"");
    if let Some(most) = most.filter(|&most| count.saturating_add(SPARE) > most) {
        return Some(Reason::MappingsLimit(most));
    }
    if wanted.is_mapped && more > gap {
        return Some(Reason::FreeAddresses(gap));
    }
    if !wanted.is_data {
        return None;
    }
    if proc_file::number(c"/proc/sys/vm/overcommit_memory", b"") == Some(2) {
        let limit = kibibytes(MEMORY, b"CommitLimit:")?;
        let is_reached = exceeds(kibibytes(MEMORY, b"Committed_AS:"), limit);
        return is_reached.then_some(Reason::CommittedMemory(limit));
    }
    let all = kibibytes(MEMORY, b"MemTotal:")?.checked_add(kibibytes(MEMORY, b"SwapTotal:")?)?;
    (more > all).then_some(Reason::MemoryAndSwap(all))
}

/// How many mappings there are, and how long the longest run of addresses is between two of them.
fn mappings() -> Option<(u64, u64)> {
    let (mut count, mut last, mut gap) = (0, 0, 0);
    let read = proc_file::each_line(c"/proc/thread-self/maps", |line| {
        let Some(mapping) = proc_file::addresses(line) else {
            return;
        };
        count += 1;
        // The kernel's own mappings, in the upper half of all addresses, do not count.
        if usize::BITS < 64 || mapping.end <= usize::MAX / 2 {
            gap = gap.max(mapping.start.saturating_sub(last));
            last = mapping.end;
        }
    });
    read.ok().map(|()| (count, gap as u64))
}
