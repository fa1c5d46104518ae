//! The answers of a system that has no such thing: calls fail with `ENOSYS`, as a kernel without them
//! would; flags are zero; questions have the answer that changes nothing.

#![allow(dead_code, reason = "each system lacks some of it")]

use core::ffi::{CStr, c_int, c_uchar};
#[cfg(feature = "std")]
use core::mem::ManuallyDrop;
#[cfg(feature = "std")]
use core::ops::Range;
use core::ptr::NonNull;
#[cfg(feature = "std")]
use std::fs::File;
#[cfg(feature = "std")]
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd};
#[cfg(feature = "std")]
use std::os::unix::fs::MetadataExt;

use crate::error::{Errno, Reason};
#[cfg(feature = "std")]
use crate::os::call::FileStatus;
use crate::os::call::Wanted;
use crate::page::Pages;
use crate::process_map::region::{PutName, Region};
use crate::protection::Protection;

pub const MAY_BECOME: c_int = 0;
pub const MAP_CONCEAL: c_int = 0;
pub const MAP_NORESERVE: c_int = 0;
pub const MAP_POPULATE: c_int = 0;
pub const MAP_STACK: c_int = 0;
pub const NO_REPLACE: c_int = 0;

/// Advises on nothing.
///
/// # Safety
/// None: it does nothing.
pub const unsafe fn advise_together(_: &[Pages], _: c_int) -> Option<usize> {
    None
}

/// No other system refuses to unmap pages, as Linux does at its limit of mappings.
pub const GIVE_BACK: &[c_int] = &[];

/// This system does not report which pages are in memory.
///
/// # Errors
/// `ENOSYS`.
///
/// # Safety
/// None: it does nothing.
pub const unsafe fn mincore(_: NonNull<u8>, _: usize, _: &mut [c_uchar]) -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// # Errors
/// `ENOSYS`.
pub const fn populate(_: Pages) -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// # Errors
/// `ENOSYS`.
///
/// # Safety
/// None: it does nothing.
pub const unsafe fn populate_write(_: Pages) -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// The number that other systems have.
pub const MCL_CURRENT: c_int = 1;
/// The number that other systems have.
pub const MCL_FUTURE: c_int = 2;
pub const MCL_ONFAULT: c_int = 0;

/// # Errors
/// `ENOSYS`.
pub const fn mlockall(_: c_int) -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// # Errors
/// `ENOSYS`.
pub const fn munlockall() -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// # Errors
/// `ENOSYS`.
///
/// # Safety
/// None: it does nothing.
pub const unsafe fn mlock_on_fault(_: NonNull<u8>, _: usize) -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// The future is locked until everything is unlocked.
///
/// # Errors
/// `ENOSYS`.
pub const fn stop_locking_future() -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// No call reports a limit.
pub const fn lock_limit() -> Option<u64> {
    None
}

pub const fn locked_bytes() -> Option<u64> {
    None
}

pub const fn address_space_bytes() -> Option<u64> {
    None
}

/// Nothing reports which limit was reached.
pub const fn memory_limit(_: &Wanted) -> Option<Reason> {
    None
}

/// # Errors
/// `ENOSYS`.
///
/// # Safety
/// None: it does nothing.
pub const unsafe fn remap(
    _: NonNull<u8>,
    _: usize,
    _: usize,
    _: bool,
) -> Result<NonNull<u8>, Errno> {
    Err(libc::ENOSYS)
}

/// A program knows nothing about huge pages here.
///
/// # Safety
/// None: it does nothing.
pub const unsafe fn is_in_huge_page(_: *mut u8) -> bool {
    false
}

/// A program knows nothing about huge pages here.
///
/// # Safety
/// None: it does nothing.
pub const unsafe fn is_anonymous_in_huge_pages(_: Pages) -> bool {
    false
}

/// No huge pages are known that memory is put into on advice.
pub const fn transparent_huge_page() -> Option<usize> {
    None
}

/// No call is known that reports which pages are huge.
///
/// # Errors
/// `ENOSYS`.
pub const fn huge_bytes(_: Pages) -> Result<usize, Errno> {
    Err(libc::ENOSYS)
}

/// Only Linux refuses to change several mappings for lack of more.
pub const fn may_be_several(_: Pages) -> bool {
    false
}

/// Lengths are rounded up to pages, as POSIX says of `munmap`.
pub const COUNTS_BYTES: bool = false;

/// A shared mapping and its file are one.
pub const WRITES_FILES: bool = true;

/// The processor enforces what a program asks for with `mprotect`, as on nearly all systems.
pub const ENFORCES_PROTECTION: bool = true;

/// No call says so.
pub const fn is_protected(_: Pages, _: Protection) -> bool {
    false
}

/// Nothing can be mapped where the stack of the main thread grows: it is mapped, or reserved, as a
/// whole. This is so on the BSDs and Apple's systems; nothing is known about the others.
pub const fn is_for_stack(_start: usize, _len: usize) -> bool {
    false
}

/// As for [`is_for_stack`].
pub const fn meets_stack(_start: usize, _end: usize) -> bool {
    false
}

/// Memory has no names.
///
/// # Errors
/// `ENOSYS`.
///
/// # Safety
/// None: it does nothing.
pub const unsafe fn name_pages(_: Pages, _: Option<&CStr>, _: bool) -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// No call and no file reports what is mapped, or this crate does not read it yet.
pub enum Mappings {}

impl Mappings {
    /// # Errors
    /// `ENOSYS`.
    pub const fn open(_: Option<libc::pid_t>) -> Result<Self, Errno> {
        Err(libc::ENOSYS)
    }

    /// # Errors
    /// None: there is no such value.
    pub fn at_or_after(
        &mut self,
        _: u64,
        _: bool,
        _: PutName<'_, '_>,
    ) -> Result<Option<Region<()>>, Errno> {
        match *self {}
    }
}

/// A child finds what its parent had.
///
/// # Errors
/// `ENOSYS`.
///
/// # Safety
/// None: it does nothing.
pub const unsafe fn wipe_in_children(_: Pages) -> Result<(), Errno> {
    Err(libc::ENOSYS)
}

/// No memory is out of the kernel's reach.
///
/// # Errors
/// `ENOSYS`.
pub const fn memfd_secret(_: usize) -> Result<c_int, Errno> {
    Err(libc::ENOSYS)
}

/// # Errors
/// `ENOSYS`.
///
/// # Safety
/// None: it does nothing.
pub const unsafe fn process_vm_read(
    _: libc::pid_t,
    _: *const u8,
    _: *mut u8,
    _: usize,
) -> Result<usize, Errno> {
    Err(libc::ENOSYS)
}

/// # Errors
/// `ENOSYS`.
///
/// # Safety
/// None: it does nothing.
pub const unsafe fn process_vm_write(
    _: libc::pid_t,
    _: *const u8,
    _: *mut u8,
    _: usize,
) -> Result<usize, Errno> {
    Err(libc::ENOSYS)
}

/// No limit is read: what happens beyond it is untested.
pub const fn file_size_limit() -> Option<u64> {
    None
}

/// POSIX leaves it open when a read returns what was written to a mapping.
#[cfg(feature = "std")]
pub const READS_MAPPINGS: bool = false;

/// Takes no such hint about a file.
#[cfg(feature = "std")]
pub const fn drop_behind(_: BorrowedFd<'_>, _: &Range<u64>) {}

/// What the standard library reports, which knows the types of each system.
///
/// # Errors
/// Those of fstat(2).
#[cfg(feature = "std")]
pub fn file_status(fd: BorrowedFd<'_>) -> Result<FileStatus, Errno> {
    // SAFETY: the descriptor is open while it is borrowed, and is not closed: the `File` is never
    // dropped. [descriptor]
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd.as_raw_fd()) });
    let metadata = file
        .metadata()
        .map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))?;
    Ok(FileStatus {
        #[allow(clippy::useless_conversion, reason = "the type differs")]
        mode: metadata.mode().try_into().unwrap_or(0),
        len: metadata.len(),
        block: metadata.blksize(),
        is_on_disk: false,
    })
}

/// The length of a block device is not known. (Seeking its end would move the position of others who
/// have the same open file.)
#[cfg(feature = "std")]
pub const fn device_len(_: BorrowedFd<'_>) -> Option<u64> {
    None
}

/// Whether a file system has free space is not known.
#[cfg(feature = "std")]
pub const fn is_full(_: BorrowedFd<'_>) -> bool {
    false
}

/// No file is made of huge pages.
#[cfg(feature = "std")]
pub const fn is_in_huge_pages(_: c_int) -> bool {
    false
}

/// No file has seals.
#[cfg(feature = "std")]
pub const fn is_sealed(_: BorrowedFd<'_>) -> bool {
    false
}

/// No file has fs-verity.
#[cfg(feature = "std")]
pub const fn is_verified(_: BorrowedFd<'_>) -> bool {
    false
}

/// POSIX names no such flag for `shm_open`, which may refuse one; and where objects are not files,
/// nothing makes it wait.
#[cfg(feature = "std")]
pub const OPEN_AT_ONCE: c_int = 0;
