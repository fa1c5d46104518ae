//! Advice that does more than advise.

with_all! {
    /// What `madvise` can do beyond hints: throw content away, hide pages, change what a child gets.
    ///
    /// Given by the `unsafe` method `advise_unchecked` of [`Mapping`](crate::Mapping) and
    /// [`SharedMapping`](crate::SharedMapping); each value says what it breaks. To make memory zeros
    /// again and give it back, [`Mapping::discard`](crate::Mapping::discard) is safe. Source:
    /// madvise(2).
    ///
    /// # Platform
    /// Each says which system has it, and since which version of Linux; elsewhere it is refused with
    /// [`Reason::Unsupported`](crate::Reason::Unsupported).
    ///
    /// Not here: `MADV_POPULATE_READ` and `MADV_POPULATE_WRITE`, which are `populate` and
    /// `populate_write`; DragonFly's `MADV_INVAL` and `MADV_SETMAP`, which `mcontrol` takes and which
    /// serve the page tables of virtual kernels.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum UncheckedAdvice {
        /// Drop the pages at once. Private anonymous memory reads as zeros afterwards; a private
        /// mapping of a file loses what was written to it, and shows the file again; shared memory
        /// keeps its content, and is only unmapped until used. `EINVAL` for locked pages. Of huge pages
        /// (hugetlbfs) the kernel leaves the last one alone unless the range has all of it.
        ///
        /// Linux 2.4.
        #[doc(alias = "MADV_DONTNEED")]
        DontNeed,
        /// As [`DontNeed`](Self::DontNeed), for locked pages too, which stay locked: they come back
        /// when used. Linux 5.18.
        #[doc(alias = "MADV_DONTNEED_LOCKED")]
        DontNeedLocked,
        /// The content is no longer needed: until a page is written to, it keeps its content, or turns
        /// to zeros at a moment of the kernel's choice. During that time the bytes may change between
        /// two reads.
        ///
        /// Linux 4.5 (private anonymous memory only), FreeBSD, DragonFly, NetBSD, OpenBSD, Apple's
        /// systems, illumos, Solaris.
        #[doc(alias = "MADV_FREE")]
        #[doc(alias = "MS_KILLPAGES")]
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
        /// A child of `fork` finds zeros, even through a reference that the parent held. Private
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
        /// Treat the pages as if the hardware had found them broken: whoever touches them gets a
        /// SIGBUS, and the system loses the memory for good. For tests; privileged (`EPERM`). Linux
        /// 2.6.32, if the kernel was built for it.
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
        /// The pages read as zeros afterwards; none is brought in for that. Apple's systems (late
        /// ones).
        #[doc(alias = "MADV_ZERO")]
        Zero,
        /// Throw the content away at once, as far as pages are not otherwise in use. illumos.
        #[doc(alias = "MADV_PURGE")]
        Purge,
    }
}

impl UncheckedAdvice {
    /// Whether it leaves alone the file, and memory that others have too.
    pub(crate) const fn stays_in_the_process(self) -> bool {
        !matches!(
            self,
            Self::Remove | Self::HwPoison | Self::SoftOffline | Self::Purge
        )
    }
}
