//! The kind of file system that a file is on, by which files made of huge pages are known.

use core::ffi::c_int;
use core::mem::MaybeUninit;

/// The number that statfs(2) reports for the file system of the file behind `fd`, which is open.
pub fn magic(fd: c_int) -> Option<u32> {
    let mut file_system = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the call writes the structure that it is given, and changes nothing else. [arguments]
    if unsafe { libc::fstatfs(fd, file_system.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so it wrote all of it. [arguments]
    let file_system = unsafe { file_system.assume_init() };
    // The type of the field differs between architectures; the number has 32 bits.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        reason = "see above"
    )]
    Some(file_system.f_type as u32)
}

/// That of hugetlbfs, in `<linux/magic.h>`.
const HUGETLBFS: u32 = 0x9584_58f6;

/// Whether the file behind `fd`, which is open, is one of hugetlbfs, as a memfd can be too.
pub fn is_in_huge_pages(fd: c_int) -> bool {
    magic(fd) == Some(HUGETLBFS)
}
