//! Advice that does more than advise.

with_all! {
    /// What `madvise` can do besides hints: throw content away, hide pages, change what a child gets.
    ///
    /// The `unsafe` method `advise_unchecked` of [`Mapping`](crate::Mapping) and
    /// [`SharedMapping`](crate::SharedMapping) gives it; each value documents what it can break. To
    /// turn memory into zeros and give it back to the system, use
    /// [`Mapping::discard`](crate::Mapping::discard), which is safe. Source: madvise(2).
    ///
    /// # Platform
    /// Each value documents which systems have it, and since which version of Linux; elsewhere it is
    /// refused with [`Reason::Unsupported`](crate::Reason::Unsupported).
    ///
    /// Not included are `MADV_POPULATE_READ` and `MADV_POPULATE_WRITE`, which are the methods
    /// `populate` and `populate_write`, and DragonFly's `MADV_INVAL` and `MADV_SETMAP`, which
    /// `mcontrol` takes for the page tables of virtual kernels.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum UncheckedAdvice {
        /// Drop the pages at once. Private anonymous memory reads as zeros afterwards; a private
        /// mapping of a file loses what was written to it, and shows the file again; shared memory
        /// keeps its content, and its pages are only unmapped until they are used again. `EINVAL` for
        /// locked pages. With explicit huge pages (hugetlbfs), the kernel leaves the last one alone
        /// unless the range covers all of it.
        ///
        /// Linux 2.4.
        #[doc(alias = "MADV_DONTNEED")]
        DontNeed,
        /// Like [`DontNeed`](Self::DontNeed), but for locked pages too. They stay locked, and come back
        /// when they are used. Linux 5.18.
        #[doc(alias = "MADV_DONTNEED_LOCKED")]
        DontNeedLocked,
        /// The content is no longer needed. Until a page is written to, it keeps its content or turns
        /// to zeros, at a moment of the kernel's choice. During that time the bytes may change between
        /// two reads.
        ///
        /// Linux 4.5 (private anonymous memory only), FreeBSD, DragonFly, NetBSD, OpenBSD, Apple's
        /// systems, illumos, Solaris.
        #[doc(alias = "MADV_FREE")]
        #[doc(alias = "MS_KILLPAGES")]
        Free,
        /// Drop the pages and the storage behind them. This punches a hole into the file, for everybody
        /// who has it open. Shared mappings only. Linux 2.6.16 (files: 3.5).
        #[doc(alias = "MADV_REMOVE")]
        Remove,
        /// A child of `fork` does not get the pages: at first nothing is mapped there, and later
        /// perhaps something of the child's own. The child must neither use nor drop its copy of the
        /// guard.
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
        /// Turn the pages into guards: their content is thrown away, and any access raises SIGSEGV.
        /// Private anonymous memory, and since Linux 6.15 files too. Linux 6.13.
        #[doc(alias = "MADV_GUARD_INSTALL")]
        GuardInstall,
        /// Undo [`GuardInstall`](Self::GuardInstall): the pages can be used again. Other pages stay as
        /// they are. Linux 6.13.
        #[doc(alias = "MADV_GUARD_REMOVE")]
        GuardRemove,
        /// Treat the pages as if the hardware had found them broken: touching them raises SIGBUS, and
        /// the system loses the memory for good. For tests; privileged (`EPERM`). Linux 2.6.32, if the
        /// kernel was built for it.
        #[doc(alias = "MADV_HWPOISON")]
        HwPoison,
        /// Move the content elsewhere and take the memory out of use: the system loses it for good.
        /// For tests; privileged (`EPERM`). Linux 2.6.33, if the kernel was built for it.
        #[doc(alias = "MADV_SOFT_OFFLINE")]
        SoftOffline,
        /// Like [`Free`](Self::Free). In addition, the pages do not count against the process until
        /// [`Advice::FreeReuse`](crate::Advice::FreeReuse), which must be given before they are used
        /// again. Apple's systems.
        #[doc(alias = "MADV_FREE_REUSABLE")]
        FreeReusable,
        /// The pages read as zeros afterwards; none is brought in for that. Recent versions of Apple's
        /// systems.
        #[doc(alias = "MADV_ZERO")]
        Zero,
        /// Throw the content away at once, except in pages that are otherwise in use. illumos.
        #[doc(alias = "MADV_PURGE")]
        Purge,
    }
}

impl UncheckedAdvice {
    /// Whether it leaves alone the file and memory that others have too.
    pub(crate) const fn stays_in_the_process(self) -> bool {
        !matches!(
            self,
            Self::Remove | Self::HwPoison | Self::SoftOffline | Self::Purge
        )
    }
}
