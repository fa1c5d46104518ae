//! Memory that is mapped twice, and to which nothing leads but these mappings: Linux and Android.

use core::ffi::c_void;
use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::copy::Copier;
use crate::copy::mechanism::Mechanism;
use crate::error::Errno;
use crate::os::call::{self, errno};

/// What a page holds that this module made, and no other has.
type Token = [u8; 4 * size_of::<usize>()];

/// Maps `header + capacity` bytes of new zeroed memory that can be read and written, and its last
/// `capacity` bytes once more right behind. Both are multiples of the page size, and of the
/// distance at which the system maps memory twice.
///
/// The memory is anonymous and shared, so that the kernel sets all of it aside now (and as much
/// again as is mapped twice, of which one page is used), and has no descriptor that another process
/// could open. (Whoever has `CAP_SYS_ADMIN` or `CAP_CHECKPOINT_RESTORE` reaches it by
/// /proc/PID/map_files, as by other means.)
///
/// # Errors
/// Those of `mmap` and `mremap`; `ENOSYS` where an emulator has no such `mremap`.
pub fn map_twice(header: usize, capacity: usize) -> Result<NonNull<u8>, Errno> {
    let first = header + capacity;
    let flags = sys::MAP_SHARED | sys::MAP_ANONYMOUS;
    let protection = sys::PROT_READ | sys::PROT_WRITE;
    let start = call::mmap(0, first + capacity, protection, flags, -1, 0)?;
    // SAFETY: the offset lies in the pages.
    let bytes = unsafe { start.add(header) };
    // SAFETY: as above.
    let second = unsafe { start.add(first) };
    let token = token(second);
    // SAFETY: the pages were mapped just now, can be written, and nobody refers to them.
    unsafe { second.cast::<Token>().write(token) };

    // An old size of zero leaves the old range as it is, and maps the same memory once more.
    let flags = sys::MREMAP_MAYMOVE | sys::MREMAP_FIXED;
    let new = second.as_ptr().cast::<c_void>();
    // SAFETY: what is replaced are pages that were mapped just now, to which nobody refers.
    let mapped = unsafe { sys::mremap(bytes.as_ptr().cast(), 0, capacity, flags, new) };
    if mapped != sys::MAP_FAILED {
        return Ok(start);
    }
    let refused = errno();
    let emulated = match refused {
        libc::ENOMEM => is_emulated(start),
        refused => refused == libc::EINVAL,
    };
    // The kernel has either not touched the second half, or unmapped it, and then another thread may
    // have mapped something there. It is ours if it holds what was written there.
    let mut found = Token::default();
    let still_ours = Copier::with(Mechanism::ProcessVm).is_ok_and(|mut copier| {
        // SAFETY: that nothing is mapped there, or what cannot be read, is an error of this copy.
        let copied = unsafe { copier.load(second.as_ptr(), found.as_mut_ptr(), found.len()) };
        copied.is_ok() && found == token
    });
    let ours = if still_ours { first + capacity } else { first };
    // SAFETY: these pages were mapped here, and nobody refers to them.
    let _refused = unsafe { call::munmap(start, ours) };
    Err(if emulated { libc::ENOSYS } else { refused })
}

/// A value for the page at `address` that no other page of this process has, as a rule by far.
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

/// Whether `mremap` is that of qemu, which takes no old size of zero: it looks at that first, where
/// a kernel first sees that the new size is none. (Valgrind's fails with `EINVAL`.)
fn is_emulated(start: NonNull<u8>) -> bool {
    // SAFETY: a new size of zero is always refused.
    let refused = unsafe { sys::mremap(start.as_ptr().cast(), 0, 0, 0) };
    refused == sys::MAP_FAILED && errno() != libc::EINVAL
}
