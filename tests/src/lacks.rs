//! What there is not here: asked of the kernel, or of an emulator in its place, never assumed.
//!
//! User-mode emulators answer some calls themselves. Each function asks for one thing that a test
//! needs; where it is missing it says, as [`skip`] does, that `check` was left out, and why, and
//! returns true.

use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::{mem, ptr};

use libc::{MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_EXEC, PROT_READ, c_int, c_void};
use procfs::process::{MMPermissions, VmFlags};

use crate::{flags, in_a_child, raw_flags, skip, smaps};

/// Advice that reaches the kernel, which refuses a value that it does not know.
#[must_use]
pub fn advice(check: &str) -> bool {
    const NO_ADVICE: c_int = 0x7eed_beef;
    let taken = with_page(PROT_READ, 0, |page, len| {
        // SAFETY: the page is ours alone, and there is no such advice.
        unsafe { libc::madvise(page, len, NO_ADVICE) == 0 }
    });
    told(
        taken,
        check,
        "an emulator takes any advice and keeps it to itself",
    )
}

/// Pages that are as large for the kernel as for the process: an emulator that makes each of
/// several does not do so in `mincore`, nor past the end of a file, of which devices are all.
#[must_use]
pub fn own_pages(check: &str) -> bool {
    let size = unix_memory::page_size() as u64;
    let kernels = with_page(PROT_READ, 0, |page, _| {
        smaps(page.cast_const().cast()).map(|map| map.extension.map["KernelPageSize"])
    });
    let theirs = kernels.is_none_or(|kernels| kernels == size);
    told(
        !theirs,
        check,
        "an emulator makes each page of several of the kernel's",
    )
}

/// A process of the kernel's own, of which all that /proc says is said of this program: an emulator is
/// one too, with memory of its own beside its program's.
///
/// # Panics
/// Where the path of the program is not mapped.
#[must_use]
pub fn own_process(check: &str) -> bool {
    // SAFETY: the call takes any number.
    let stack = unsafe { libc::getauxval(libc::AT_EXECFN) };
    let stack = ptr::without_provenance(usize::try_from(stack).unwrap());
    // An emulator gives its program a stack that does not grow.
    let is_stack = raw_flags(stack).iter().any(|flag| flag == "gd");
    told(
        !is_stack,
        check,
        "an emulator's own memory counts with its program's",
    )
}

/// Execution in /proc/self/smaps: an emulator does not execute its program's pages.
#[must_use]
pub fn execution(check: &str) -> bool {
    let map = with_page(PROT_READ | PROT_EXEC, 0, |page, _| {
        smaps(page.cast_const().cast())
    });
    let told_of = map.is_none_or(|map| map.perms.contains(MMPermissions::EXECUTE));
    told(
        !told_of,
        check,
        "an emulator executes no pages, but translates them",
    )
}

/// `MAP_POPULATE`, of the bare call, that brings pages in.
#[must_use]
pub fn populate_flag(check: &str) -> bool {
    let resident = with_page(PROT_READ, libc::MAP_POPULATE, |page, len| {
        // The kernel's pages may be smaller: a byte for each.
        let mut pages = vec![0; len];
        // SAFETY: `pages` has room for as many pages as `len` can have.
        let asked = unsafe { libc::mincore(page, len, pages.as_mut_ptr()) };
        asked == 0 && pages[0] & 1 == 1
    });
    told(!resident, check, "an emulator drops MAP_POPULATE")
}

/// Mappings of the file behind `fd`, which is in huge pages of `size` bytes.
///
/// # Panics
/// Where what was mapped cannot be unmapped.
#[must_use]
pub fn huge_mappings(fd: c_int, size: usize, check: &str) -> bool {
    let flags = MAP_SHARED | libc::MAP_NORESERVE;
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    let address = unsafe { libc::mmap(ptr::null_mut(), size, PROT_READ, flags, fd, 0) };
    if address == libc::MAP_FAILED {
        let error = std::io::Error::last_os_error();
        return told(true, check, &format!("mmap of a huge page: {error}"));
    }
    // SAFETY: the pages are those just mapped.
    let unmapped = unsafe { libc::munmap(address, size) };
    assert_eq!(unmapped, 0);
    false
}

/// Masks of handlers that the C library hands to the kernel as they are: musl 1.2.5 does not on
/// RISC-V, whose kernel has no place for the function that it puts before the mask.
///
/// # Panics
/// Where a signal cannot be handled.
#[must_use]
pub fn masks_of_handlers(check: &str) -> bool {
    extern "C" fn noting(_: c_int) {
        let mut mask = MaybeUninit::uninit();
        // SAFETY: given no mask, the call changes nothing, and writes the one that there is.
        let failed =
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr()) };
        assert_eq!(failed, 0);
        // As the kernel takes what is not there for a mask, any signal may be among those blocked.
        let right = (1..32).all(|signal| {
            // SAFETY: the mask was written.
            let blocked = unsafe { libc::sigismember(mask.as_ptr(), signal) } == 1;
            blocked == [libc::SIGUSR1, libc::SIGUSR2].contains(&signal)
        });
        // SAFETY: the call has no preconditions.
        unsafe { libc::_exit(c_int::from(right)) };
    }
    let ended = in_a_child(|| {
        // SAFETY: it holds integers alone.
        let mut action: libc::sigaction = unsafe { mem::zeroed() };
        action.sa_sigaction = noting as *const () as usize;
        // SAFETY: the mask is whole.
        unsafe { libc::sigaddset(&raw mut action.sa_mask, libc::SIGUSR1) };
        // SAFETY: the handler does what a handler may.
        let failed = unsafe { libc::sigaction(libc::SIGUSR2, &raw const action, ptr::null_mut()) };
        assert_eq!(failed, 0);
        // SAFETY: the call has no preconditions.
        unsafe { libc::raise(libc::SIGUSR2) };
    });
    told(
        ended.code() != Some(1),
        check,
        "this C library loses the mask of a handler",
    )
}

/// Space that is not set aside (`MAP_NORESERVE`), of the bare call.
#[must_use]
pub fn no_reserve(check: &str) -> bool {
    let flags = with_page(PROT_READ, libc::MAP_NORESERVE, |page, _| {
        flags(page.cast_const().cast())
    });
    let told_of = flags.contains(VmFlags::NR);
    told(!told_of, check, "an emulator drops MAP_NORESERVE")
}

/// Locks on fault, of the bare call, that the kernel's flags of a mapping tell from full ones.
#[must_use]
pub fn locks_on_fault_told(check: &str) -> bool {
    let flags = with_page(PROT_READ, 0, |page, len| {
        // SAFETY: a lock changes nothing; it goes with the page.
        let failed = unsafe { libc::syscall(libc::SYS_mlock2, page, len, libc::MLOCK_ONFAULT) };
        (failed == 0).then(|| raw_flags(page.cast_const().cast()))
    });
    let told_of = flags.is_none_or(|flags| flags.iter().any(|flag| flag == "lf"));
    told(
        !told_of,
        check,
        "this kernel does not tell them from full locks",
    )
}

/// Places in a file beyond what 32 bits can tell, of the bare call: an emulator may cut them off.
///
/// # Panics
/// Where there is no temporary file.
#[must_use]
pub fn far_offsets(check: &str) -> bool {
    const FAR: u64 = 1 << 32;
    let file = tempfile::tempfile().expect("a file");
    file.write_all_at(b"near", 0)
        .expect("a file that takes bytes");
    file.write_all_at(b"far!", FAR)
        .expect("a file that takes bytes there");
    let offset = FAR.try_into().expect("an offset");
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    let address = unsafe {
        libc::mmap64(
            ptr::null_mut(),
            4,
            PROT_READ,
            MAP_SHARED,
            file.as_raw_fd(),
            offset,
        )
    };
    assert_ne!(address, libc::MAP_FAILED);
    // SAFETY: the file has as many bytes there.
    let found = unsafe { address.cast::<[u8; 4]>().read_volatile() };
    // SAFETY: the page is the one just mapped.
    let unmapped = unsafe { libc::munmap(address, 4) };
    assert_eq!(unmapped, 0);
    told(
        &found != b"far!",
        check,
        "an emulator cuts off what 32 bits of a file's offset cannot tell",
    )
}

fn told(lacks: bool, check: &str, reason: &str) -> bool {
    if lacks {
        skip(check, reason);
    }
    lacks
}

/// Calls `f` with a new private page, made by the C library alone.
fn with_page<R>(protection: c_int, flags: c_int, f: impl FnOnce(*mut c_void, usize) -> R) -> R {
    let flags = flags | MAP_PRIVATE | MAP_ANONYMOUS;
    let len = unix_memory::page_size();
    // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
    let page = unsafe { libc::mmap(ptr::null_mut(), len, protection, flags, -1, 0) };
    assert_ne!(page, libc::MAP_FAILED);
    let result = f(page, len);
    // SAFETY: the page is the one just mapped; `f` keeps nothing of it.
    let unmapped = unsafe { libc::munmap(page, len) };
    assert_eq!(unmapped, 0);
    result
}
