//! Hints: what the kernel may know of the use of pages.

use core::ffi::c_int;

use crate::call;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::os;
use crate::region::Pages;

/// A hint on how pages will be used, which never changes what they hold: any of them is safe.
///
/// What throws content away or hides it (`MADV_DONTNEED`, `MADV_FREE`, `MADV_REMOVE`,
/// `MADV_DONTFORK`, `MADV_WIPEONFORK`, ...) is no hint: see
/// [`Mapping::discard`](crate::Mapping::discard) and
/// [`UncheckedAdvice`](crate::UncheckedAdvice). Source: madvise(2).
///
/// # Platform
/// Every Unix with `madvise` has the first four; on Linux since 2.4. The others say which system has
/// them, and since which version of Linux; elsewhere they are refused with
/// [`Reason::Unsupported`]. [`is_supported`](Self::is_supported) asks the running kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// No special treatment: the default.
    #[doc(alias = "MADV_NORMAL")]
    Normal,
    /// Pages will be used in random order: reading ahead is of no use.
    #[doc(alias = "MADV_RANDOM")]
    Random,
    /// Pages will be used in rising order, once: read well ahead, let go soon.
    #[doc(alias = "MADV_SEQUENTIAL")]
    Sequential,
    /// Pages will be used soon: start reading them now. (OpenBSD takes it and does nothing.)
    #[doc(alias = "MADV_WILLNEED")]
    WillNeed,
    /// Pages will not be used soon: let them go first when memory is short; content stays.
    ///
    /// Linux 5.4, `MADV_COLD`. On FreeBSD, DragonFly, NetBSD, OpenBSD, Apple's systems, illumos and
    /// Solaris it is `MADV_DONTNEED`, and on AIX, Fuchsia, Haiku, Hurd, NuttX, QNX and RTEMS
    /// `POSIX_MADV_DONTNEED`, which keep content there. (Linux's `MADV_DONTNEED` does not.)
    #[doc(alias = "MADV_COLD")]
    #[doc(alias = "MADV_DONTNEED")]
    #[doc(alias = "POSIX_MADV_DONTNEED")]
    Cold,
    /// Take the pages out of memory now: write them to their file or to swap, to be read again when
    /// used. Only pages that no other process has mapped go; of a file, only where its owner or
    /// somebody who may write to it asks. Linux 5.4; Apple's kernels that were built for tests.
    #[doc(alias = "MADV_PAGEOUT")]
    PageOut,
    /// Use transparent huge pages where they fit. Linux 2.6.38, if the kernel was built with them.
    #[doc(alias = "MADV_HUGEPAGE")]
    HugePage,
    /// Use no transparent huge pages. Linux 2.6.38, if the kernel was built with them.
    #[doc(alias = "MADV_NOHUGEPAGE")]
    NoHugePage,
    /// Make huge pages out of the small ones there are, now; `EINVAL` where none fits, `EAGAIN`,
    /// `EBUSY` or `ENOMEM` where that failed. Linux 6.1, if the kernel was built with transparent
    /// huge pages.
    #[doc(alias = "MADV_COLLAPSE")]
    Collapse,
    /// Pages may be merged with others of the same content, which saves memory, and tells by timing
    /// that there is another: not for secrets. Linux 2.6.32, if the kernel was built with KSM.
    #[doc(alias = "MADV_MERGEABLE")]
    Mergeable,
    /// Undo [`Mergeable`](Self::Mergeable). Linux 2.6.32, if the kernel was built with KSM.
    #[doc(alias = "MADV_UNMERGEABLE")]
    Unmergeable,
    /// Leave the pages out of core dumps. Linux 3.4, FreeBSD and DragonFly (`MADV_NOCORE`).
    #[doc(alias = "MADV_DONTDUMP")]
    #[doc(alias = "MADV_NOCORE")]
    DontDump,
    /// Undo [`DontDump`](Self::DontDump). Linux 3.4, FreeBSD and DragonFly (`MADV_CORE`).
    #[doc(alias = "MADV_DODUMP")]
    #[doc(alias = "MADV_CORE")]
    DoDump,
    /// Undo [`UncheckedAdvice::DontFork`](crate::UncheckedAdvice): a child of `fork` gets the pages,
    /// as it does by default. Linux 2.6.16; `EINVAL` for memory of devices.
    #[doc(alias = "MADV_DOFORK")]
    DoFork,
    /// Undo [`UncheckedAdvice::WipeOnFork`](crate::UncheckedAdvice): a child of `fork` gets the
    /// content too, as it does by default. Linux 4.14; `EINVAL` for memory of devices.
    #[doc(alias = "MADV_KEEPONFORK")]
    KeepOnFork,
    /// Write changes to the file only when memory is short, or `msync` asks: for files whose content
    /// need not outlive the system. FreeBSD, DragonFly.
    #[doc(alias = "MADV_NOSYNC")]
    NoSync,
    /// Undo [`NoSync`](Self::NoSync). FreeBSD, DragonFly.
    #[doc(alias = "MADV_AUTOSYNC")]
    AutoSync,
    /// See to it that there is room for the pages. NetBSD and OpenBSD have the name; their kernels
    /// refuse it with `EINVAL`, as it is not implemented.
    #[doc(alias = "MADV_SPACEAVAIL")]
    SpaceAvail,
    /// Do not kill this process when the system runs out of swap; about the process, whatever the
    /// range. `EPERM` without the privilege. FreeBSD.
    #[doc(alias = "MADV_PROTECT")]
    Protect,
    /// Undo the three that follow. illumos, Solaris.
    #[doc(alias = "MADV_ACCESS_DEFAULT")]
    AccessDefault,
    /// The next thread to touch the pages will use them most: keep them near it. illumos, Solaris.
    #[doc(alias = "MADV_ACCESS_LWP")]
    AccessThread,
    /// Many threads or processes will use the pages: spread them. illumos, Solaris.
    #[doc(alias = "MADV_ACCESS_MANY")]
    AccessMany,
    /// Many processes of the processor set will use the pages. Solaris.
    #[doc(alias = "MADV_ACCESS_MANY_PSET")]
    AccessManyInSet,
    /// Clear the pages when they are unmapped while locked. Apple's systems.
    #[doc(alias = "MADV_ZERO_WIRED_PAGES")]
    ZeroWiredPages,
    /// Take pages into use again after
    /// [`UncheckedAdvice::FreeReusable`](crate::UncheckedAdvice). Apple's systems.
    #[doc(alias = "MADV_FREE_REUSE")]
    FreeReuse,
    /// Ask whether [`UncheckedAdvice::FreeReusable`](crate::UncheckedAdvice) could be given: an error
    /// is a no. Apple's systems.
    #[doc(alias = "MADV_CAN_REUSE")]
    CanReuse,
}

impl Advice {
    /// Every advice.
    pub const ALL: &[Self] = &[
        Self::Normal,
        Self::Random,
        Self::Sequential,
        Self::WillNeed,
        Self::Cold,
        Self::PageOut,
        Self::HugePage,
        Self::NoHugePage,
        Self::Collapse,
        Self::Mergeable,
        Self::Unmergeable,
        Self::DontDump,
        Self::DoDump,
        Self::DoFork,
        Self::KeepOnFork,
        Self::NoSync,
        Self::AutoSync,
        Self::SpaceAvail,
        Self::Protect,
        Self::AccessDefault,
        Self::AccessThread,
        Self::AccessMany,
        Self::AccessManyInSet,
        Self::ZeroWiredPages,
        Self::FreeReuse,
        Self::CanReuse,
    ];

    /// Whether the running kernel knows this advice. It may still refuse it for some kinds of
    /// memory.
    ///
    /// # Platform
    /// On Linux and Apple's systems the kernel is asked, by advising on nothing. An emulator may say
    /// yes to anything. Elsewhere the platform tells.
    ///
    /// ```
    /// assert!(unix_memory::Advice::WillNeed.is_supported());
    /// ```
    #[must_use]
    pub fn is_supported(self) -> bool {
        os::advice(self).is_some_and(os::knows_advice)
    }

    /// The platform's value.
    ///
    /// # Errors
    /// `EINVAL` and [`Reason::Unsupported`], where it has none.
    pub(crate) fn value(self, arguments: Arguments) -> Result<c_int> {
        let unsupported =
            || Error::new(Call::Madvise, libc::EINVAL, arguments, Reason::Unsupported);
        os::advice(self).ok_or_else(unsupported)
    }

    /// Gives the advice on whole pages.
    ///
    /// # Safety
    /// They are mapped, and the caller's.
    pub(crate) unsafe fn give(self, pages: Pages, arguments: Arguments) -> Result<()> {
        let value = self.value(arguments)?;
        if pages.len == 0 {
            return Ok(());
        }
        // SAFETY: the pages are the caller's, and no `Advice` changes content.
        unsafe { call::madvise(pages.start, pages.len, value) }.map_err(|errno| {
            let reason = if errno == libc::EINVAL && !self.is_supported() {
                Reason::Unsupported
            } else {
                Reason::Kernel
            };
            Error::new(Call::Madvise, errno, arguments, reason)
        })
    }
}
