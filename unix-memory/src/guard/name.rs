//! Names for memory without a file.

use core::ffi::CStr;
use core::ops::RangeBounds;

use crate::error::Result;
use crate::mapping::Mapping;
use crate::protection::Access;
use crate::shared::SharedMapping;

/// Gives a guard the methods that name its memory.
macro_rules! set_name {
    ($guard:ident, $new:literal) => {
        /// Names for memory without a file.
        impl<A: Access> $guard<A> {
            /// Names the whole mapping in `/proc/<pid>/maps` and smaps; `None` removes the name.
            ///
            /// # Errors
            /// Those of [`set_name_range`](Self::set_name_range).
            ///
            /// ```
            /// use unix_memory::{MapOptions, ReadWrite, Reason};
            ///
            #[doc = $new]
            /// match mapping.set_name(Some(c"cache of pages")) {
            ///     Ok(()) => println!("see /proc/self/maps"),
            ///     Err(error) => println!("{error}"), // the system does not name memory
            /// }
            /// let error = mapping.set_name(Some(c"[stack]")).unwrap_err();
            /// assert_eq!(error.reason(), Reason::MemoryName);
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "prctl")]
            #[doc(alias = "PR_SET_VMA_ANON_NAME")]
            pub fn set_name(&self, name: Option<&CStr>) -> Result<()> {
                self.set_name_range(.., name)
            }

            /// Names the pages that hold a byte of `range`; `None` removes their name.
            ///
            /// `range` is in bytes from the start of the mapping and is rounded outward to pages. A name
            /// has at most 79 bytes, all of them printable ASCII (including the space) and none of them
            /// `\`, `` ` ``, `$`, `[` or `]`. The kernel shows it as `[anon:name]`, or as
            /// `[anon_shmem:name]` for memory that others may share. To name memory when it is mapped,
            /// see [`MapOptions::name`](crate::MapOptions::name).
            ///
            /// * **Parts**: pages with different names, or without one, are separate mappings to the
            ///   kernel, and each counts toward its limit of mappings.
            /// * **Kept**: both parts keep the name after [`split_at`](Mapping::split_at), and a mapping
            ///   that is resized keeps it as long as it is one mapping to the kernel. If it is several,
            ///   added memory has no name; if it had to be copied elsewhere, none of it has a name.
            /// * **fork**: a child has the same names.
            ///
            /// Source: PR_SET_VMA(2const).
            ///
            /// # Errors
            /// * `EINVAL`: the range does not lie in the mapping; or, on every system, no kernel takes
            ///   such a name ([`Reason::MemoryName`](crate::Reason::MemoryName)).
            /// * `ENOSYS`: the system has no names ([`Reason::Unsupported`](crate::Reason::Unsupported)).
            /// * `EBADF`: the memory is shown with the name of its file
            ///   ([`Reason::NamedByFile`](crate::Reason::NamedByFile)). This includes memfds, explicit
            ///   huge pages and, before Linux 6.2, memory that children share.
            /// * `EAGAIN`: the kernel is short of memory, or at its limit of mappings. If the range was
            ///   several mappings, some of them may have the new name.
            ///
            /// # Platform
            /// Linux 5.17, if it was built with `CONFIG_ANON_VMA_NAME`, and Android. Android's kernels
            /// before that keep a pointer to the name and read it whenever somebody asks; once the name
            /// is freed, they would show whatever is there then. On such kernels this fails with
            /// `ENOSYS`, but [`MapOptions::name`](crate::MapOptions::name), whose names are never freed,
            /// works.
            ///
            /// ```
            /// use unix_memory::{MapOptions, ReadWrite, Reason, page_size};
            ///
            #[doc = $new]
            /// if let Err(error) = mapping.set_name_range(page_size().., Some(c"index")) {
            ///     // This system does not name memory, or not memory of this kind.
            ///     assert!(matches!(error.reason(), Reason::Unsupported | Reason::NamedByFile));
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "prctl")]
            #[doc(alias = "PR_SET_VMA_ANON_NAME")]
            pub fn set_name_range(
                &self,
                range: impl RangeBounds<usize>,
                name: Option<&CStr>,
            ) -> Result<()> {
                self.region().set_name(&range, name, false)
            }
        }
    };
}

set_name!(
    Mapping,
    "let mapping = MapOptions::new().len(2 * unix_memory::page_size()).map_anonymous(ReadWrite)?;"
);
set_name!(
    SharedMapping,
    "let options = MapOptions::new().len(2 * unix_memory::page_size());\nlet mapping = options.map_anonymous_shared(ReadWrite)?;"
);
