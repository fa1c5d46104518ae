//! Why pages could not be locked.

use crate::error::{Arguments, Call, Errno, Error, FaultCause, Reason};
use crate::os;
use crate::page::{Pages, page_size, round_down};
use crate::region::Region;
use crate::region::ledger;
use crate::region::limit::{limit_on_locks, why_not_split};

/// Why pages could not be locked. Nothing is held then.
pub enum Refused {
    /// There was no room to note that they are held.
    Unnoted(Errno),
    /// The kernel refused.
    Kernel(Errno),
}

impl Refused {
    /// The error, for `pages`, those of `arguments`.
    #[cold]
    pub fn error(self, pages: Pages, arguments: Arguments) -> Error {
        match self {
            Self::Unnoted(errno) => unnoted(errno, arguments),
            Self::Kernel(errno) => refusal(errno, arguments, pages),
        }
    }
}

/// The error of locking `pages` of `region`, with the page that is gone if that is why: one of a file
/// that has become shorter, for example.
#[cold]
pub fn explained(region: &Region, pages: Pages, refused: Refused, arguments: Arguments) -> Error {
    let error = refused.error(pages, arguments);
    let may_be = error.reason() == Reason::Kernel && !region.is_private_anonymous();
    if !may_be || ![libc::ENOMEM, libc::EAGAIN].contains(&error.errno()) {
        return error;
    }
    let Some(gone) = first_gone(pages) else {
        return error;
    };
    let at = gone.saturating_sub(region.start().addr().get());
    error.because(Reason::Fault {
        done: 0,
        at,
        cause: FaultCause::Unknown,
    })
}

/// The address of the first of `pages` that cannot be brought in, where a call of the kernel says so:
/// whether they can be read, so that they could be touched, is not known here.
fn first_gone(mut pages: Pages) -> Option<usize> {
    let is_gone = |pages| os::populate(pages) == Err(libc::EFAULT);
    if !is_gone(pages) {
        return None;
    }
    while pages.len > page_size() {
        let half = round_down(pages.len / 2).max(page_size());
        let first = Pages { len: half, ..pages };
        pages = if is_gone(first) {
            first
        } else {
            Pages {
                // SAFETY: the half is within the pages. [inside]
                start: unsafe { pages.start.add(half) },
                len: pages.len - half,
            }
        };
    }
    Some(pages.start.addr().get())
}

/// The error where there was no room to note that pages are held.
#[cold]
pub const fn unnoted(errno: Errno, arguments: Arguments) -> Error {
    Error::kernel(Call::Mlock, errno, arguments)
}

/// Why `pages`, those of `arguments`, could not be locked. Nobody holds them for that any more.
#[cold]
fn refusal(errno: Errno, arguments: Arguments, pages: Pages) -> Error {
    let asked = pages.len as u64;
    let held = ledger::with(|ledger| {
        let all = ledger.held.held_bytes(&(0..usize::MAX)) as u64;
        (all, ledger.held.held_bytes(&pages.addresses()) as u64)
    });
    let (ours, again) = held.unwrap_or((0, 0));
    let reason = match limit_on_locks(errno, asked, asked - again, ours) {
        Reason::Kernel => why_not_split(errno),
        reason => reason,
    };
    Error::new(Call::Mlock, errno, arguments, reason)
}
