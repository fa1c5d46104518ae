//! What the integration tests share.
//!
//! The tests are programs below `tests/tests/`, in wings with the names of those of
//! `unix-memory/src`. Each compares what the library reports with what the kernel reports. This crate
//! has what they need for it:
//!
//! | to | use |
//! |---|---|
//! | ask the kernel what is mapped, and how | [`kernel`], of which most tests use [`permissions`], [`flags`], [`map_at`] |
//! | ask about everything, after each of many steps, on Linux | `kernel::List`, `kernel::Memory` |
//! | ask the kernel what is locked | [`is_locked`], [`is_unlocked`], [`lock_states`], [`as_told`] |
//! | make the kernel refuse a call | [`seccomp`]: [`refusing`], [`refusing_argument`]; one among many similar ones, on Linux: `seccomp::listener` |
//! | do something in a child that a process can do only once, or does not survive | [`in_a_child`], [`spawn`], [`in_a_thread`], [`in_threads`], [`is_true_in_a_child`], [`can_be_read`] |
//! | get a process whose memory stays as it is | [`StillChild`] |
//! | get a child with the same number as its parent | [`here_and_as_the_first_process`], [`in_a_child_of_the_same_number`] |
//! | copy by each mechanism, from a truncated file | [`copies`] |
//! | have another process truncate and rewrite a file meanwhile | [`storm`] |
//! | track writes in each way that works | [`dirty`] |
//! | skip a check if the kernel or an emulator lacks something | [`lacks`], [`skip`] |
//! | limit addresses, data, locked memory, the length or number of files; add huge pages to the system's pool | [`limit_address_space`], [`limit_data`], [`limit_locked_memory`], [`limit_file_size`], [`limit_open_files`], `ReservedHugePages` |
//! | reach the kernel's limit of mappings | [`reachable_mapping_limit`], [`mappings_up_to_the_limit`], [`HalfWay`] |
//! | do less work in an emulator | [`effort`] |
//! | get memory that no guard owns | [`Others`] |
//! | make a named pipe | [`make_pipe`] |
//! | get a function in machine code | [`machine_code`] |
//! | ask which code of the library runs | [`processor_copies`] |
//!
//! # Systems other than Linux
//! The tests compile there too. What only Linux reports about a process is [`Reported`] as unknown on
//! other systems: checks of it are skipped, with a line that says so. Likewise, if a call should be
//! refused and the kernel has no filters of system calls, nothing is run. So most tests need no `cfg`.
//! Those about something that other systems do not have (protection keys, seals, huge pages, locks on
//! fault) have one, with its reason. On Emscripten, where the tests run too, a test of a missing feature
//! is ignored, with the reason, which `cargo xtask emulate` reports.

mod child;
pub mod copies;
pub mod dirty;
mod huge;
pub mod kernel;
pub mod lacks;
mod limit;
pub mod machine_code;
pub mod mounts;
mod numbers;
mod others;
pub mod seccomp;
pub mod storm;

pub use child::{
    Child, GAVE_UP, StillChild, here_and_as_the_first_process, in_a_child,
    in_a_child_of_the_same_number, in_a_thread, in_threads, spawn,
};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use huge::ReservedHugePages;
pub use kernel::{
    Flags, Permissions, Reported, as_told, flags, is_locked, is_unlocked, lock_states, map_at,
    permissions,
};
pub use limit::{
    HalfWay, is_memory_limit, limit_address_space, limit_data, limit_file_size,
    limit_locked_memory, limit_open_files, mappings_up_to_the_limit, reachable_mapping_limit,
};
pub use numbers::Numbers;
pub use others::Others;
pub use seccomp::{refusing, refusing_argument};

/// Whether this runs in an emulator, which is slow.
fn is_emulated() -> bool {
    // `cargo xtask emulate` sets it.
    std::env::var_os("UNIX_MEMORY_RUNNER").is_some()
}

/// How much of `work` to do: only a part of it in an emulator.
#[must_use]
pub fn effort(work: usize) -> usize {
    if is_emulated() {
        (work / 20).max(1)
    } else {
        work
    }
}

/// Whether the library has copies for this processor, and does not need the kernel for all of them.
#[must_use]
pub fn processor_copies() -> bool {
    matches!(std::env::consts::ARCH, "x86_64" | "aarch64" | "riscv64")
}

/// When a check that waits for another process gives up, well before its own time runs out.
#[must_use]
pub fn deadline() -> std::time::Instant {
    std::time::Instant::now() + std::time::Duration::from_secs(u64::from(child::patience()) / 4)
}

/// Makes a named pipe.
///
/// # Panics
/// If the system refuses.
pub fn make_pipe(path: &std::path::Path) {
    use std::os::unix::ffi::OsStrExt;

    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).expect("a path");
    // SAFETY: the path ends with NUL.
    let failed = unsafe { libc::mkfifo(path.as_ptr(), 0o600) };
    assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
}

/// Prints that a check could not be made here, and why: it counts as skipped.
pub fn skip(check: &str, reason: &str) {
    println!("skipped: {check}: {reason}");
}

/// Runs `child` in a child, and returns whether it returned true.
///
/// # Panics
/// If no child can be made.
#[must_use]
pub fn is_true_in_a_child(child: impl FnOnce() -> bool) -> bool {
    in_a_child(|| assert!(child(), "it is not so in the child")).success()
}

/// Whether a child that only reads the byte at `address` survives, which it does not if the page cannot
/// be read.
#[must_use]
pub fn can_be_read(address: *const u8) -> bool {
    let address = address.expose_provenance();
    in_a_child(|| {
        let address = std::ptr::with_exposed_provenance::<u8>(address);
        // SAFETY: an aligned byte; if it cannot be read, the child ends, which is its purpose.
        let _byte = unsafe { address.read_volatile() };
    })
    .success()
}

/// The programs of the repository's README.
#[cfg(all(doctest, target_os = "linux"))]
#[doc = include_str!("../../README.md")]
struct Readme;
