//! Asking how much is in huge pages.

use core::ops::RangeBounds;

use crate::error::Result;
use crate::mapping::Mapping;
use crate::protection::Access;
use crate::shared::SharedMapping;

/// Gives a guard the methods that count.
macro_rules! huge_bytes {
    ($guard:ident) => {
        /// Huge pages.
        impl<A: Access> $guard<A> {
            /// How many bytes of the mapping are in huge pages now.
            ///
            /// # Errors
            /// Those of [`huge_bytes_range`](Self::huge_bytes_range).
            ///
            /// ```
            /// use unix_memory::{MapOptions, ReadWrite};
            ///
            /// let options = MapOptions::new().len(8 << 20).transparent_huge_pages(true);
            /// let mut mapping = options.map_anonymous(ReadWrite)?;
            /// mapping.fill(1);
            /// match mapping.huge_bytes() {
            ///     Ok(huge) => println!("{huge} of {} bytes are in huge pages", mapping.len()),
            ///     Err(error) => println!("unknown: {error}"),
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "AnonHugePages")]
            #[doc(alias = "PAGEMAP_SCAN")]
            pub fn huge_bytes(&self) -> Result<usize> {
                self.region().huge_bytes(&..)
            }

            /// How many bytes of the pages that hold a byte of `range` are in huge pages now.
            ///
            /// `range` is in bytes from the start of the mapping and is rounded outward to small pages, so
            /// the result is a multiple of the page size.
            ///
            /// A page counts if this process's page tables map it by the entry of a huge page, transparent
            /// or explicit. Not counted are pages that this mapping has not touched yet, even if they are
            /// in memory; transparent huge pages of which a part has another protection or was discarded;
            /// and the kernel's huge page of zeros, which stands for memory that was read but never
            /// written. The result is a snapshot, which may be out of date when it is returned.
            ///
            /// Source: `PAGEMAP_SCAN(2const)`, proc_pid_smaps(5).
            ///
            /// # Errors
            /// * `EINVAL`: the range does not lie in the mapping.
            /// * `ENOSYS` ([`Reason::Unsupported`](crate::Reason)): the system does not report it.
            /// * `EMFILE` or `ENFILE`: too many open files; a file of /proc is opened.
            /// * `ENOENT`: /proc is not mounted ([`Reason::NoProc`](crate::Reason::NoProc)); `EACCES`: it may
            ///   not be read.
            ///
            /// # Platform
            /// Linux and Android. Before Linux 6.7, the kernel reports this only for whole mappings as it
            /// sees them, and it merges adjacent ones. If the range is a part of such a mapping, of which
            /// only some is in huge pages, the error is `ENOSYS`.
            ///
            /// ```
            /// use unix_memory::{MapOptions, ReadWrite};
            ///
            /// let options = MapOptions::new().len(8 << 20).transparent_huge_pages(true);
            /// let mapping = options.map_anonymous(ReadWrite)?;
            /// if let Ok(huge) = mapping.huge_bytes_range(..4 << 20) {
            ///     assert_eq!(huge, 0, "nothing has been touched");
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "AnonHugePages")]
            #[doc(alias = "PAGE_IS_HUGE")]
            #[doc(alias = "PAGEMAP_SCAN")]
            pub fn huge_bytes_range(&self, range: impl RangeBounds<usize>) -> Result<usize> {
                self.region().huge_bytes(&range)
            }
        }
    };
}

huge_bytes!(Mapping);
huge_bytes!(SharedMapping);
