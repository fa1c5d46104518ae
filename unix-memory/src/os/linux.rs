//! Linux and Android.

use core::ffi::{CStr, c_int, c_uint};
use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use unix_memory_sys as sys;

use super::call;
use crate::advice::Advice;
use crate::advice::unchecked::UncheckedAdvice;
use crate::error::Errno;
use crate::page::{Pages, page_size};
use crate::protection::Protection;

#[path = "parts/at_fork.rs"]
mod at_fork;
#[cfg(feature = "std")]
#[path = "parts/block_device.rs"]
mod block_device;
#[cfg(feature = "std")]
#[path = "parts/drop_behind.rs"]
mod drop_behind;
#[cfg(feature = "std")]
#[path = "parts/file_system.rs"]
mod file_system;
#[cfg(feature = "std")]
#[path = "parts/fstat.rs"]
mod fstat;
#[cfg(feature = "std")]
#[path = "parts/fsync.rs"]
mod fsync;
#[path = "parts/huge_bytes.rs"]
mod huge_bytes;
#[path = "parts/icache_linux.rs"]
mod icache;
#[path = "parts/kernel_page_size.rs"]
mod kernel_page_size;
#[path = "parts/lock_future.rs"]
mod lock_future;
#[path = "parts/madvise.rs"]
mod madvise;
#[path = "parts/mappings_linux.rs"]
mod mappings_linux;
#[cfg(feature = "std")]
#[path = "parts/memfd.rs"]
mod memfd;
#[path = "parts/memfd_secret.rs"]
mod memfd_secret;
#[path = "parts/memory_limit.rs"]
mod memory_limit;
#[path = "parts/mincore.rs"]
mod mincore;
#[path = "parts/mlockall.rs"]
mod mlockall;
#[path = "parts/mremap.rs"]
mod mremap;
#[path = "parts/pipe2.rs"]
mod pipe2;
#[path = "parts/proc_file.rs"]
mod proc_file;
#[path = "parts/proc_path.rs"]
mod proc_path;
#[path = "parts/process_madvise.rs"]
mod process_madvise;
#[path = "parts/process_vm.rs"]
mod process_vm;
#[path = "parts/rlimit.rs"]
mod rlimit;
#[cfg(feature = "std")]
#[path = "parts/sealed.rs"]
mod sealed;
#[path = "parts/stack.rs"]
mod stack;
#[cfg(feature = "std")]
#[path = "parts/statvfs.rs"]
mod statvfs;
#[cfg(feature = "std")]
#[path = "parts/verity.rs"]
mod verity;
#[path = "parts/vma_name.rs"]
mod vma_name;
#[path = "parts/wipe_on_fork.rs"]
mod wipe_on_fork;

pub use super::none::{COUNTS_BYTES, ENFORCES_PROTECTION, MAP_CONCEAL, MAY_BECOME, WRITES_FILES};
pub use sys::MAP_FIXED_NOREPLACE as NO_REPLACE;
pub use sys::{MAP_NORESERVE, MAP_POPULATE, MAP_STACK};

pub use madvise::madvise;
pub use process_madvise::advise_together;

pub use huge_bytes::huge_bytes;
pub use kernel_page_size::{has_huge_pages, is_anonymous_in_huge_pages};
pub use mincore::mincore;

pub use lock_future::stop_locking_future;
pub use mlockall::{MCL_CURRENT, MCL_FUTURE, mlockall, munlockall};
pub use sys::MCL_ONFAULT;

pub use memory_limit::memory_limit;

pub use mappings_linux::Mappings;
#[cfg(feature = "std")]
pub use mappings_linux::open_of;
pub use mremap::{is_in_huge_page, remap};
pub use stack::{is_for_stack, meets_stack};
pub use vma_name::name_pages;

pub use at_fork::at_fork;
pub use wipe_on_fork::wipe_in_children;

pub use memfd_secret::memfd_secret;

pub use icache::sync_instruction_cache;
pub use pipe2::open_pipe;
pub use process_vm::{process_vm_read, process_vm_write};

#[cfg(feature = "std")]
pub use block_device::device_len;
#[cfg(feature = "std")]
pub use drop_behind::drop_behind;
#[cfg(feature = "std")]
pub use file_system::is_in_huge_pages;
#[cfg(feature = "std")]
pub use fstat::file_status;
#[cfg(feature = "std")]
pub use fsync::sync_to_device;
#[cfg(feature = "std")]
pub use memfd::{MEMFD_DEFAULT, MORE_SEALS, memfd_create};
#[cfg(feature = "std")]
pub use proc_file::File as ProcessFile;
pub use proc_file::number as number_in_file;
pub use rlimit::file_size_limit;
#[cfg(feature = "std")]
pub use sealed::is_sealed;
#[cfg(feature = "std")]
pub use statvfs::is_full;
#[cfg(all(feature = "std", target_os = "linux"))]
pub use sys::shm_open;
#[cfg(feature = "std")]
pub use verity::is_verified;

/// Both are the pages that the file has in memory: mmap(2).
#[cfg(feature = "std")]
pub const READS_MAPPINGS: bool = true;

/// Objects are files in a directory where anybody can make a FIFO. (Android has none with names.)
#[cfg(all(feature = "std", target_os = "linux"))]
pub const OPEN_AT_ONCE: c_int = libc::O_NONBLOCK;

cfg_if::cfg_if! {
    if #[cfg(any(
        target_arch = "x86",
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv32",
        target_arch = "riscv64",
        target_arch = "loongarch64",
        target_arch = "s390x",
        target_arch = "wasm32",
    ))] {
        /// A new descriptor of memory that the kernel cannot reach, with `flags`.
        fn secret_descriptor(flags: c_uint) -> Result<c_int, Errno> {
            // SAFETY: the call touches no memory. [arguments]
            match unsafe { sys::memfd_secret(flags) } {
                -1 => Err(call::errno()),
                fd => Ok(fd),
            }
        }
    } else {
        /// No kernel has the call on this architecture.
        const fn secret_descriptor(_: c_uint) -> Result<c_int, Errno> {
            Err(libc::ENOSYS)
        }
    }
}

/// Locked pages accept only the second, since Linux 5.18.
pub const GIVE_BACK: &[c_int] = &[sys::MADV_DONTNEED, sys::MADV_DONTNEED_LOCKED];

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

/// Whether the kernel knows the advice `value`: it checks that before it notices that there is nothing
/// to advise on.
pub fn knows_advice(value: c_int) -> bool {
    let address = core::ptr::without_provenance_mut(page_size());
    NonNull::new(address).is_some_and(|address| {
        // SAFETY: no bytes are advised on. [harmless]
        let asked = unsafe { madvise(address, 0, value) };
        // Known, but not allowed for this process: the kernel checks that first.
        matches!(asked, Ok(()) | Err(libc::EPERM))
    })
}

/// Brings `pages`, which can be read, into memory.
///
/// # Errors
/// `ENOSYS` before Linux 5.14; and the kernel's other errors.
#[inline]
pub fn populate(pages: Pages) -> Result<(), Errno> {
    // SAFETY: wherever this is, bringing pages in to be read changes no content. [harmless]
    unsafe { populate_by(pages, sys::MADV_POPULATE_READ) }
}

/// Brings `pages` into memory, ready to be written.
///
/// # Errors
/// Those of [`populate`].
///
/// # Safety
/// They can be written.
#[inline]
pub unsafe fn populate_write(pages: Pages) -> Result<(), Errno> {
    // SAFETY: the pages are the caller's; no content changes. [caller, harmless]
    unsafe { populate_by(pages, sys::MADV_POPULATE_WRITE) }
}

/// # Safety
/// The same as for [`populate_write`].
#[inline]
unsafe fn populate_by(pages: Pages, value: c_int) -> Result<(), Errno> {
    // SAFETY: as the caller vouches. [caller]
    match unsafe { madvise(pages.start, pages.len, value) } {
        // A kernel that knows the value refuses memory that is not RAM, which must not be touched.
        Err(libc::EINVAL) if !knows_advice(value) => Err(libc::ENOSYS),
        result => result,
    }
}

/// Locks pages as they are brought in.
///
/// # Errors
/// `ENOSYS` before Linux 4.4; and the kernel's other errors.
///
/// # Safety
/// The caller owns the pages.
pub unsafe fn mlock_on_fault(address: NonNull<u8>, len: usize) -> Result<(), Errno> {
    // SAFETY: as the caller vouches; locking changes no content. [caller, harmless]
    call::zero_or_errno(unsafe { sys::mlock2(address.as_ptr().cast(), len, sys::MLOCK_ONFAULT) })
}

/// What the kernel reports about the calling thread and its process.
const STATUS: &CStr = c"/proc/thread-self/status";

/// How many bytes the process may lock, if that is limited. With the privilege it is not.
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
    proc_file::kibibytes(STATUS, b"VmLck:")
}

/// How many bytes the process has mapped.
pub fn address_space_bytes() -> Option<u64> {
    proc_file::kibibytes(STATUS, b"VmSize:")
}

/// The size in bytes of the huge pages of [`Advice::HugePage`], if the kernel was built with them.
/// It is read once: it changes only when the system is started again.
pub fn transparent_huge_page() -> Option<usize> {
    // Relaxed: whoever stores it stores the same value, and nothing else depends on it.
    static SIZE: AtomicUsize = AtomicUsize::new(0);
    let known = SIZE.load(Ordering::Relaxed);
    if known != 0 {
        return Some(known);
    }
    let path = c"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size";
    let size = usize::try_from(proc_file::number(path, b"")?).ok()?;
    let size = Some(size).filter(|size| size.is_power_of_two())?;
    SIZE.store(size, Ordering::Relaxed);
    Some(size)
}

/// Whether the kernel may have several mappings in `pages`: it may unless /proc/self/maps has one that
/// holds all of them.
pub fn may_be_several(pages: Pages) -> bool {
    let Range { start, end } = pages.addresses();
    let mut one = false;
    let read = proc_file::each_line(c"/proc/thread-self/maps", |line| {
        one |= proc_file::addresses(line)
            .is_some_and(|mapping| mapping.start <= start && end <= mapping.end);
    });
    read.is_err() || !one
}

/// Whether /proc/self/maps says that all of `pages` is protected as `protection`.
pub fn is_protected(pages: Pages, protection: Protection) -> bool {
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
    proc_file::is_in_maps(&pages.addresses(), |line| {
        proc_file::permissions(line).is_some_and(|theirs| theirs.starts_with(&letters))
    })
}
