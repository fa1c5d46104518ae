//! `remap_file_pages`, which the C libraries of Linux have, but Bionic does not.

use crate::types::{c_int, c_void, size_t};

unsafe extern "C" {
    /// Makes the pages of `addr..addr + size`, which belong to a shared mapping of a file, show the file from
    /// `pgoff` on, counted in pages; `prot` is 0, and `flags` is 0 or `MAP_NONBLOCK`.
    ///
    /// Deprecated since Linux 3.16; since 4.0 the kernel makes separate mappings instead, as `mmap` with
    /// `MAP_FIXED` would. Source: remap_file_pages(2), since Linux 2.6.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EINVAL` for a range that is not within one shared mapping, an
    /// unaligned address or bad arguments, `ENOMEM`, `ENOSYS` if the kernel was built without it.
    ///
    /// # Safety
    /// Whatever was mapped there is replaced.
    pub fn remap_file_pages(
        addr: *mut c_void,
        size: size_t,
        prot: c_int,
        pgoff: size_t,
        flags: c_int,
    ) -> c_int;
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LEN, close, errno, memfd, unmap, works};
    use super::super::{
        _SC_PAGESIZE, MAP_FAILED, MAP_SHARED, PROT_READ, PROT_WRITE, ftruncate, mmap, off_t,
        sysconf,
    };
    use super::*;

    #[test]
    fn a_page_shows_another_of_its_file() {
        let fd = memfd();
        if !works(fd) {
            return;
        }
        let length = 2 * off_t::try_from(LEN).expect("a small number");
        // SAFETY: nothing is mapped yet.
        assert_eq!(unsafe { ftruncate(fd, length) }, 0);
        // SAFETY: any name is accepted.
        let page = usize::try_from(unsafe { sysconf(_SC_PAGESIZE) }).expect("a size");
        let prot = PROT_READ | PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
        let addr = unsafe { mmap(core::ptr::null_mut(), LEN, prot, MAP_SHARED, fd, 0) };
        assert_ne!(addr, MAP_FAILED);
        // SAFETY: the first byte is this test's own.
        unsafe { addr.cast::<u8>().write_volatile(7) };
        // SAFETY: the range is this test's own; afterwards it shows the file's second half.
        let result = unsafe { remap_file_pages(addr, LEN, 0, LEN / page, 0) };
        if result == 0 {
            // SAFETY: the first byte is still mapped.
            assert_eq!(unsafe { addr.cast::<u8>().read_volatile() }, 0);
        } else {
            assert!(matches!(errno(), libc::ENOSYS | libc::EINVAL));
        }
        assert_eq!(unmap(addr), 0);
        close(fd);
    }
}
