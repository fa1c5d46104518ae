//! The counters of coverage, in memory that children share, so that libFuzzer sees what they covered.

use std::ffi::c_void;

use unix_memory::page_size;

// In assembly: the compiler declares the same names in each crate, and would take these for others.
std::arch::global_asm!(
    ".pushsection .data.rel.ro, \"aw\"",
    ".balign 8",
    "counters_of_coverage:",
    ".quad __start___sancov_cntrs",
    ".quad __stop___sancov_cntrs",
    ".popsection",
    ".globl counters_of_coverage",
);

unsafe extern "C" {
    /// The counters that the compiler has put into the program, one byte each: the first, and the end.
    safe static counters_of_coverage: [usize; 2];
}

/// Puts shared memory in place of all pages that hold nothing but counters.
///
/// # Panics
/// Where there is no memory.
pub fn share() {
    let page = page_size();
    let [first, end] = counters_of_coverage;
    // What lies on the first or last page beside counters is the program's own.
    let (start, end) = (first.next_multiple_of(page), end / page * page);
    assert!(start < end, "the program has not enough counters");
    let address = std::ptr::with_exposed_provenance_mut::<c_void>(start);
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: the pages hold only counters, of which nobody has a reference, and which may be zero at any
    // time; no other thread runs.
    let mapped = unsafe { libc::mmap(address, end - start, protection, flags, -1, 0) };
    assert_eq!(mapped, address, "{}", std::io::Error::last_os_error());
}
