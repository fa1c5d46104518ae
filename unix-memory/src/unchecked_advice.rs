//! Advice that does more than advise.

use core::ops::RangeBounds;

use crate::call;
use crate::discard::Ends;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::mapping::Mapping;
use crate::os;
use crate::protection::Access;
use crate::region::Region;
use crate::shared::SharedMapping;

/// What `madvise` can do beyond hints: throw content away, hide pages, change what a child gets.
///
/// Given by the `unsafe` method `advise_unchecked` of [`Mapping`](crate::Mapping) and
/// [`SharedMapping`](crate::SharedMapping); each value says what it breaks. To make memory zeros
/// again and give it back, [`Mapping::discard`](crate::Mapping::discard) is safe. Source:
/// madvise(2).
///
/// # Platform
/// Each says which system has it, and since which version of Linux; elsewhere it is refused with
/// [`Reason::Unsupported`].
///
/// Not here: `MADV_POPULATE_READ` and `MADV_POPULATE_WRITE`, which are `populate` and
/// `populate_write`; DragonFly's `MADV_INVAL` and `MADV_SETMAP`, which `mcontrol` takes and which
/// serve the page tables of virtual kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UncheckedAdvice {
    /// Drop the pages at once. Private anonymous memory reads as zeros afterwards; a private mapping
    /// of a file loses what was written to it, and shows the file again; shared memory keeps its
    /// content, and is only unmapped until used. `EINVAL` for locked pages. Of huge pages
    /// (hugetlbfs) the kernel leaves the last alone unless the range has all of it.
    ///
    /// Linux 2.4.
    #[doc(alias = "MADV_DONTNEED")]
    DontNeed,
    /// As [`DontNeed`](Self::DontNeed), of locked pages too, which stay locked: they come back when
    /// used. Linux 5.18.
    #[doc(alias = "MADV_DONTNEED_LOCKED")]
    DontNeedLocked,
    /// The content is of no use: each page keeps it, or turns to zeros at a moment of the kernel's
    /// choice, until it is written to. While it lasts the bytes may change between two reads.
    ///
    /// Linux 4.5 (private anonymous memory only), FreeBSD, DragonFly, NetBSD, OpenBSD, Apple's
    /// systems, illumos, Solaris.
    #[doc(alias = "MADV_FREE")]
    Free,
    /// Drop the pages and the storage behind them: punches a hole into the file, for everybody who
    /// has it. Shared mappings only. Linux 2.6.16 (files: 3.5).
    #[doc(alias = "MADV_REMOVE")]
    Remove,
    /// A child of `fork` does not get the pages: nothing is mapped there, or what the child maps
    /// itself later. The copy of the guard that the child has must be neither used nor dropped.
    ///
    /// Undone by [`Advice::DoFork`](crate::Advice::DoFork). Linux 2.6.16.
    #[doc(alias = "MADV_DONTFORK")]
    DontFork,
    /// A child of `fork` finds zeros, whatever a reference that the parent held says. Private
    /// anonymous memory only.
    ///
    /// Undone by [`Advice::KeepOnFork`](crate::Advice::KeepOnFork). Linux 4.14.
    #[doc(alias = "MADV_WIPEONFORK")]
    WipeOnFork,
    /// Make the pages guards: what they hold is thrown away, and any access is a SIGSEGV. Private
    /// anonymous memory; since 6.15 files too. Linux 6.13.
    #[doc(alias = "MADV_GUARD_INSTALL")]
    GuardInstall,
    /// Undo [`GuardInstall`](Self::GuardInstall): the pages can be used again. Other pages stay as
    /// they are. Linux 6.13.
    #[doc(alias = "MADV_GUARD_REMOVE")]
    GuardRemove,
    /// Treat the pages as if the hardware had found them broken: whoever touches them gets a SIGBUS,
    /// and the system loses the memory for good. For tests; privileged (`EPERM`). Linux 2.6.32, if
    /// the kernel was built for it.
    #[doc(alias = "MADV_HWPOISON")]
    HwPoison,
    /// Move the content elsewhere and take the memory out of use: the system loses it for good.
    /// For tests; privileged (`EPERM`). Linux 2.6.33, if the kernel was built for it.
    #[doc(alias = "MADV_SOFT_OFFLINE")]
    SoftOffline,
    /// As [`Free`](Self::Free), and the pages do not count against the process, until
    /// [`Advice::FreeReuse`](crate::Advice::FreeReuse), which must come before they are used again.
    /// Apple's systems.
    #[doc(alias = "MADV_FREE_REUSABLE")]
    FreeReusable,
    /// The pages read as zeros afterwards; none is brought in for that. Apple's systems (late ones).
    #[doc(alias = "MADV_ZERO")]
    Zero,
    /// Throw the content away at once, as far as pages are not in use otherwise. illumos.
    #[doc(alias = "MADV_PURGE")]
    Purge,
}

impl UncheckedAdvice {
    /// Every such advice.
    pub const ALL: &[Self] = &[
        Self::DontNeed,
        Self::DontNeedLocked,
        Self::Free,
        Self::Remove,
        Self::DontFork,
        Self::WipeOnFork,
        Self::GuardInstall,
        Self::GuardRemove,
        Self::HwPoison,
        Self::SoftOffline,
        Self::FreeReusable,
        Self::Zero,
        Self::Purge,
    ];

    /// Whether the running kernel knows this advice. It may still refuse it for some kinds of
    /// memory, or without a privilege.
    ///
    /// # Platform
    /// On Linux and Apple's systems the kernel is asked, by advising on nothing, which changes
    /// nothing. An emulator may say yes to anything. Elsewhere the platform tells.
    ///
    /// ```
    /// use unix_memory::UncheckedAdvice;
    ///
    /// println!("guards at no cost in mappings: {}", UncheckedAdvice::GuardInstall.is_supported());
    /// ```
    #[must_use]
    pub fn is_supported(self) -> bool {
        os::unchecked_advice(self).is_some_and(os::knows_advice)
    }
}

impl UncheckedAdvice {
    /// Whether it does nothing to the file, or to the memory that others have too.
    const fn stays_in_the_process(self) -> bool {
        !matches!(
            self,
            Self::Remove | Self::HwPoison | Self::SoftOffline | Self::Purge
        )
    }
}

/// Gives a guard the method that takes such advice.
macro_rules! advise_unchecked {
    ($guard:ident) => {
        /// Advice that does more than advise.
        impl<A: Access> $guard<A> {
            /// Gives `advice` on `range`, in bytes from the start of the mapping.
            ///
            /// The range is never rounded: it must begin and end at a page, or begin and end with the
            /// mapping, whose pages are its own. What reaches beyond this process, as
            /// [`Remove`](UncheckedAdvice::Remove), is not given on the rest of a file's page.
            /// Source: madvise(2).
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping, or is not whole pages
            /// ([`Reason::Unaligned`]), for an advice that the system does not have
            /// ([`Reason::Unsupported`]), or that it does not give to this kind of memory;
            /// `EACCES`, `EAGAIN`, `EBADF`, `EIO`, `ENOMEM`, `EPERM` as the advice says.
            ///
            /// # Safety
            /// What the advice does to the pages, to their file and to children, as it says, breaks
            /// no promise: as long as this guard lives and derefs to `[u8]`, its bytes can be
            /// accessed as its type says, and no reference to bytes that change is used across the
            /// change, be that in this call or later. A copy of the guard that a child of `fork` has
            /// without its memory must be forgotten there.
            ///
            /// ```
            /// use unix_memory::{Mapping, UncheckedAdvice};
            ///
            /// let mapping = Mapping::anonymous(100)?;
            /// if UncheckedAdvice::WipeOnFork.is_supported() {
            ///     // SAFETY: this program does not fork.
            ///     unsafe { mapping.advise_unchecked(.., UncheckedAdvice::WipeOnFork) }?;
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "madvise")]
            pub unsafe fn advise_unchecked(
                &self,
                range: impl RangeBounds<usize>,
                advice: UncheckedAdvice,
            ) -> Result<()> {
                // SAFETY: as the caller vouches.
                unsafe { self.region().advise_unchecked(&range, advice) }
            }
        }
    };
}

advise_unchecked!(Mapping);
advise_unchecked!(SharedMapping);

impl Region {
    /// Gives `advice` on `range`, which must be whole pages, as far as they matter to others.
    ///
    /// # Safety
    /// As `advise_unchecked` of the guards.
    unsafe fn advise_unchecked(
        &self,
        range: &impl RangeBounds<usize>,
        advice: UncheckedAdvice,
    ) -> Result<()> {
        let ends = if advice.stays_in_the_process() {
            Ends::Own
        } else {
            self.ends()
        };
        let range = self.whole_pages(Call::Madvise, range, ends)?;
        let arguments = Arguments::range(&range);
        let refuse = |errno, reason| Error::new(Call::Madvise, errno, arguments, reason);
        let Some(value) = os::unchecked_advice(advice) else {
            return Err(refuse(libc::EINVAL, Reason::Unsupported));
        };
        let pages = self.pages_of(&range);
        if pages.len == 0 {
            return Ok(());
        }
        // SAFETY: the pages are the region's own, and whole; the rest is as the caller vouches.
        unsafe { call::madvise(pages.start, pages.len, value) }.map_err(|errno| {
            if errno == libc::EINVAL && !advice.is_supported() {
                refuse(errno, Reason::Unsupported)
            } else {
                refuse(errno, Reason::Kernel)
            }
        })
    }
}
