//! How writes are tracked.

/// How the kernel keeps track of the pages that are written.
///
/// ```
/// use unix_memory::{Mapping, Tracking};
///
/// match Mapping::anonymous(100)?.into_tracked() {
///     Ok(tracked) => match tracked.tracking() {
///         Tracking::WriteProtect => println!("by write protection"),
///         other => println!("by {other:?}, which is slower"),
///     },
///     Err(refused) => println!("{refused}"),
/// }
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tracking {
    /// The kernel protects the pages against writes. The first write to each page takes a fault, in which
    /// the kernel lifts the protection and lets the write go on.
    ///
    /// It works for any memory and any number of trackers, which disturb neither each other nor the rest of
    /// the process. Source: `userfaultfd(2)`, `UFFD_FEATURE_WP_ASYNC`, and `PAGEMAP_SCAN(2const)`, since
    /// Linux 6.7.
    ///
    /// # Platform
    /// Linux and Android, if the kernel was built with `CONFIG_PTE_MARKER_UFFD_WP`: on x86-64, and on arm64
    /// since Linux 6.10. It needs no privilege. Filters of system calls, such as those of many containers,
    /// may refuse `userfaultfd`.
    ///
    /// Kernels before a fix of July 2026 do not protect a discarded or removed page when they report it;
    /// this crate then protects it with another call.
    ///
    /// Linux 6.7 to 6.9 without later fixes can lose the fact that a page must be written back to its file,
    /// or to swap space, if one thread writes to it while another one [takes](crate::Tracked::take). This
    /// concerns shared memory only; a [`Mapping`](crate::Mapping) is not written meanwhile.
    #[doc(alias = "userfaultfd")]
    #[doc(alias = "PAGEMAP_SCAN")]
    #[doc(alias = "UFFD_FEATURE_WP_ASYNC")]
    WriteProtect,
    /// The kernel keeps a bit for each page of the process, sets it when the page is written, and clears the
    /// bits of all pages together.
    ///
    /// It works for private anonymous memory in ordinary pages; other memory is refused with
    /// [`Reason::NotAnonymous`](crate::Reason::NotAnonymous). Since all bits are cleared together, a
    /// process can have only one tracker of this kind ([`Reason::OneTracker`](crate::Reason::OneTracker)).
    /// Each [`mark`](crate::Tracked::mark), and each [`take`](crate::Tracked::take) that reaches its end,
    /// walks all memory of the process, and clears bits that others may use: a debugger, CRIU, another
    /// library. If one of these clears the bits, this crate detects it and reports all pages as written.
    /// Source: `Documentation/admin-guide/mm/soft-dirty.rst` of Linux, since 3.11.
    ///
    /// # Platform
    /// Linux and Android, on x86-64, s390x and POWER, if the kernel was built with `CONFIG_MEM_SOFT_DIRTY`.
    /// `into_tracked` tests whether the bits work. It needs `/proc/thread-self`, which Linux has since
    /// 3.17.
    ///
    /// Linux 6.12 to 6.17 without a fix of October 2025 ("mm/rmap: fix soft-dirty and uffd-wp bit loss when
    /// remapping zero-filled mTHP subpage to shared zeropage") can miss a write: when the kernel splits a
    /// transparent huge page, a page in it that holds only zeros can lose its bit.
    #[doc(alias = "soft-dirty")]
    #[doc(alias = "clear_refs")]
    #[doc(alias = "pagemap")]
    SoftDirty,
}
