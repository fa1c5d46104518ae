//! Memory that is mapped twice and reachable only through these mappings: Linux and Android.

use core::ffi::c_void;
use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::copy::Copier;
use crate::copy::mechanism::Mechanism;
use crate::error::Errno;
use crate::os::call::{self, errno};

/// Written to a page by this module, to recognize it later; no other page holds the same.
type Token = [u8; 4 * size_of::<usize>()];

/// Maps `header + capacity` bytes of new zeroed memory that can be read and written, and maps its
/// last `capacity` bytes a second time right after that. Both are multiples of the page size, and of
/// the distance at which the system can map the same memory twice.
///
/// The memory is anonymous and shared. The kernel therefore reserves all of it now (and as much again
/// for the second mapping, of which one page is used), and no descriptor exists that another process
/// could open. (A process with `CAP_SYS_ADMIN` or `CAP_CHECKPOINT_RESTORE` can reach it through
/// /proc/PID/map_files, and in other ways.)
///
/// # Errors
/// Those of `mmap` and `mremap`; `ENOSYS` if an emulator lacks this form of `mremap`.
pub fn map_twice(header: usize, capacity: usize) -> Result<NonNull<u8>, Errno> {
    let first = header + capacity;
    let flags = sys::MAP_SHARED | sys::MAP_ANONYMOUS;
    let protection = sys::PROT_READ | sys::PROT_WRITE;
    let start = call::mmap(0, first + capacity, protection, flags, -1, 0)?;
    // SAFETY: the offset lies in the pages. [inside]
    let bytes = unsafe { start.add(header) };
    // SAFETY: as above. [inside]
    let second = unsafe { start.add(first) };
    let token = token(second);
    // SAFETY: the pages were mapped just now, can be written, and nobody refers to them. [new]
    unsafe { second.cast::<Token>().write(token) };

    // An old size of zero leaves the old range as it is, and maps the same memory once more.
    let flags = sys::MREMAP_MAYMOVE | sys::MREMAP_FIXED;
    let new = second.as_ptr().cast::<c_void>();
    // SAFETY: it replaces pages that were mapped just now, to which nobody refers. [new]
    let mapped = unsafe { sys::mremap(bytes.as_ptr().cast(), 0, capacity, flags, new) };
    if mapped != sys::MAP_FAILED {
        return Ok(start);
    }
    let refused = errno();
    let emulated = match refused {
        libc::ENOMEM => is_emulated(start),
        refused => refused == libc::EINVAL,
    };
    // The kernel has either left the second half alone or unmapped it; in that case another thread
    // may have mapped something there. It is ours if it still holds the token.
    let mut found = Token::default();
    let still_ours = Copier::with(Mechanism::ProcessVm).is_ok_and(|mut copier| {
        // SAFETY: the copy fails with an error if nothing is mapped there, or if it cannot be read.
        // [copied]
        let copied = unsafe { copier.load(second.as_ptr(), found.as_mut_ptr(), found.len()) };
        copied.is_ok() && found == token
    });
    let ours = if still_ours { first + capacity } else { first };
    // SAFETY: these pages were mapped here, and nobody refers to them. [new]
    let _refused = unsafe { call::munmap(start, ours) };
    Err(if emulated { libc::ENOSYS } else { refused })
}

/// Returns a value for the page at `address` that, almost certainly, no other page of this process
/// holds.
fn token(address: NonNull<u8>) -> Token {
    let word = address.addr().get();
    let mut token = Token::default();
    let words = [
        word,
        !word,
        word.rotate_left(13) ^ 0x5bd1_e995,
        word.wrapping_mul(0x9e37_79b1),
    ];
    for (bytes, word) in token.chunks_exact_mut(size_of::<usize>()).zip(words) {
        bytes.copy_from_slice(&word.to_ne_bytes());
    }
    token
}

/// Returns whether `mremap` is that of qemu, which does not accept an old size of zero. It checks the
/// old size first; a kernel first checks that the new size is not zero. (Valgrind's fails with
/// `EINVAL`.)
fn is_emulated(start: NonNull<u8>) -> bool {
    // SAFETY: a new size of zero is always refused. [harmless]
    let refused = unsafe { sys::mremap(start.as_ptr().cast(), 0, 0, 0) };
    refused == sys::MAP_FAILED && errno() != libc::EINVAL
}
