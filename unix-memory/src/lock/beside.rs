//! Locks beside their mapping: no guard borrows it.

use core::ops::RangeBounds;

use crate::error::Result;
use crate::mapping::Mapping;
use crate::protection::{Access, Readable};
use crate::shared::SharedMapping;

/// Gives a guard the methods that lock and unlock it; `$new` makes one of two pages, for the examples.
macro_rules! mlock {
    ($guard:ident, $new:literal) => {
        /// Locks beside the mapping.
        impl<A: Readable> $guard<A> {
            /// Keeps the pages that hold a byte of `range` in memory until
            /// [`munlock`](Self::munlock), or until they are unmapped: for a struct that owns a
            /// mapping and locks it now and then, which a guard that borrows the mapping cannot do.
            ///
            /// It does not nest: one `munlock` undoes any number of `mlock`. It does nest with guards:
            /// each of the two keeps the pages in memory, whatever happens to the other. `range` is in
            /// bytes from the start of the mapping and is rounded outward to pages. A mapping that is
            /// locked as a whole stays so when it is resized, new pages included, unless it has no
            /// bytes in between; a lock on a part may be lost then. Source: mlock(2), POSIX.1-2024.
            ///
            /// * **fork**: a child inherits no locks.
            ///
            /// # Errors
            /// Those of [`lock_range`](Self::lock_range).
            ///
            /// ```
            #[doc = concat!("use unix_memory::{ReadWrite, ", stringify!($guard), "};")]
            ///
            /// struct Table {
            #[doc = concat!("    memory: ", stringify!($guard), "<ReadWrite>,")]
            /// }
            ///
            /// impl Table {
            ///     fn begin(&self) -> unix_memory::Result<()> {
            ///         self.memory.mlock(..)
            ///     }
            ///
            ///     fn end(&self) -> unix_memory::Result<()> {
            ///         self.memory.munlock(..)
            ///     }
            /// }
            /// ```
            #[doc(alias = "VirtualLock")]
            pub fn mlock(&self, range: impl RangeBounds<usize>) -> Result<()> {
                self.region().lock(&range)
            }
        }

        /// Unlocks, whatever the protection is by then.
        impl<A: Access> $guard<A> {
            /// Undoes [`mlock`](Self::mlock) for the pages that hold a byte of `range`.
            ///
            /// What guards keep in memory stays locked, and so does what was mapped with
            /// [`lock`](crate::MapOptions::lock); while a [`ProcessLock`](crate::ProcessLock) lives,
            /// everything does. A lock made by calling mlock(2) itself is undone. Pages that were not
            /// locked are left alone. Where the kernel refuses, at its limit of mappings, this is tried
            /// again when this crate unmaps or unlocks something. Source: munlock(2), POSIX.1-2024.
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping; `ENOMEM` if there is no memory to
            /// note that a part is not locked any more. Nothing is changed then.
            ///
            /// ```
            #[doc = concat!("use unix_memory::", stringify!($guard), ";")]
            #[doc = $new]
            /// mapping.mlock(..)?;
            /// let first = mapping.lock_range(..1)?;
            /// mapping.munlock(..)?; // `first` still holds the first page
            /// # drop(first);
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "VirtualUnlock")]
            pub fn munlock(&self, range: impl RangeBounds<usize>) -> Result<()> {
                self.region().unlock(&range)
            }
        }
    };
}

mlock!(
    Mapping,
    "let mapping = Mapping::anonymous(2 * unix_memory::page_size())?;"
);
mlock!(
    SharedMapping,
    "let mapping: SharedMapping<unix_memory::ReadWrite> = unix_memory::MapOptions::new()
    .len(2 * unix_memory::page_size())
    .map_anonymous_shared(unix_memory::ReadWrite)?;"
);
