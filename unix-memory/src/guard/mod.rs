//! The methods of both guards, written once.

mod code;
#[cfg(feature = "std")]
mod durable;
mod erased;
pub mod flush;
mod huge;
mod name;
pub mod plain_data;
pub mod populate;
pub mod span;
#[cfg(feature = "stable_deref_trait")]
mod stable;
mod unchecked;

/// Gives `$guard<A>` the methods that do not depend on who else may change the bytes. The guard is a
/// struct of a `region`, an `access` and the fields that are listed, each with its initial value.
/// `$protect` is the method of the region that changes its protection; `$new` makes a writable guard of
/// two pages, for the examples.
macro_rules! guard {
    ($guard:ident, $protect:ident, $new:literal $(, $field:ident: $value:expr)*) => {
        impl<A: Access> $guard<A> {
            pub(crate) const fn from_region(region: Region, access: A) -> Self {
                Self {
                    region,
                    access,
                    $($field: $value,)*
                }
            }

            #[allow(dead_code, reason = "not every guard has a use for it")]
            pub(crate) const fn access(&self) -> A {
                self.access
            }

            /// Changes the protection that the guard's type states.
            pub(crate) const fn set_access(&mut self, access: A) {
                self.access = access;
            }

            /// The same pages, under another type.
            #[inline]
            pub(crate) fn with_access<B: Access>(self, access: B) -> $guard<B> {
                $guard {
                    region: self.region,
                    $($field: self.$field,)*
                    access,
                }
            }

            pub(crate) const fn region(&self) -> &Region {
                &self.region
            }

            #[allow(
                dead_code,
                reason = "not every guard, on every system, has a use for it"
            )]
            pub(crate) fn region_mut(&mut self) -> &mut Region {
                // What is known about it may not hold after the change.
                $(self.$field = $value;)*
                &mut self.region
            }

            pub(crate) fn into_region(self) -> Region {
                self.region
            }

            /// The length in bytes, as requested, not rounded up to pages.
            #[must_use]
            pub const fn len(&self) -> usize {
                self.region.len()
            }

            /// Whether the length is zero.
            #[must_use]
            pub const fn is_empty(&self) -> bool {
                self.region.len() == 0
            }

            /// The address of the first byte. It is at the start of a page unless a file is mapped
            /// from an offset inside a page.
            #[must_use]
            pub const fn as_ptr(&self) -> *const u8 {
                self.region.start().as_ptr()
            }

            /// The protection of the pages.
            #[must_use]
            pub fn protection(&self) -> Protection {
                self.access.protection()
            }

            /// Changes the protection of the pages, and the type with it.
            ///
            /// If they become executable, what was written to them is made fit to be executed, as by
            /// `sync_instruction_cache`.
            ///
            /// Source: mprotect(2), POSIX.1-2024.
            ///
            /// # Errors
            /// The mapping comes back inside the error, as it was. `EACCES` if the file was not opened
            /// for that access, if a security policy forbids it, if a private mapping of a file in huge
            /// pages should become writable ([`Reason::HugePagesOfFile`](crate::Reason)), or if the
            /// stack of the main thread has grown up to pages that were inaccessible
            /// ([`Reason::Stack`](crate::Reason)). `ENOMEM` at a limit on mappings, data
            /// (`RLIMIT_DATA`) or addresses, or if memory is short and not overcommitted. `ENOSYS` if
            /// the system enforces no protections
            /// ([`Protection::is_enforced`](crate::Protection::is_enforced)).
            ///
            /// The kernel changes one of its mappings at a time. A guard can have several of them, and
            /// the kernel may refuse in the middle. Then what was changed is changed back. At the limit
            /// of mappings this may take more mappings than there is room for. This crate keeps three
            /// mappings to give up for that; if none are left, and it can make none, it refuses at once
            /// to change several mappings. Only if other threads take that room again and again, for
            /// about 40 milliseconds, is the process aborted, because no type would describe the pages;
            /// or if a filter of system calls refuses both ways with an error other than `EPERM` or
            /// `ENOSYS`, and `/proc`, which shows that nothing has changed, cannot be read.
            ///
            /// # Platform
            /// On NetBSD, memory is mapped with `PROT_MPROTECT` for all rights. Without it, PaX, which
            /// is on by default, does not allow rights to be added later.
            ///
            /// ```
            #[doc = concat!("use unix_memory::{", stringify!($guard), ", ReadOnly};")]
            #[doc = $new]
            /// let mapping = mapping.protect(ReadOnly)?;
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "mprotect")]
            #[doc(alias = "make_read_only")]
            #[doc(alias = "make_mut")]
            #[doc(alias = "make_exec")]
            #[inline]
            #[doc(alias = "make_none")]
            #[doc(alias = "make_exec_mut")]
            pub fn protect<B: Access>(
                self,
                access: B,
            ) -> core::result::Result<$guard<B>, Failed<Self>> {
                // SAFETY: `self` is taken by value, so no reference into the mapping lives, and
                // the new type gives out only what the new protection allows. [borrowed, access]
                match unsafe { self.region.$protect(self.protection(), access.protection()) } {
                    Ok(()) => Ok(self.with_access(access)),
                    Err(error) => Err(Failed::new(error, self)),
                }
            }

            /// Advises the kernel how the whole mapping will be used.
            ///
            /// # Errors
            /// Those of [`advise_range`](Self::advise_range).
            ///
            /// ```
            #[doc = concat!("use unix_memory::{Advice, ", stringify!($guard), "};")]
            #[doc = $new]
            /// mapping.advise(Advice::Sequential)?;
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "madvise")]
            #[inline]
            pub fn advise(&self, advice: Advice) -> Result<()> {
                self.region.advise(&.., advice)
            }

            /// Advises the kernel how the pages that hold a byte of `range` will be used.
            ///
            /// `range` is in bytes from the start of the mapping and is rounded outward to pages:
            /// an [`Advice`] changes no content. Source: madvise(2).
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping, and for advice that the system
            /// does not have ([`Reason::Unsupported`](crate::Reason)) or does not accept for this kind
            /// of memory; `EAGAIN`, `EBADF`, `EIO`, `ENOMEM` as each [`Advice`] documents.
            ///
            /// ```
            #[doc = concat!("use unix_memory::{Advice, ", stringify!($guard), "};")]
            #[doc = $new]
            /// mapping.advise_range(..1, Advice::WillNeed)?;
            /// assert!(mapping.advise_range(..=mapping.len(), Advice::WillNeed).is_err());
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "madvise")]
            #[inline]
            pub fn advise_range(
                &self,
                range: impl RangeBounds<usize>,
                advice: Advice,
            ) -> Result<()> {
                self.region.advise(&range, advice)
            }

            /// Writes all changes of the mapping back to the file.
            ///
            /// # Errors
            /// Those of [`flush_range`](Self::flush_range).
            #[doc(alias = "msync")]
            #[doc(alias = "flush_async")]
            #[inline]
            pub fn flush(&self, mode: Flush) -> Result<()> {
                self.region.flush(&.., mode)
            }

            /// Writes the changed pages that hold a byte of `range` back to the file.
            ///
            /// This has no effect if there is no file, or if writes are private. `range` is in bytes
            /// from the start of the mapping and is rounded outward to pages. Source: msync(2),
            /// POSIX.1-2024.
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping; `EIO` if writing failed; `EBUSY`
            /// for [`Flush::Invalidate`] on locked pages.
            ///
            /// # Platform
            /// Linux does nothing for a file that was not opened for writing, even when others have
            /// changed it.
            ///
            /// ```
            #[doc = concat!("use unix_memory::{Flush, ", stringify!($guard), "};")]
            #[doc = $new]
            /// mapping.flush_range(..1, Flush::Sync)?;
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "msync")]
            #[doc(alias = "flush_async_range")]
            #[inline]
            pub fn flush_range(&self, range: impl RangeBounds<usize>, mode: Flush) -> Result<()> {
                self.region.flush(&range, mode)
            }

            /// Asks, page by page, which pages are in memory.
            ///
            /// The result is a snapshot, which may be out of date when it is read. Source:
            /// mincore(2).
            ///
            /// # Errors
            /// Each item may be an error: `EAGAIN`, or `ENOSYS` if the system does not report
            /// residency. The iterator ends after an error.
            ///
            /// # Platform
            /// Linux reports the pages of a file only to its owner and to those who may write to it; to
            /// others, every page seems to be in memory (since Linux 5.2).
            ///
            /// ```
            #[doc = concat!("use unix_memory::{page_size, ", stringify!($guard), "};")]
            #[doc = $new]
            /// assert_eq!(mapping.residency().count(), mapping.len().div_ceil(page_size()));
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "mincore")]
            pub fn residency(&self) -> Residency<'_> {
                // SAFETY: the pages are the region's own, which the result borrows.
                // [owned, borrowed]
                unsafe { Residency::of(self.region.pages()) }
            }

            /// Asks, page by page, which of the pages that hold a byte of `range` are in memory.
            ///
            /// `range` is in bytes from the start of the mapping and is rounded outward to pages.
            /// Otherwise, this is [`residency`](Self::residency).
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping.
            ///
            /// ```
            #[doc = concat!("use unix_memory::{page_size, ", stringify!($guard), "};")]
            #[doc = $new]
            /// assert_eq!(mapping.residency_range(page_size()..)?.count(), 1);
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "mincore")]
            pub fn residency_range(&self, range: impl RangeBounds<usize>) -> Result<Residency<'_>> {
                let range = crate::page::check_range(crate::error::Call::Mincore, &range, self.len())?;
                // SAFETY: as above. [owned, borrowed]
                Ok(unsafe { Residency::of(self.region.pages_of(&range)) })
            }

            /// Unmaps now, and returns an error if the kernel refuses, which a drop cannot do.
            ///
            /// The kernel refuses only at its limit of mappings, if it would have to split a mapping
            /// that it had merged. If it refuses during a drop, the memory is given back all the same,
            /// and the addresses are unmapped when this crate unmaps something else.
            ///
            /// Source: munmap(2), POSIX.1-2024.
            ///
            /// # Errors
            /// The mapping comes back inside the error: `ENOMEM` if the kernel is at its limit of
            /// mappings and would have to split a mapping that it had merged.
            ///
            /// ```
            #[doc = concat!("use unix_memory::", stringify!($guard), ";")]
            #[doc = $new]
            /// mapping.unmap()?;
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "munmap")]
            pub fn unmap(self) -> core::result::Result<(), Failed<Self>> {
                let access = self.access;
                self.region
                    .unmap()
                    .map_err(|(error, region)| Failed::new(error, Self::from_region(region, access)))
            }
        }

        impl<A: Readable> $guard<A> {
            /// Keeps the whole mapping in memory while the guard lives.
            ///
            /// # Errors
            /// Those of [`lock_range`](Self::lock_range).
            #[doc(alias = "mlock")]
            #[inline]
            pub fn lock(&self) -> Result<LockGuard<'_>> {
                LockGuard::new(&self.region, &.., crate::region::ledger::Kind::Full)
            }

            /// Keeps the pages that hold a byte of `range` in memory while the guard lives.
            ///
            /// Guards nest, unlike `mlock`: a page is unlocked when the last guard over it is dropped,
            /// in any order. `range` is in bytes from the start of the mapping and is rounded outward
            /// to pages. Source: mlock(2), POSIX.1-2024.
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping; `ENOMEM`, `EPERM` or `EAGAIN`
            /// over the limit on locked memory ([`Reason::LockLimit`](crate::Reason)); `EAGAIN` or
            /// `ENOMEM` if a page could not be brought in ([`Reason::Fault`](crate::Reason) if it is
            /// gone, as past the end of a file), or at the kernel's limit of mappings. What was
            /// locked before is then still locked, and nothing more.
            ///
            /// ```
            #[doc = concat!("use unix_memory::", stringify!($guard), ";")]
            #[doc = $new]
            /// let first = mapping.lock_range(..1)?;
            /// let whole = mapping.lock()?;
            /// drop(first); // `whole` still holds the first page
            /// # drop(whole);
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "mlock")]
            #[doc(alias = "munlock")]
            #[inline]
            pub fn lock_range(&self, range: impl RangeBounds<usize>) -> Result<LockGuard<'_>> {
                LockGuard::new(&self.region, &range, crate::region::ledger::Kind::Full)
            }
        }

        impl<A: Access> core::fmt::Debug for $guard<A> {
            /// Address, length and protection; never content.
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($guard))
                    .field("address", &self.as_ptr())
                    .field("len", &self.len())
                    .field("protection", &self.protection())
                    .finish()
            }
        }
    };
}

pub(crate) use guard;
