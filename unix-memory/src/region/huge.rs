//! Huge pages: how much is in them, and why none were made.

use core::ops::RangeBounds;

use super::Region;
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os;
use crate::page::{Pages, check_range};

impl Region {
    /// How many bytes of the pages that hold a byte of `range` are in huge pages now.
    pub fn huge_bytes(&self, range: &impl RangeBounds<usize>) -> Result<usize> {
        let range = check_range(Call::HugeBytes, range, self.len())?;
        let pages = self.pages_of(&range);
        if pages.len == 0 {
            return Ok(0);
        }
        os::huge_bytes(pages).map_err(|errno| {
            let reason = match errno {
                libc::ENOSYS => Reason::Unsupported,
                libc::ENOENT => Reason::NoProc,
                _ => Reason::Kernel,
            };
            Error::new(Call::HugeBytes, errno, Arguments::range(&range), reason)
        })
    }
}

/// Why a kernel that knows `Collapse` made no huge pages of `pages`.
#[cold]
pub fn why_not_collapsed(errno: Errno, pages: Pages) -> Reason {
    match errno {
        libc::EINVAL => match os::transparent_huge_page() {
            Some(size) if !holds_one(pages, size) => Reason::NoHugePageFits(size),
            _ => Reason::HugePagesOff,
        },
        libc::EAGAIN => Reason::PagesInUse,
        libc::ENOMEM => Reason::NoFreeHugePage,
        libc::EBUSY => Reason::CgroupLimit,
        _ => Reason::Kernel,
    }
}

/// Whether a huge page of `size` bytes, a power of two, lies wholly in `pages`.
fn holds_one(pages: Pages, size: usize) -> bool {
    let addresses = pages.addresses();
    let first = addresses.start.checked_next_multiple_of(size);
    let end = first.and_then(|first| first.checked_add(size));
    end.is_some_and(|end| end <= addresses.end)
}

#[cfg(test)]
mod tests {
    use core::ptr::{NonNull, without_provenance_mut};

    use super::*;

    #[test]
    fn where_a_huge_page_fits() {
        let holds = |start, len, size| {
            let start = NonNull::new(without_provenance_mut(start)).unwrap();
            holds_one(Pages { start, len }, size)
        };
        assert!(holds(0x4000, 0x4000, 0x4000));
        assert!(!holds(0x4000, 0x3000, 0x4000));
        assert!(!holds(0x5000, 0x6000, 0x4000));
        assert!(holds(0x5000, 0x7000, 0x4000));
        assert!(!holds(usize::MAX - 0xfff, 0xfff, 0x4000));
    }
}
