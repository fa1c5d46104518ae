//! Hints: what the kernel may know of the use of pages.

use crate::os;

/// A hint on how pages will be used, which never changes what they hold: any of them is safe.
///
/// What throws content away or hides it (`MADV_DONTNEED`, `MADV_FREE`, `MADV_REMOVE`,
/// `MADV_DONTFORK`, `MADV_WIPEONFORK`, ...) is no hint and not here. Source: madvise(2).
///
/// # Platform
/// Every Unix with `madvise` has the first four. The others say which system has them; elsewhere
/// they are refused with [`Reason::Unsupported`](crate::Reason::Unsupported).
/// [`is_supported`](Self::is_supported) asks the running kernel.
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
    /// Pages will be used soon: start reading them now.
    #[doc(alias = "MADV_WILLNEED")]
    WillNeed,
    /// Pages will not be used soon: let them go first when memory is short. Linux 5.4.
    #[doc(alias = "MADV_COLD")]
    Cold,
    /// Take the pages out of memory now: write them to their file or to swap, to be read again when
    /// used. Only pages that no other process has mapped go; of a file, only where its owner or
    /// somebody who may write to it asks. Linux 5.4.
    #[doc(alias = "MADV_PAGEOUT")]
    PageOut,
    /// Use transparent huge pages where they fit. Linux 2.6.38, if the kernel was built with them.
    #[doc(alias = "MADV_HUGEPAGE")]
    HugePage,
    /// Use no transparent huge pages. Linux 2.6.38, if the kernel was built with them.
    #[doc(alias = "MADV_NOHUGEPAGE")]
    NoHugePage,
    /// Make huge pages out of the small ones there are, now; `EINVAL` where none fits, `EAGAIN`,
    /// `EBUSY` or `ENOMEM` where that failed. Linux 6.1, if the kernel was built with transparent huge pages.
    #[doc(alias = "MADV_COLLAPSE")]
    Collapse,
    /// Pages may be merged with others of the same content, which saves memory, and tells by timing
    /// that there is another: not for secrets. Linux 2.6.32, if the kernel was built with KSM.
    #[doc(alias = "MADV_MERGEABLE")]
    Mergeable,
    /// Undo [`Mergeable`](Self::Mergeable). Linux 2.6.32, if the kernel was built with KSM.
    #[doc(alias = "MADV_UNMERGEABLE")]
    Unmergeable,
    /// Leave the pages out of core dumps. Linux 3.4.
    #[doc(alias = "MADV_DONTDUMP")]
    DontDump,
    /// Undo [`DontDump`](Self::DontDump). Linux 3.4.
    #[doc(alias = "MADV_DODUMP")]
    DoDump,
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
    ];

    /// Whether the running kernel knows this advice. It may still refuse it for some kinds of
    /// memory.
    ///
    /// # Platform
    /// On Linux the kernel is asked, by advising on nothing. An emulator may say yes to anything.
    ///
    /// ```
    /// assert!(unix_memory::Advice::WillNeed.is_supported());
    /// ```
    #[must_use]
    pub fn is_supported(self) -> bool {
        os::advice(self).is_some_and(os::knows_advice)
    }
}
