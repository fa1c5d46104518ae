//! Memory that no guard of the crates owns.

use std::ptr;

use libc::{MAP_ANON, MAP_PRIVATE, PROT_READ, PROT_WRITE, c_int};
use unix_memory::page_size;

use crate::{Permissions, permissions};

/// Memory that another library may have mapped: it comes from the bare call.
pub struct Others {
    /// Its first byte.
    pub start: *mut u8,
    /// How many bytes it has.
    pub len: usize,
}

impl Others {
    /// That many pages, readable and writable.
    ///
    /// # Panics
    /// If there is no memory.
    #[must_use]
    pub fn anonymous(pages: usize) -> Self {
        let len = pages * page_size();
        // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANON,
                -1,
                0,
            )
        };
        assert_ne!(start, libc::MAP_FAILED);
        Self {
            start: start.cast(),
            len,
        }
    }

    /// Where this page begins.
    #[must_use]
    pub fn page(&self, index: usize) -> *mut u8 {
        self.start.wrapping_add(index * page_size())
    }

    /// Gives a page a protection.
    ///
    /// # Panics
    /// If that is refused.
    pub fn protect(&self, index: usize, protection: c_int) {
        // SAFETY: the page is this value's own, and nothing refers to it.
        let done = unsafe { libc::mprotect(self.page(index).cast(), page_size(), protection) };
        assert_eq!(done, 0);
    }

    /// Unmaps a page. Use it only in a process where no other thread maps anything, because dropping
    /// this unmaps all of its addresses.
    ///
    /// # Panics
    /// If that is refused.
    pub fn unmap(&self, index: usize) {
        // SAFETY: as above.
        let done = unsafe { libc::munmap(self.page(index).cast(), page_size()) };
        assert_eq!(done, 0);
    }

    /// The protection of each page, as letters; `None` if that is not reported.
    #[must_use]
    pub fn letters(&self) -> Option<Vec<&'static str>> {
        let letters = |index| {
            let permissions = permissions(self.page(index)).get()?;
            let known = Permissions::READ | Permissions::WRITE | Permissions::EXECUTE;
            Some(match (permissions & known).bits() {
                bits if bits == Permissions::empty().bits() => "-",
                bits if bits == Permissions::READ.bits() => "r",
                bits if bits == (Permissions::READ | Permissions::WRITE).bits() => "rw",
                bits if bits == (Permissions::READ | Permissions::EXECUTE).bits() => "rx",
                _ => "?",
            })
        };
        (0..self.len / page_size()).map(letters).collect()
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        // SAFETY: the pages are this value's own, and nothing refers to them.
        let _done = unsafe { libc::munmap(self.start.cast(), self.len) };
    }
}
