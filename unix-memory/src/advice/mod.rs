//! Hints: what the kernel may know about the use of pages.

/// Declares the enum as written, and `ALL`, the list of its variants.
macro_rules! with_all {
    (
        $(#[$outer:meta])*
        pub enum $name:ident { $($(#[$inner:meta])* $variant:ident,)* }
    ) => {
        $(#[$outer])*
        pub enum $name { $($(#[$inner])* $variant,)* }

        impl $name {
            /// All such advice, whether this system has it or not.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
        }
    };
}

pub mod unchecked;

with_all! {
    /// A hint about how pages will be used. It never changes what they hold, so every hint is safe.
    ///
    /// Advice that throws content away or hides it (`MADV_DONTNEED`, `MADV_FREE`, `MADV_REMOVE`,
    /// `MADV_DONTFORK`, `MADV_WIPEONFORK`, ...) is not a hint: see
    /// [`Mapping::discard`](crate::Mapping::discard) and [`UncheckedAdvice`](crate::UncheckedAdvice).
    /// Source: madvise(2).
    ///
    /// # Platform
    /// Every Unix with `madvise` has the first four; on Linux since 2.4. Each of the others documents which
    /// systems have it, and since which version of Linux; elsewhere it is refused with
    /// [`Reason::Unsupported`](crate::Reason::Unsupported). [`is_supported`](Self::is_supported) asks the
    /// running kernel.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    #[doc(alias = "MmapAdvise")]
    pub enum Advice {
        /// No special treatment: the default.
        #[doc(alias = "MADV_NORMAL")]
        #[doc(alias = "POSIX_MADV_NORMAL")]
        Normal,
        /// Pages will be used in random order: reading ahead is useless.
        #[doc(alias = "MADV_RANDOM")]
        #[doc(alias = "RANDOM_ACCESS")]
        #[doc(alias = "POSIX_MADV_RANDOM")]
        Random,
        /// Pages will be used once, in rising order: read well ahead, and drop them soon after.
        #[doc(alias = "MADV_SEQUENTIAL")]
        #[doc(alias = "POSIX_MADV_SEQUENTIAL")]
        Sequential,
        /// Pages will be used soon: start reading them now. (OpenBSD accepts it and does nothing.)
        #[doc(alias = "MADV_WILLNEED")]
        #[doc(alias = "POSIX_MADV_WILLNEED")]
        WillNeed,
        /// Pages will not be used soon: reclaim them first when memory is short. The content stays.
        ///
        /// Linux 5.4, `MADV_COLD`. On FreeBSD, DragonFly, NetBSD, OpenBSD, Apple's systems, illumos and
        /// Solaris it is `MADV_DONTNEED`, and on AIX, Emscripten, Fuchsia, Haiku, Hurd, NuttX, QNX and RTEMS
        /// `POSIX_MADV_DONTNEED`, which keep content there. (Linux's `MADV_DONTNEED` does not.)
        #[doc(alias = "MADV_COLD")]
        #[doc(alias = "MADV_DONTNEED")]
        #[doc(alias = "POSIX_MADV_DONTNEED")]
        #[doc(alias = "MS_DEACTIVATE")]
        Cold,
        /// Take the pages out of memory now: write them to their file or to swap, to be read again when
        /// used. Only pages that no other process has mapped are taken out, and pages of a file only if the
        /// caller owns the file or may write to it. Linux 5.4; Apple's kernels that were built for tests.
        #[doc(alias = "MADV_PAGEOUT")]
        PageOut,
        /// Use transparent huge pages where they fit. Linux 2.6.38, if the kernel was built with them.
        ///
        /// They fit at multiples of their size, and only pages that are brought in later are made
        /// huge: [`MapOptions::transparent_huge_pages`](crate::MapOptions::transparent_huge_pages)
        /// aligns the memory and gives this advice in time.
        #[doc(alias = "MADV_HUGEPAGE")]
        HugePage,
        /// Use no transparent huge pages. Linux 2.6.38, if the kernel was built with them.
        #[doc(alias = "MADV_NOHUGEPAGE")]
        NoHugePage,
        /// Make huge pages now, of small pages, wherever a whole huge page lies in the range, even if
        /// huge pages are switched off for the system (`enabled` is `never`). The content stays. At
        /// least one page of each must have been touched; the others need not be in memory yet. At
        /// one that was not, the kernel stops:
        /// [`populate_write`](crate::Mapping::populate_write) brings it in. A range that begins and ends at multiples of
        /// their size leaves no small pages: see
        /// [`MapOptions::transparent_huge_pages`](crate::MapOptions::transparent_huge_pages).
        ///
        /// After an error, some huge pages may have been made; [`huge_bytes`](crate::Mapping::huge_bytes)
        /// counts them. The error is about the last one that could not be made:
        /// * `EINVAL`: none fits into the range
        ///   ([`Reason::NoHugePageFits`](crate::Reason::NoHugePageFits); for some such ranges the
        ///   kernel reports success), or the kernel makes none of this memory, or none of a
        ///   part that was never touched ([`Reason::HugePagesOff`](crate::Reason::HugePagesOff));
        /// * `EAGAIN`: some of the pages were in use
        ///   ([`Reason::PagesInUse`](crate::Reason::PagesInUse)); try again;
        /// * `ENOMEM`: no huge page is free
        ///   ([`Reason::NoFreeHugePage`](crate::Reason::NoFreeHugePage));
        /// * `EBUSY`: one more would exceed the memory limit of a control group
        ///   ([`Reason::CgroupLimit`](crate::Reason::CgroupLimit)).
        ///
        /// Linux 6.1, if the kernel was built with transparent huge pages.
        #[doc(alias = "MADV_COLLAPSE")]
        Collapse,
        /// Pages may be merged with others of the same content. This saves memory, but timing then
        /// reveals that another such page exists: do not use it for secrets. Linux 2.6.32, if the
        /// kernel was built with KSM.
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
        /// Undo [`UncheckedAdvice::DontFork`](crate::UncheckedAdvice): a child of `fork` gets the
        /// pages, as it does by default. Linux 2.6.16; `EINVAL` for memory of devices.
        #[doc(alias = "MADV_DOFORK")]
        DoFork,
        /// Undo [`UncheckedAdvice::WipeOnFork`](crate::UncheckedAdvice): a child of `fork` gets the
        /// content too, as it does by default. Linux 4.14; `EINVAL` for memory of devices.
        #[doc(alias = "MADV_KEEPONFORK")]
        KeepOnFork,
        /// Write changes to the file only when memory is short or `msync` requests it: for files whose
        /// content need not outlive the running system. FreeBSD, DragonFly.
        #[doc(alias = "MADV_NOSYNC")]
        #[doc(alias = "MAP_NOSYNC")]
        NoSync,
        /// Undo [`NoSync`](Self::NoSync). FreeBSD, DragonFly.
        #[doc(alias = "MADV_AUTOSYNC")]
        AutoSync,
        /// Make sure that there is room for the pages. NetBSD and OpenBSD define the name but do not
        /// implement it: their kernels refuse it with `EINVAL`.
        #[doc(alias = "MADV_SPACEAVAIL")]
        SpaceAvail,
        /// Do not kill this process when the system runs out of swap. This concerns the whole process,
        /// whatever the range is. `EPERM` without the privilege. FreeBSD.
        #[doc(alias = "MADV_PROTECT")]
        Protect,
        /// Undo the next three. illumos, Solaris.
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
        /// Ask whether [`UncheckedAdvice::FreeReusable`](crate::UncheckedAdvice) could be given: an
        /// error means no. Apple's systems.
        #[doc(alias = "MADV_CAN_REUSE")]
        CanReuse,
    }
}
