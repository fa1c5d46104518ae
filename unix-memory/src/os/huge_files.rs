//! Files that are made of huge pages: hugetlbfs.

use core::ffi::c_int;

use super::file_system::magic;

/// That of hugetlbfs, in `<linux/magic.h>`.
const HUGETLBFS: u32 = 0x9584_58f6;

/// Whether the file behind `fd`, which is open, is one of hugetlbfs, as a memfd can be too.
pub fn is_in_huge_pages(fd: c_int) -> bool {
    magic(fd) == Some(HUGETLBFS)
}
