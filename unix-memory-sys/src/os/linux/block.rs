//! The length of a block device: the request `BLKGETSIZE64`, from `<linux/fs.h>`.

use super::ioctl::{Request, read};
use crate::types::size_t;

/// Writes the length of a block device in bytes; the argument is a `*mut u64`, although the number of the
/// request encodes a `size_t`. `<linux/fs.h>`, since Linux 2.4.
///
/// Fails with `ENOTTY` for a file that is not a block device, `EFAULT` for a bad pointer.
pub const BLKGETSIZE64: Request = read::<size_t>(0x12, 114);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_block_device_has_no_such_length() {
        let mut len = 0u64;
        let fd = super::super::testing::open(c"/dev/null");
        // SAFETY: the request writes a number of 64 bits.
        let result = unsafe { super::super::ioctl::ioctl(fd, BLKGETSIZE64, &raw mut len) };
        assert_eq!(result, -1);
        assert_eq!(super::super::testing::errno(), libc::ENOTTY);
        super::super::testing::close(fd);
    }
}
