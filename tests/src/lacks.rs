//! What is missing here. The kernel, or an emulator in its place, is asked; nothing is assumed.
//!
//! User-mode emulators answer some calls themselves. Each function asks for one thing that a test needs.
//! If it is missing, the function prints, as [`skip`] does, that `check` was skipped and why, and
//! returns true.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::{mem, ptr};

use libc::{MAP_ANON, MAP_PRIVATE, MAP_SHARED, PROT_EXEC, PROT_READ, c_int, c_void};

use unix_memory::process_map::ProcessMap;
use unix_memory::{
    MapOptions, Mapping, Protection, ReadExecute, ReadOnly, ReadWrite, Reason, page_size,
};

use crate::kernel::{self, Flags, Map, Permissions};
use crate::machine_code::{call, function};
use crate::{in_a_child, skip};

/// Advice that reaches the kernel, which refuses a value that it does not know.
#[must_use]
pub fn advice(check: &str) -> bool {
    const NO_ADVICE: c_int = 0x7eed_beef;
    let taken = with_page(PROT_READ, 0, |page, len| {
        // SAFETY: the page belongs to us alone, and there is no such advice.
        unsafe { libc::madvise(page, len, NO_ADVICE) == 0 }
    });
    told(
        taken,
        check,
        "an emulator takes any advice and keeps it to itself",
    )
}

/// A map of this process that does not show an emulator.
///
/// # Panics
/// As [`own_process`].
#[must_use]
pub fn process_map(check: &str) -> bool {
    match ProcessMap::of_self() {
        Err(error) if error.errno() == libc::ENOSYS => told(
            true,
            check,
            "this system has no map of a process that is known here",
        ),
        _ => own_process(check),
    }
}

/// Pages that have the same size for the kernel and for the process: an emulator that makes each page of
/// several does not do so in `mincore`, nor past the end of a file, and every page of a device is past
/// its end.
#[must_use]
pub fn own_pages(check: &str) -> bool {
    let size = unix_memory::page_size() as u64;
    let theirs = with_page(PROT_READ, 0, |page, _| {
        kernel::map_at(page.cast_const().cast())
    });
    let as_large = theirs.is(|map| map.as_ref().is_none_or(|map| map.page_size == Some(size)));
    told(
        !as_large,
        check,
        "an emulator makes each page of several of the kernel's",
    )
}

/// Writable shared mappings of files.
///
/// # Panics
/// If there is no file for it.
#[must_use]
pub fn shared_files(check: &str) -> bool {
    let file = tempfile::tempfile().unwrap();
    file.set_len(1).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite);
    let lacking = mapping.is_err_and(|error| error.reason() == Reason::NotWrittenBack);
    let reason = "this system does not write shared mappings back to their files";
    told(lacking, check, reason)
}

/// Protections that are enforced.
#[must_use]
pub fn protections(check: &str) -> bool {
    let reason = "this system enforces no protections";
    told(!Protection::is_enforced(), check, reason)
}

/// A real process, about which everything that the kernel reports is about this program. An emulator is
/// a process too, with its own memory beside its program's.
///
/// # Panics
/// If the path of the program is not mapped.
#[must_use]
pub fn own_process(check: &str) -> bool {
    // An emulator gives its program a stack that does not grow.
    match kernel::own_stack_grows() {
        None => told(
            true,
            check,
            "this system reports nothing, or not in a way known here",
        ),
        Some(grows) => told(
            !grows,
            check,
            "an emulator's own memory counts with its program's",
        ),
    }
}

/// Execution in /proc/self/smaps: an emulator does not execute its program's pages.
#[must_use]
pub fn execution(check: &str) -> bool {
    let map = with_page(PROT_READ | PROT_EXEC, 0, |page, _| {
        kernel::map_at(page.cast_const().cast())
    });
    let executes = |map: &Map| map.permissions.contains(Permissions::EXECUTE);
    let told_of = map.is(|map| map.as_ref().is_none_or(executes));
    told(
        !told_of,
        check,
        "an emulator executes no pages, but translates them",
    )
}

/// Code that is executed as it was last written: QEMU's emulators before 8.2 treat a store of many
/// bytes, as the kernel makes when it copies, as a store of the first byte, and continue to execute
/// their translation of the others.
#[must_use]
pub fn stores_over_code(check: &str) -> bool {
    const AT: usize = 64;
    let returned = || -> Option<[u32; 2]> {
        let mut mapping = Mapping::anonymous(page_size()).ok()?;
        let mut returned = [0; 2];
        for (value, returned) in (1..).zip(&mut returned) {
            let code = function(value)?;
            let mut bytes = vec![0; page_size()];
            bytes[AT..AT + code.len()].copy_from_slice(&code);
            let (mut end, mut start) = io::pipe().ok()?;
            start.write_all(&bytes).ok()?;
            end.read_exact(&mut mapping).ok()?;
            let executable = mapping.protect(ReadExecute).ok()?;
            // SAFETY: the function was just copied there, and can be executed.
            *returned = unsafe { call(executable.as_ptr().wrapping_add(AT)) };
            mapping = executable.protect(ReadWrite).ok()?;
        }
        Some(returned)
    };
    told(
        returned() == Some([1, 1]),
        check,
        "an emulator executes what it translated before it was written over",
    )
}

/// `MAP_POPULATE` that brings pages in, in the bare call.
#[must_use]
pub fn populate_flag(check: &str) -> bool {
    match kernel::populate_flag_populates() {
        None => told(true, check, "no MAP_POPULATE that is known here"),
        Some(populates) => told(!populates, check, "an emulator drops MAP_POPULATE"),
    }
}

/// Mappings of the file behind `fd`, which is in huge pages of `size` bytes.
///
/// # Panics
/// If what was mapped cannot be unmapped.
#[must_use]
pub fn huge_mappings(fd: c_int, size: usize, check: &str) -> bool {
    match kernel::huge_page_can_be_mapped(fd, size) {
        Ok(()) => false,
        Err(error) => told(true, check, &format!("mmap of a huge page: {error}")),
    }
}

/// Masks of handlers that the C library passes to the kernel unchanged: musl 1.2.5 does not on RISC-V,
/// whose kernel has no place for the function that musl puts before the mask.
///
/// # Panics
/// If a signal cannot be handled.
#[must_use]
pub fn masks_of_handlers(check: &str) -> bool {
    extern "C" fn noting(_: c_int) {
        let mut mask = MaybeUninit::uninit();
        // SAFETY: given no mask, the call changes nothing, and writes the current one.
        let failed =
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr()) };
        assert_eq!(failed, 0);
        // Since the kernel reads a mask where there is none, any signal may be among the blocked ones.
        let right = (1..32).all(|signal| {
            // SAFETY: the mask was written.
            let blocked = unsafe { libc::sigismember(mask.as_ptr(), signal) } == 1;
            blocked == [libc::SIGUSR1, libc::SIGUSR2].contains(&signal)
        });
        // SAFETY: the call has no preconditions.
        unsafe { libc::_exit(c_int::from(right)) };
    }
    let ended = in_a_child(|| {
        // SAFETY: it holds only integers.
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

/// The end of a program whose own access raises SIGBUS while it ignores that signal: a kernel ends it,
/// but QEMU's user-mode emulators up to 7.2 repeat the access forever.
///
/// # Panics
/// If no file can be made.
#[must_use]
pub fn ends_by_ignored_faults(check: &str) -> bool {
    const PATIENCE: u32 = 10;
    let file = tempfile::tempfile().expect("a file");
    let ended = in_a_child(|| {
        let options = MapOptions::new().len(1).past_end(true);
        let mapping = options.map_shared(&file, ReadOnly).expect("a mapping");
        // SAFETY: to ignore a signal needs no function.
        unsafe { libc::signal(libc::SIGBUS, libc::SIG_IGN) };
        // SAFETY: the call has no preconditions.
        unsafe { libc::alarm(PATIENCE) };
        // SAFETY: the page is mapped; the access is meant to find that the file has none.
        unsafe { mapping.as_ptr().read_volatile() };
    });
    let repeats = ended.code() == Some(crate::GAVE_UP);
    assert_ne!(ended.code(), Some(101), "its mapping was not made");
    told(
        repeats,
        check,
        "an emulator repeats an access whose signal is ignored",
    )
}

/// Names of memory, by the bare call.
#[must_use]
pub fn names_of_memory(check: &str) -> bool {
    let reason = "this kernel gives memory no names";
    told(kernel::names_memory() != Some(true), check, reason)
}

/// Space that is not set aside (`MAP_NORESERVE`), by the bare call.
#[must_use]
pub fn no_reserve(check: &str) -> bool {
    let flags = with_page(PROT_READ, kernel::MAP_NORESERVE, |page, _| {
        kernel::flags(page.cast_const().cast())
    });
    let told_of = flags.contains(Flags::NR);
    told(!told_of, check, "an emulator drops MAP_NORESERVE")
}

/// Locks on fault, by the bare call, that the kernel's flags of a mapping distinguish from full ones.
#[must_use]
pub fn locks_on_fault_told(check: &str) -> bool {
    let flags = with_page(PROT_READ, 0, |page, len| {
        // The lock ends with the page.
        let locked = kernel::lock_on_fault(page, len).is_ok();
        locked.then(|| kernel::flags(page.cast_const().cast()))
    });
    let told_of = flags.is_none_or(|flags| flags.contains(Flags::LF));
    told(
        !told_of,
        check,
        "this kernel does not tell them from full locks",
    )
}

/// File offsets of more than 32 bits, by the bare call: an emulator may truncate them.
///
/// # Panics
/// If no temporary file can be made.
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
        kernel::mmap64(
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

/// Calls `f` with a new private page that the C library's call made.
fn with_page<R>(protection: c_int, flags: c_int, f: impl FnOnce(*mut c_void, usize) -> R) -> R {
    let flags = flags | MAP_PRIVATE | MAP_ANON;
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
