//! Reserving and freeing the storage of files and memory objects: `<linux/falloc.h>`.
//!
//! It belongs to the family because an object of `shm_open` or `memfd_create` is memory: `fallocate` reserves
//! it, so that a write to a mapping of it does not raise SIGBUS when memory is short, and frees storage in
//! the middle of it, as `MADV_REMOVE` does through a mapping.

use crate::types::c_int;

use super::off_t;

/// Allocates storage: the mode 0. `<linux/falloc.h>`.
pub const FALLOC_FL_ALLOCATE_RANGE: c_int = 0x00;
/// The length of the file stays as it is. fallocate(2), since Linux 2.6.23.
pub const FALLOC_FL_KEEP_SIZE: c_int = 0x01;
/// With `FALLOC_FL_KEEP_SIZE`: frees the storage; the range reads as zeros. fallocate(2), since Linux 2.6.38.
pub const FALLOC_FL_PUNCH_HOLE: c_int = 0x02;
/// Reserved; no kernel accepts it. `<linux/falloc.h>`.
pub const FALLOC_FL_NO_HIDE_STALE: c_int = 0x04;
/// Removes the range from the file, which becomes shorter. fallocate(2), since Linux 3.15.
pub const FALLOC_FL_COLLAPSE_RANGE: c_int = 0x08;
/// Zeroes the range, and allocates its storage. fallocate(2), since Linux 3.15.
pub const FALLOC_FL_ZERO_RANGE: c_int = 0x10;
/// Inserts a hole into the file, which becomes longer. fallocate(2), since Linux 4.1.
pub const FALLOC_FL_INSERT_RANGE: c_int = 0x20;
/// Gives the range its own storage, if it shares storage with other files. `<linux/falloc.h>`, since Linux
/// 4.9.
pub const FALLOC_FL_UNSHARE_RANGE: c_int = 0x40;
/// Writes zeros to the range, so that later writes change no metadata. `<linux/falloc.h>`, since Linux 6.17.
pub const FALLOC_FL_WRITE_ZEROES: c_int = 0x80;

unsafe extern "C" {
    /// Changes the storage of `len` bytes of the file behind `fd`, from `offset` on, as `mode`, a combination
    /// of `FALLOC_FL_`, says.
    ///
    /// Except with musl and OpenHarmony, the symbol is `fallocate64`, so that offsets have 64 bits on 32-bit
    /// targets too. Source: fallocate(2), since Linux 2.6.23; for memfds, since 3.5.
    ///
    /// # Errors
    /// Returns -1 and sets `errno`: `EBADF`, `EFBIG`, `EINTR`, `EINVAL`, `EIO`, `ENODEV`, `ENOSPC`,
    /// `EOPNOTSUPP` for a mode that the filesystem does not know, `EPERM` for a sealed file, `ESPIPE`,
    /// `ETXTBSY`.
    ///
    /// # Safety
    /// The change shows in every mapping of the file.
    #[doc(alias = "fallocate64")]
    #[cfg_attr(
        not(any(target_env = "musl", target_env = "ohos")),
        link_name = "fallocate64"
    )]
    pub fn fallocate(fd: c_int, mode: c_int, offset: off_t, len: off_t) -> c_int;

    /// Allocates the storage of `len` bytes, from `offset` on, of the file behind `fd`, and extends the
    /// file if it ends before them. If the filesystem cannot do that, glibc writes to each block.
    ///
    /// Except with musl and OpenHarmony, the symbol is `posix_fallocate64`, so that offsets have 64 bits on
    /// 32-bit targets too. Source: posix_fallocate(3), POSIX.1-2024.
    ///
    /// # Errors
    /// Returns the error number itself, not -1: `EBADF`, `EFBIG`, `EINTR`, `EINVAL`, `EIO`, `ENODEV`,
    /// `ENOSPC`, `EOPNOTSUPP`, `ESPIPE`.
    ///
    /// # Safety
    /// There is none: no content changes.
    #[doc(alias = "posix_fallocate64")]
    #[cfg_attr(
        not(any(target_env = "musl", target_env = "ohos")),
        link_name = "posix_fallocate64"
    )]
    pub fn posix_fallocate(fd: c_int, offset: off_t, len: off_t) -> c_int;
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LEN, close, errno, memfd, works};
    use super::*;

    // The 32-bit calls fail with EOVERFLOW for a file whose inode number is larger.
    #[cfg(any(target_env = "musl", target_env = "ohos"))]
    use libc::{fstat, stat};
    #[cfg(not(any(target_env = "musl", target_env = "ohos")))]
    use libc::{fstat64 as fstat, stat64 as stat};

    /// The length of the file behind `fd`, and the bytes of its storage.
    fn size(fd: c_int) -> (i64, i64) {
        let mut stat = core::mem::MaybeUninit::<stat>::uninit();
        // SAFETY: there is room for what is written.
        assert_eq!(unsafe { fstat(fd, stat.as_mut_ptr()) }, 0);
        // SAFETY: fstat wrote it.
        let stat = unsafe { stat.assume_init() };
        #[allow(
            clippy::unnecessary_cast,
            trivial_numeric_casts,
            reason = "the fields' types differ between targets"
        )]
        (stat.st_size as i64, 512 * stat.st_blocks as i64)
    }

    #[test]
    fn memory_is_reserved_and_given_back() {
        let len = off_t::try_from(LEN).expect("a small number");
        let fd = memfd();
        if !works(fd) {
            return;
        }
        // SAFETY: the file is not mapped anywhere.
        if works(unsafe { fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, len) }) {
            let (length, storage) = size(fd);
            assert_eq!(length, 0);
            assert!(storage >= len);
        }
        // SAFETY: the file is not mapped anywhere.
        assert_eq!(unsafe { posix_fallocate(fd, 0, len) }, 0);
        let (length, reserved) = size(fd);
        assert_eq!(length, len);
        assert!(reserved >= len);
        let mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        // SAFETY: the file is not mapped anywhere.
        if works(unsafe { fallocate(fd, mode, 0, len) }) {
            let (length, storage) = size(fd);
            assert_eq!(length, len);
            // Huge pages may stay where they are.
            assert!(storage == 0 || reserved > len);
        }
        // An offset that does not fit into 32 bits is passed on unchanged.
        let far = 1 << 40;
        // SAFETY: the file is not mapped anywhere.
        if unsafe { fallocate(fd, 0, far, len) } == 0 {
            assert_eq!(size(fd).0, far + len);
        } else {
            assert_ne!(errno(), libc::EINVAL);
        }
        // SAFETY: the file is not mapped anywhere.
        let refused = unsafe { posix_fallocate(fd, 0, 0) };
        // The function that zig 0.17 links in place of musl's returns -1, unlike POSIX and musl.
        let is_zigs = cfg!(target_env = "musl") && refused == -1;
        assert_eq!(if is_zigs { errno() } else { refused }, libc::EINVAL);
        close(fd);
    }
}
