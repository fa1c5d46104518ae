//! Setting the length of a file.

use std::os::fd::{AsRawFd, BorrowedFd};

use super::facts::{Facts, errno_of, with_file};
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::os::{self, call};
use crate::region::map::{MAX_OFFSET, beyond_limit};

/// Sets the length of a file, in bytes.
pub fn set_len(fd: BorrowedFd<'_>, len: u64) -> Result<()> {
    let refuse = |errno, reason| Error::new(Call::Ftruncate, errno, Arguments::Size(len), reason);
    if len > MAX_OFFSET {
        return Err(refuse(libc::EFBIG, Reason::OffsetLimit(MAX_OFFSET)));
    }
    if let Some(limit) = beyond_limit(len) {
        return Err(refuse(libc::EFBIG, Reason::FileSizeLimit(limit)));
    }
    with_file(fd, |file| file.set_len(len)).map_err(|error| {
        let errno = errno_of(&error);
        let huge_page = Facts::of(fd).ok().and_then(|facts| facts.huge_page);
        let reason = match huge_page {
            Some(size) if errno == libc::EINVAL && len % size as u64 != 0 => {
                Reason::HugePages(size)
            }
            _ if errno == libc::EPERM && os::is_sealed(fd) => Reason::Sealed,
            _ if errno == libc::EINVAL
                && call::access_mode(fd.as_raw_fd()) == Some(libc::O_RDONLY) =>
            {
                Reason::NotWritable
            }
            _ => Reason::Kernel,
        };
        refuse(errno, reason)
    })
}
