//! Mappings whose written pages are tracked.

use core::fmt;

use super::tracker::Tracker;
use super::tracking::Tracking;
use super::written::Written;
use crate::error::{Failed, Result};
use crate::mapping::Mapping;
use crate::protection::{Access, Protection};
use crate::shared::SharedMapping;

/// A mapping for which the kernel keeps track of the pages that were written since a mark.
///
/// It serves incremental snapshots, checkpoints and garbage collectors, which can skip pages that were not
/// written. `into_tracked()` of [`Mapping`] and [`SharedMapping`] makes it and sets the first mark, at
/// which no page counts as written. `M` is the guard, which this value owns. Around a [`Mapping`], it
/// derefs to `[u8]` as the mapping does, mutably too; around a [`SharedMapping`], it derefs to that.
/// Dropping it unmaps the memory.
///
/// ```
/// use unix_memory::{Mapping, page_size};
///
/// let page = page_size();
/// let mapping = Mapping::anonymous(100 * page)?;
/// let mut heap = match mapping.into_tracked() {
///     Ok(heap) => heap,
///     Err(refused) => {
///         println!("{refused}"); // not on this system, or not in this kernel: compare all pages
///         return Ok(());
///     }
/// };
/// let mut snapshot = heap.to_vec();
///
/// heap[7 * page + 5] = 1;
/// heap[8 * page] = 1;
/// heap[50 * page] = 1;
/// for range in heap.take() {
///     let range = range?; // 7 * page..9 * page, then 50 * page..51 * page
///     snapshot[range.clone()].copy_from_slice(&heap[range]);
/// }
/// assert_eq!(snapshot[..], heap[..]);
/// assert_eq!(heap.take().count(), 0);
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// # What counts as written
/// A page counts as written when something writes to it through this mapping: a thread of this process, the
/// kernel on its behalf (`read(2)` into the memory), or another process that writes into this one
/// (`process_vm_writev(2)`, a debugger). Contents are not compared: writing the same bytes again counts
/// too. So does [`discard`](Tracked::discard). With [`Tracking::WriteProtect`], a written page of a file
/// still counts after it was written back to the file. If the kernel's answer leaves a doubt, the page is
/// reported as written.
///
/// Not reported are:
/// * writes of other processes to shared memory or to a file, writes of this process to them through
///   another mapping or by `write(2)`, and truncation of a file;
/// * writes by a device, or by the kernel in its place, into memory that was handed over before the mark:
///   reads with `O_DIRECT` that are under way, buffers that are registered with io_uring;
/// * pages of a private mapping of a file, and explicit huge pages, that
///   [`advise_unchecked`](Mapping::advise_unchecked) discards (`DontNeed`, `Remove`): the kernel keeps
///   their protection, although their content changes;
/// * with [`Tracking::SoftDirty`], all pages that `advise_unchecked` discards and that are read again.
///
/// # Costs
/// The first write to each page after a mark takes a page fault. With [`Tracking::WriteProtect`], each page
/// takes 8 bytes in the kernel's page tables even if it is never used: 2 MiB for each GiB where pages have
/// 4 KiB. Memory that is first used while it is tracked in this way gets no transparent huge pages; an
/// existing one is split at the first write after a mark. An explicit huge page counts as written or not as
/// a whole.
///
/// # Fork, threads, lengths, descriptors
/// * **fork**: a child inherits the memory like any other, but not the tracking. In the child, the methods
///   fail with `EPERM` ([`Reason::OtherProcess`](crate::Reason::OtherProcess)), and dropping the value
///   changes nothing in the parent. To track the child's memory, take the mapping out with
///   [`untrack`](Self::untrack), and track it again.
/// * **Threads**: the methods may be called while other threads write to shared memory. Each write is in
///   this answer or in the next one, or in both if it happens during the call.
/// * **Length**: to resize or split the mapping, take it out with [`untrack`](Self::untrack), and track the
///   result, of which no page counts as written at first. The parts that [`Mapping::split_at`] makes are
///   tracked independently.
/// * **Descriptors**: each tracker holds two, both closed on exec. Once the tracker is made, no method
///   opens another descriptor or needs `/proc`, with one exception: with [`Tracking::SoftDirty`], each mark
///   opens `/proc/thread-self/clear_refs` when the main thread has ended.
#[doc(alias = "dirty")]
#[doc(alias = "userfaultfd")]
#[doc(alias = "PAGEMAP_SCAN")]
#[doc(alias = "soft-dirty")]
#[must_use = "it is unmapped when it is dropped"]
pub struct Tracked<M> {
    pub(super) mapping: M,
    pub(super) tracker: Tracker,
}

impl<M> Tracked<M> {
    /// Returns the mapping, for what needs only a shared reference: advice, residency, locks.
    pub const fn mapping(&self) -> &M {
        &self.mapping
    }

    /// Returns how writes are tracked or, for an empty mapping, which way was requested.
    pub const fn tracking(&self) -> Tracking {
        self.tracker.tracking()
    }
}

/// Declares the methods for one of the guards. For the examples, `$new` makes a writable guard of four
/// pages, and `$write` writes to the second page.
macro_rules! tracked {
    ($guard:ident, $new:literal, $write:literal) => {
        /// Tracking of writes.
        impl<A: Access> $guard<A> {
            /// Tracks which pages are written from now on: by [`Tracking::WriteProtect`] or, if the kernel
            /// lacks or forbids that, by [`Tracking::SoftDirty`]. The marks of the latter concern the whole
            /// process: if others may use its bits, call [`into_tracked_by`](Self::into_tracked_by)
            /// instead.
            ///
            /// # Errors
            /// The mapping comes back unchanged inside the error. `ENOSYS` if the system or the kernel has
            /// neither ([`Reason::Unsupported`](crate::Reason::Unsupported)); otherwise an error of
            /// [`into_tracked_by`](Self::into_tracked_by).
            ///
            /// # Platform
            /// Linux and Android; [`Tracking`] lists kernels. Other systems have no such call.
            ///
            /// ```
            #[doc = concat!("use unix_memory::{Tracking, page_size, ", stringify!($guard), "};")]
            #[doc = $new]
            /// match mapping.into_tracked() {
            ///     Ok(tracked) => assert_eq!(tracked.take().count(), 0),
            ///     Err(refused) => println!("{refused}"),
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "UFFDIO_REGISTER")]
            pub fn into_tracked(self) -> Result<Tracked<Self>, Failed<Self>> {
                self.tracked(None)
            }

            /// Tracks which pages are written from now on, by `tracking` and by nothing else.
            ///
            /// # Errors
            /// The mapping comes back unchanged inside the error, which names the call:
            /// * any: `ENOSYS` if the system or the kernel lacks it
            ///   ([`Reason::Unsupported`](crate::Reason::Unsupported));
            /// * [`Call::Userfaultfd`](crate::Call::Userfaultfd): `EPERM`, or another error that a filter
            ///   of system calls returns; `EMFILE`, `ENFILE` at the limits of descriptors;
            /// * [`Call::Pagemap`](crate::Call::Pagemap), [`Call::ClearRefs`](crate::Call::ClearRefs):
            ///   `EACCES` if the process is neither dumpable nor root's
            ///   ([`Reason::NotDumpable`](crate::Reason::NotDumpable)); `ENOENT` without `/proc`
            ///   ([`Reason::NoProc`](crate::Reason::NoProc)); `EMFILE`, `ENFILE`;
            /// * [`Call::UffdioRegister`](crate::Call::UffdioRegister): `ENOMEM` at the kernel's limit of
            ///   mappings ([`Reason::MappingsLimit`](crate::Reason::MappingsLimit)); `EPERM` for a file
            ///   that is not open for writing ([`Reason::NotWritable`](crate::Reason::NotWritable));
            ///   `EBUSY` if another userfaultfd watches the pages
            ///   ([`Reason::Watched`](crate::Reason::Watched)); `EINVAL` for a part of an explicit huge
            ///   page;
            /// * [`Call::UffdioWriteprotect`](crate::Call::UffdioWriteprotect): `ENOMEM` if there is no
            ///   memory for page tables;
            /// * [`Call::PagemapScan`](crate::Call::PagemapScan): `ENOTSUP` for a device's memory
            ///   ([`Reason::NotTrackable`](crate::Reason::NotTrackable));
            /// * [`Call::Track`](crate::Call::Track), for [`Tracking::SoftDirty`]: `EBUSY` if the process
            ///   has such a tracker ([`Reason::OneTracker`](crate::Reason::OneTracker)); `EINVAL` for any
            ///   but private anonymous memory ([`Reason::NotAnonymous`](crate::Reason::NotAnonymous)).
            ///
            /// # Platform
            /// Linux and Android; [`Tracking`] lists kernels. Other systems have no such call.
            ///
            /// ```
            #[doc = concat!("use unix_memory::{Tracking, page_size, ", stringify!($guard), "};")]
            #[doc = $new]
            /// match mapping.into_tracked_by(Tracking::WriteProtect) {
            ///     Ok(tracked) => assert_eq!(tracked.tracking(), Tracking::WriteProtect),
            ///     Err(refused) => println!("{refused}"),
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "userfaultfd")]
            pub fn into_tracked_by(
                self,
                tracking: Tracking,
            ) -> Result<Tracked<Self>, Failed<Self>> {
                self.tracked(Some(tracking))
            }

            fn tracked(self, tracking: Option<Tracking>) -> Result<Tracked<Self>, Failed<Self>> {
                let is_readable = self.protection().contains(Protection::READ);
                match Tracker::new(self.region(), is_readable, tracking) {
                    Ok(tracker) => Ok(Tracked {
                        mapping: self,
                        tracker,
                    }),
                    Err(error) => Err(Failed::new(error, self)),
                }
            }
        }

        impl<A: Access> Tracked<$guard<A>> {
            fn is_readable(&self) -> bool {
                self.mapping.protection().contains(Protection::READ)
            }

            /// Iterates over the ranges that were written since the last mark. They still count as written
            /// afterwards.
            ///
            /// # Errors
            /// Each item may be an error, after which the iterator ends: `EPERM` in a child
            /// ([`Reason::OtherProcess`](crate::Reason::OtherProcess)), `ENOMEM`.
            ///
            /// ```
            #[doc = concat!("use unix_memory::{page_size, ", stringify!($guard), "};")]
            #[doc = $new]
            /// # #[allow(unused_mut, reason = "one of the two")]
            /// let Ok(mut tracked) = mapping.into_tracked() else { return Ok(()) };
            #[doc = $write]
            /// let page = page_size();
            /// for _twice in 0..2 {
            ///     assert_eq!(tracked.written().next().transpose()?, Some(page..2 * page));
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "PAGEMAP_SCAN")]
            pub fn written(&self) -> Written<'_> {
                let region = self.mapping.region();
                Written::new(&self.tracker, region, self.is_readable(), false)
            }

            /// Iterates over the ranges that were written since the last mark, and resets each: it counts
            /// as not written until it is written again.
            ///
            /// If the iterator is dropped before its end, the ranges that it did not return still count as
            /// written. (If it is [forgotten](core::mem::forget), some that it did not return may be lost.)
            /// [`Tracking::WriteProtect`] reads and resets each page in one step. [`Tracking::SoftDirty`]
            /// resets all pages when the iterator reaches its end, and none if the iterator is dropped
            /// before that; it can miss what another process writes meanwhile.
            ///
            /// A child that is made meanwhile has a copy of the iterator. There it fails with `EPERM`, and
            /// changes nothing in the parent.
            ///
            /// # Errors
            /// Those of [`written`](Self::written), and at the end those of [`mark`](Self::mark). After an
            /// error, the ranges that were not returned still count as written, and later answers may
            /// include pages that were not written.
            ///
            /// ```
            #[doc = concat!("use unix_memory::{page_size, ", stringify!($guard), "};")]
            #[doc = $new]
            /// # #[allow(unused_mut, reason = "one of the two")]
            /// let Ok(mut tracked) = mapping.into_tracked() else { return Ok(()) };
            #[doc = $write]
            /// let ranges = tracked.take().collect::<Result<Vec<_>, _>>()?;
            /// assert_eq!(ranges, [page_size()..2 * page_size()]);
            /// assert_eq!(tracked.take().count(), 0);
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "PAGEMAP_SCAN")]
            #[doc(alias = "PM_SCAN_WP_MATCHING")]
            pub fn take(&self) -> Written<'_> {
                let region = self.mapping.region();
                Written::new(&self.tracker, region, self.is_readable(), true)
            }

            /// Sets a new mark: every page counts as not written until it is written again.
            ///
            /// # Errors
            /// `EPERM` in a child ([`Reason::OtherProcess`](crate::Reason::OtherProcess)); `ENOMEM`, after
            /// which all pages count as written. With [`Tracking::SoftDirty`], `EIO` if the kernel cleared
            /// no bits, and the errors of opening `/proc/thread-self/clear_refs`; the pages that were
            /// written still count.
            ///
            /// ```
            #[doc = concat!("use unix_memory::{page_size, ", stringify!($guard), "};")]
            #[doc = $new]
            /// # #[allow(unused_mut, reason = "one of the two")]
            /// let Ok(mut tracked) = mapping.into_tracked() else { return Ok(()) };
            #[doc = $write]
            /// tracked.mark()?;
            /// assert_eq!(tracked.written().count(), 0);
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "UFFDIO_WRITEPROTECT")]
            #[doc(alias = "clear_refs")]
            pub fn mark(&self) -> Result<()> {
                self.tracker.mark(self.mapping.region(), self.is_readable())
            }

            /// Changes the protection of the pages, and the type with it. The pages stay tracked, and those
            /// that were written still count as written.
            ///
            /// # Errors
            #[doc = concat!("Those of [`", stringify!($guard), "::protect`]; the tracked mapping comes back in it.")]
            ///
            /// ```
            #[doc = concat!("use unix_memory::{ReadOnly, page_size, ", stringify!($guard), "};")]
            #[doc = $new]
            /// # #[allow(unused_mut, reason = "one of the two")]
            /// let Ok(mut tracked) = mapping.into_tracked() else { return Ok(()) };
            #[doc = $write]
            /// let tracked = tracked.protect(ReadOnly)?;
            /// assert_eq!(tracked.take().count(), 1);
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "mprotect")]
            #[allow(
                clippy::result_large_err,
                reason = "it gives the mapping back, and there is no allocator to box it by"
            )]
            pub fn protect<B: Access>(self, access: B) -> Result<Tracked<$guard<B>>, Failed<Self>> {
                let tracker = self.tracker;
                match self.mapping.protect(access) {
                    Ok(mapping) => Ok(Tracked { mapping, tracker }),
                    Err(failed) => {
                        let (error, mapping) = failed.into_parts();
                        Err(Failed::new(error, Self { mapping, tracker }))
                    }
                }
            }

            /// Stops tracking, and returns the mapping. Which pages were written is forgotten.
            ///
            /// ```
            #[doc = concat!("use unix_memory::{page_size, ", stringify!($guard), "};")]
            #[doc = $new]
            /// let Ok(tracked) = mapping.into_tracked() else { return Ok(()) };
            /// let mapping = tracked.untrack();
            /// assert_eq!(mapping.len(), 4 * page_size());
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "UFFDIO_UNREGISTER")]
            pub fn untrack(self) -> $guard<A> {
                self.tracker.stop(self.mapping.region());
                self.mapping
            }
        }

        impl<A: Access> fmt::Debug for Tracked<$guard<A>> {
            /// Shows the address, the length, the protection and the way; never content.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("Tracked")
                    .field("mapping", &self.mapping)
                    .field("tracking", &self.tracking())
                    .finish()
            }
        }
    };
}

tracked!(
    Mapping,
    "let mapping = Mapping::anonymous(4 * page_size())?;",
    "tracked[page_size()] = 1;"
);
tracked!(
    SharedMapping,
    "let mapping: SharedMapping<unix_memory::ReadWrite> =
    unix_memory::MapOptions::new().len(4 * page_size()).map_anonymous_shared(unix_memory::ReadWrite)?;",
    "tracked.write_at(page_size(), &[1])?;"
);

static_assertions::assert_impl_all!(Tracked<Mapping<Protection>>: Send, Sync, Unpin);
static_assertions::assert_impl_all!(Tracked<SharedMapping<Protection>>: Send, Sync, Unpin);
