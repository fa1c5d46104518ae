//! Filters of system calls, with which a test makes the kernel refuse a call: seccomp(2).
//!
//! Written out rather than with a library, because the libraries know only a few architectures. To
//! the kernel, a filter is the same on all of them, except for the numbers of the calls and the byte
//! order.

use std::ffi::{c_long, c_ulong};
use std::io;

use libc::sock_filter;
pub use libc::{
    MADV_COLD, MADV_DONTDUMP, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_WIPEONFORK,
    MREMAP_FIXED, MREMAP_MAYMOVE, PR_SET_VMA,
};
pub use libc::{
    SYS_get_mempolicy as SYS_GET_MEMPOLICY, SYS_ioctl as SYS_IOCTL, SYS_madvise as SYS_MADVISE,
    SYS_mbind as SYS_MBIND, SYS_memfd_create as SYS_MEMFD_CREATE, SYS_mincore as SYS_MINCORE,
    SYS_mlock as SYS_MLOCK, SYS_mlock2 as SYS_MLOCK2, SYS_move_pages as SYS_MOVE_PAGES,
    SYS_mprotect as SYS_MPROTECT, SYS_mremap as SYS_MREMAP, SYS_msync as SYS_MSYNC,
    SYS_munmap as SYS_MUNMAP, SYS_pipe2 as SYS_PIPE2, SYS_prctl as SYS_PRCTL,
    SYS_process_madvise as SYS_PROCESS_MADVISE, SYS_process_vm_readv as SYS_PROCESS_VM_READV,
    SYS_process_vm_writev as SYS_PROCESS_VM_WRITEV, SYS_rt_sigaction as SYS_RT_SIGACTION,
    SYS_userfaultfd as SYS_USERFAULTFD,
};

/// The request of `ioctl` that asks about one address in the map of a process, as the kernel gets it.
#[allow(
    clippy::cast_possible_truncation,
    reason = "the same bits, with a sign or without, up to the width of a register"
)]
pub const PROCMAP_QUERY: u64 = unix_memory_sys::PROCMAP_QUERY as usize as u64;

/// A call that changes the length of a file: 32-bit C libraries make another than 64-bit ones.
#[cfg(target_pointer_width = "64")]
pub use libc::SYS_ftruncate as SYS_FTRUNCATE;
#[cfg(not(target_pointer_width = "64"))]
pub use libc::SYS_ftruncate64 as SYS_FTRUNCATE;

/// The call behind `fcntl`.
#[cfg(target_pointer_width = "64")]
pub use libc::SYS_fcntl as SYS_FCNTL;
#[cfg(not(target_pointer_width = "64"))]
pub use libc::SYS_fcntl64 as SYS_FCNTL;

/// The call behind `mmap`.
#[cfg(target_pointer_width = "64")]
pub use libc::SYS_mmap as SYS_MMAP;
#[cfg(not(target_pointer_width = "64"))]
pub use libc::SYS_mmap2 as SYS_MMAP;

/// The number of `pkey_mprotect`, which the libc crate does not have for all C libraries of these
/// processors: <asm/unistd.h> has it.
#[cfg(any(
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "s390x",
    target_arch = "sparc64"
))]
pub const SYS_PKEY_MPROTECT: c_long = if cfg!(target_arch = "s390x") {
    384
} else if cfg!(target_arch = "sparc64") {
    362
} else {
    386
};
#[cfg(not(any(
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "s390x",
    target_arch = "sparc64"
)))]
pub use libc::SYS_pkey_mprotect as SYS_PKEY_MPROTECT;

/// What a filter looks at: `struct seccomp_data`.
const NUMBER: usize = 0;
const ARGUMENTS: usize = 16;

/// Whether there are filters that could be tried.
pub const HAS_FILTERS: bool = true;

/// Makes the kernel refuse `call` with `errno`, only in this thread and as long as it runs, and, if
/// `argument` is given, only if argument `index` is `value`.
///
/// # Errors
/// If this kernel, or an emulator in its place, has no filters.
///
/// # Panics
/// For a negative number.
pub fn refuse(call: c_long, argument: Option<(u8, u64)>, errno: i32) -> io::Result<()> {
    let action = libc::SECCOMP_RET_ERRNO | errno.unsigned_abs();
    filter(call, argument, action, 0).map(drop)
}

/// Installs, only in this thread, a filter that answers `call` with `action` and lets all others
/// pass; if `argument` is given, `call` is affected only if argument `index` is `value`. Returns what
/// the call did.
///
/// # Errors
/// If this kernel, or an emulator in its place, has no filters.
///
/// # Panics
/// For a negative number.
pub fn filter(
    call: c_long,
    argument: Option<(u8, u64)>,
    action: u32,
    flags: c_ulong,
) -> io::Result<c_long> {
    let half = size_of::<u32>();
    let low = if cfg!(target_endian = "big") { half } else { 0 };
    let mut words = vec![(NUMBER, u32::try_from(call).expect("a number of a call"))];
    if let Some((index, value)) = argument {
        let place = ARGUMENTS + usize::from(index) * size_of::<u64>();
        let [first, second] = [value & u64::from(u32::MAX), value >> 32]
            .map(|half| u32::try_from(half).expect("32 bits"));
        words.extend([(place + low, first), (place + half - low, second)]);
    }
    let mut steps = Vec::new();
    for (passed, &(place, word)) in words.iter().enumerate() {
        // Past the comparisons that follow, each of two steps, and past the action.
        let otherwise = 2 * (words.len() - passed - 1) + 1;
        let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
        let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
        steps.push(step(load, 0, u32::try_from(place).expect("a place")));
        steps.push(step(equal, otherwise, word));
    }
    let result = libc::BPF_RET | libc::BPF_K;
    steps.push(step(result, 0, action));
    steps.push(step(result, 0, libc::SECCOMP_RET_ALLOW));
    install(&mut steps, flags)
}

/// Installs, in this thread and those that it makes, a filter that answers each of `calls` with
/// `action`, and every other call with `otherwise`. Returns what the call did.
///
/// # Errors
/// If this kernel, or an emulator in its place, has no filters.
///
/// # Panics
/// For a negative number, and for more calls than a filter can jump over.
pub fn filter_any(
    calls: &[c_long],
    action: u32,
    otherwise: u32,
    flags: c_ulong,
) -> io::Result<c_long> {
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let result = libc::BPF_RET | libc::BPF_K;
    let mut steps = vec![step(load, 0, u32::try_from(NUMBER).expect("a place"))];
    for (passed, &call) in calls.iter().enumerate() {
        let mut compare = step(equal, 0, u32::try_from(call).expect("a number of a call"));
        // Past the rest of them, and past the result for others.
        compare.jt = u8::try_from(calls.len() - passed).expect("a short way");
        steps.push(compare);
    }
    steps.push(step(result, 0, otherwise));
    steps.push(step(result, 0, action));
    install(&mut steps, flags)
}

fn step(code: u32, otherwise: usize, word: u32) -> sock_filter {
    sock_filter {
        code: u16::try_from(code).expect("a step"),
        jt: 0,
        jf: u8::try_from(otherwise).expect("a short way"),
        k: word,
    }
}

fn install(steps: &mut [sock_filter], flags: c_ulong) -> io::Result<c_long> {
    let program = libc::sock_fprog {
        len: u16::try_from(steps.len()).expect("a short program"),
        filter: steps.as_mut_ptr(),
    };
    let (on, off): (c_ulong, c_ulong) = (1, 0);
    // SAFETY: the call takes integers.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, on, off, off, off) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the program is valid, has that many steps, and lives until the kernel has copied it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const program,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}
