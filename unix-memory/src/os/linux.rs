//! Linux and Android.

use core::ffi::c_int;
use core::ptr::NonNull;

pub use sys::{MAP_NORESERVE, MAP_POPULATE, madvise, mincore};
use unix_memory_sys as sys;

pub use super::rlimit::lock_limit;
use super::touch;
use crate::advice::Advice;
use crate::call::{self, Errno};
use crate::page::page_size;
use crate::region::Pages;

/// The `MADV_` value of `advice`.
#[allow(clippy::unnecessary_wraps, reason = "other systems lack some")]
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
    })
}

/// Whether the kernel knows the advice `value`: it looks at that before it sees that there is
/// nothing to advise on.
pub fn knows_advice(value: c_int) -> bool {
    let address = core::ptr::without_provenance_mut(page_size());
    NonNull::new(address).is_some_and(|address| {
        // SAFETY: no bytes are advised on.
        unsafe { call::madvise(address, 0, value) }.is_ok()
    })
}

/// Brings `pages`, which can be read, into memory.
pub fn populate(pages: Pages) -> Result<(), Errno> {
    // SAFETY: the pages are the caller's; reading them changes nothing.
    match unsafe { call::madvise(pages.start, pages.len, sys::MADV_POPULATE_READ) } {
        // Before Linux 5.14. A kernel that knows the value refuses memory that is no RAM, which
        // must not be touched.
        Err(libc::EINVAL) if !knows_advice(sys::MADV_POPULATE_READ) => touch::populate(pages),
        result => result,
    }
}

/// Whether the file behind `fd`, which is open, is one of hugetlbfs, as a memfd can be too.
#[cfg_attr(not(feature = "std"), allow(dead_code, reason = "only files ask"))]
pub fn is_in_huge_pages(fd: c_int) -> bool {
    let mut file_system = core::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the call writes the structure that it is given, and changes nothing else.
    if unsafe { libc::fstatfs(fd, file_system.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call succeeded, so that it wrote all of it.
    let file_system = unsafe { file_system.assume_init() };
    // The type of the field differs between architectures; the number has 32 bits.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "see above"
    )]
    #[allow(clippy::unnecessary_cast, reason = "see above")]
    let is = file_system.f_type as u32 == libc::HUGETLBFS_MAGIC as u32;
    is
}
