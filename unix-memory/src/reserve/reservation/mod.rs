//! A range of addresses in which any pages can be committed.

mod commit;

use core::fmt;
use core::ops::{Range, RangeBounds};

use super::area::Area;
use super::ranges::Ranges;
use crate::advice::Advice;
use crate::error::{Arguments, Call, Error, Failed, Reason, Result};
use crate::lock::guard::LockGuard;
use crate::page::check_range;
use crate::region::ledger::Kind;

/// A range of addresses that nothing else can take, in which pages are committed and decommitted.
///
/// Reserving costs addresses, but no memory. Pages that are [committed](Self::commit) can be read
/// and written, and hold zeros at first; they take memory when they are used. Pages that are
/// [decommitted](Self::decommit) give it back, and cannot be accessed. Addresses never change, so
/// that pointers into committed pages stay valid while others are committed. Everything is unmapped
/// on drop.
///
/// Before and after the reservation are guards, which can never be accessed: an access beyond either end
/// raises SIGSEGV. On Linux since 6.13 a guard is part of the committed mapping beside it
/// (`MADV_GUARD_INSTALL`), unless the alignment is more than a page; elsewhere it stays `PROT_NONE`.
///
/// * **Length**: in whole pages. A reservation of no bytes makes no system calls.
/// * **References**: [`get`](Self::get) and [`get_mut`](Self::get_mut) return slices of what is
///   committed, according to the reservation's own record. Committing and decommitting take
///   `&mut self`, so no slice outlives its pages. Through the pointers of [`as_mut_ptr`](Self::as_mut_ptr)
///   an allocator can keep several objects at a time.
/// * **fork**: a child gets its own copy of everything.
/// * **Limits**: `RLIMIT_AS` counts what is reserved. What is committed counts toward `RLIMIT_DATA` and,
///   if memory is not overcommitted (`vm.overcommit_memory=2`), toward the system's limit on committed
///   memory (Linux keeps counting decommitted pages until the reservation is dropped). Toward the kernel's
///   limit of mappings (`vm.max_map_count`), each separate committed range counts as two. (Linux before
///   6.13 also counts pages that were used while they were separate, until the reservation is dropped.)
///   After `mlockall(MCL_FUTURE)`, `RLIMIT_MEMLOCK` counts what is reserved, and committed pages are
///   brought in at once.
/// * **Out of memory**: as with [`no_reserve`](crate::MapOptions::no_reserve), the kernel may end a
///   process that uses a committed page when no memory is left for it.
///
/// ```
/// use unix_memory::page_size;
/// use unix_memory::reserve::Reservation;
///
/// let page = page_size();
/// let mut heap = Reservation::new(1024 * page)?;
/// heap.commit(..2 * page)?;
/// heap.get_mut(..2 * page).unwrap().fill(1);
///
/// // More, elsewhere; the first page stays where it is.
/// heap.commit(100 * page..101 * page)?;
/// assert_eq!(heap.get(..1), Some(&[1][..]));
/// assert_eq!(heap.get(100 * page..).map(<[u8]>::len), None); // only its first page is committed
///
/// heap.decommit(..page)?;
/// assert!(heap.get(..1).is_none());
/// assert_eq!(heap.committed_bytes(), 2 * page);
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// A slice does not outlive its pages.
///
/// ```compile_fail,E0502
/// # use unix_memory::reserve::Reservation;
/// let mut heap = Reservation::new(1 << 20)?;
/// heap.commit(..)?;
/// let slice = heap.get(..1);
/// heap.decommit(..)?;
/// println!("{slice:?}");
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "PROT_NONE")]
#[doc(alias = "MAP_NORESERVE")]
#[doc(alias = "VirtualAlloc")]
#[must_use = "it is unmapped when it is dropped"]
#[doc(alias = "Reserved")]
#[doc(alias = "ReservedMut")]
#[doc(alias = "ReservedNone")]
pub struct Reservation {
    area: Area,
    /// The pages that can be accessed.
    committed: Ranges,
    /// The pages that may hold something other than zeros when they are committed.
    used: Ranges,
}

impl Reservation {
    /// Reserves `len` bytes of addresses, rounded up to whole pages.
    ///
    /// Source: mmap(2), POSIX.1-2024.
    ///
    /// # Errors
    /// `ENOMEM` for more than `isize::MAX` bytes, guards included ([`Reason::LengthLimit`]), for more than
    /// the address space or its limit (`RLIMIT_AS`) allows, and at the kernel's limit of mappings
    /// (`vm.max_map_count`); `EAGAIN` over the limit on locked memory ([`Reason::LockLimit`] on Linux),
    /// after `mlockall(MCL_FUTURE)`; `ENOSYS` if the system enforces no protections
    /// ([`Reason::NotEnforced`]).
    ///
    /// # Platform
    /// `PROT_NONE`, and `MAP_NORESERVE` on Linux, Android, Apple's systems, NetBSD, OpenBSD, illumos
    /// and Solaris. (FreeBSD's `MAP_GUARD` reserves addresses that `mprotect` cannot open; it is not
    /// used.) Emscripten, L4Re, NuttX and RTEMS enforce no protections: reserving would take all of
    /// the memory at once, and close none of it.
    ///
    /// ```
    /// use unix_memory::reserve::Reservation;
    ///
    /// let reservation = Reservation::new(1 << 24)?;
    /// assert_eq!((reservation.len(), reservation.committed_bytes()), (1 << 24, 0));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mmap")]
    pub fn new(len: usize) -> Result<Self> {
        Self::with_alignment(len, 1)
    }

    /// Like [`new`](Self::new), with a first address that is a multiple of `alignment` bytes, a power of
    /// two.
    ///
    /// With the alignment of a huge page, and [`Advice::HugePage`], committed memory is in
    /// transparent huge pages.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); `EINVAL` for an alignment that is not a power of two
    /// ([`Reason::PowerOfTwo`]); `ENOMEM` for one that leaves too few addresses
    /// ([`Reason::AlignmentLimit`]).
    ///
    /// ```
    /// use unix_memory::reserve::Reservation;
    ///
    /// let reservation = Reservation::with_alignment(1 << 24, 2 << 20)?;
    /// assert_eq!(reservation.as_ptr().addr() % (2 << 20), 0);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn with_alignment(len: usize, alignment: usize) -> Result<Self> {
        Ok(Self {
            area: Area::new(len, alignment)?,
            committed: Ranges::default(),
            used: Ranges::default(),
        })
    }

    /// Returns how many bytes are reserved, in whole pages.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.area.len()
    }

    /// Returns whether no bytes are reserved.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.area.len() == 0
    }

    /// Returns the first address, which never changes. Only committed pages can be accessed.
    #[must_use]
    pub const fn as_ptr(&self) -> *const u8 {
        self.area.start().as_ptr()
    }

    /// Returns the first address, for writing. Only committed pages can be accessed.
    ///
    /// A pointer into pages that stay committed is valid until the reservation is dropped.
    #[must_use]
    pub const fn as_mut_ptr(&mut self) -> *mut u8 {
        self.area.start().as_ptr()
    }

    /// Returns whether every page that holds a byte of `range` is committed; false for a range that
    /// does not lie in the reservation.
    #[must_use]
    pub fn is_committed(&self, range: impl RangeBounds<usize>) -> bool {
        self.committed_range(&range).is_some()
    }

    /// Returns `range`, if all of it is committed.
    fn committed_range(&self, range: &impl RangeBounds<usize>) -> Option<Range<usize>> {
        let range = check_range(Call::Mprotect, range, self.len()).ok()?;
        self.committed.contains(&range).then_some(range)
    }

    /// Iterates over the committed ranges, in bytes from the start, in order; any two of them have
    /// uncommitted pages between them.
    ///
    /// ```
    /// use unix_memory::page_size;
    /// use unix_memory::reserve::Reservation;
    ///
    /// let page = page_size();
    /// let mut reservation = Reservation::new(10 * page)?;
    /// reservation.commit(3 * page..5 * page)?;
    /// reservation.commit(..1)?;
    /// assert!(reservation.committed().eq([0..page, 3 * page..5 * page]));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[must_use]
    pub fn committed(&self) -> impl ExactSizeIterator<Item = Range<usize>> + Clone + '_ {
        self.committed.iter()
    }

    /// Returns how many bytes are committed.
    #[must_use]
    pub fn committed_bytes(&self) -> usize {
        self.committed.bytes()
    }

    /// Returns the bytes of `range`, or `None` if one of them is not committed.
    #[must_use]
    pub fn get(&self, range: impl RangeBounds<usize>) -> Option<&[u8]> {
        let range = self.committed_range(&range)?;
        // SAFETY: the range lies in the area. [inside]
        let start = unsafe { self.area.start().add(range.start) };
        // SAFETY: the bytes are open, as what is committed is, and hold what was written to them, or
        // zeros; they are at most `isize::MAX`. Nobody else has the memory; they are written, and
        // closed, only through an exclusive borrow of `self`, and unmapped when it is dropped.
        // [open, owned, borrowed]
        Some(unsafe { core::slice::from_raw_parts(start.as_ptr(), range.len()) })
    }

    /// Returns the bytes of `range`, for writing, or `None` if one of them is not committed.
    #[must_use]
    pub fn get_mut(&mut self, range: impl RangeBounds<usize>) -> Option<&mut [u8]> {
        let range = self.committed_range(&range)?;
        // SAFETY: the range lies in the area. [inside]
        let start = unsafe { self.area.start().add(range.start) };
        // SAFETY: as for `get`; the borrow is exclusive. [open, owned, borrowed]
        Some(unsafe { core::slice::from_raw_parts_mut(start.as_ptr(), range.len()) })
    }

    /// Gives advice on the pages that hold a byte of `range`, whether they are committed or not.
    ///
    /// `range` is in bytes from the start of the reservation and is rounded outward to pages. Pages keep
    /// advice about their use when they are committed or decommitted. Source: madvise(2).
    ///
    /// # Errors
    /// Those of [`Mapping::advise_range`](crate::Mapping::advise_range).
    ///
    /// ```
    /// use unix_memory::Advice;
    /// use unix_memory::reserve::Reservation;
    ///
    /// let reservation = Reservation::with_alignment(1 << 30, 2 << 20)?;
    /// let _not_everywhere = reservation.advise_range(.., Advice::HugePage);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "madvise")]
    pub fn advise_range(&self, range: impl RangeBounds<usize>, advice: Advice) -> Result<()> {
        let range = check_range(Call::Madvise, &range, self.len())?;
        let pages = self.area.in_region(&range);
        let advised = self.area.region().advise(&pages, advice);
        advised.map_err(|error| error.of(Arguments::range(&range)))
    }

    /// Keeps the pages that hold a byte of `range`, which are committed, in memory while the guard
    /// lives.
    ///
    /// # Errors
    /// Those of [`Mapping::lock_range`](crate::Mapping::lock_range); `ENOMEM` if a page is not committed
    /// ([`Reason::NotCommitted`]).
    ///
    /// ```
    /// use unix_memory::reserve::Reservation;
    ///
    /// let mut reservation = Reservation::new(1 << 24)?;
    /// reservation.commit(..100)?;
    /// let guard = reservation.lock_range(..100)?;
    /// # drop(guard);
    /// assert!(reservation.lock_range(..).is_err());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mlock")]
    pub fn lock_range(&self, range: impl RangeBounds<usize>) -> Result<LockGuard<'_>> {
        let range = check_range(Call::Mlock, &range, self.len())?;
        let arguments = Arguments::range(&range);
        if !self.committed.contains(&range) {
            let reason = Reason::NotCommitted;
            return Err(Error::new(Call::Mlock, libc::ENOMEM, arguments, reason));
        }
        let pages = self.area.in_region(&range);
        let locked = LockGuard::new(self.area.region(), &pages, Kind::Full);
        locked.map_err(|error| error.of(arguments))
    }

    /// Unmaps now, and reports an error if the kernel refuses, which a drop cannot do.
    ///
    /// # Errors
    /// Those of [`Mapping::unmap`](crate::Mapping::unmap): the reservation comes back inside the error.
    #[doc(alias = "munmap")]
    #[allow(clippy::result_large_err, reason = "the reservation itself comes back")]
    pub fn unmap(self) -> Result<(), Failed<Self>> {
        let Self {
            area,
            committed,
            used,
        } = self;
        area.unmap().map_err(|(error, area)| {
            let reservation = Self {
                area,
                committed,
                used,
            };
            Failed::new(error, reservation)
        })
    }
}

impl fmt::Debug for Reservation {
    /// Shows the address and the lengths; never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("address", &self.as_ptr())
            .field("len", &self.len())
            .field("committed_bytes", &self.committed_bytes())
            .finish()
    }
}

static_assertions::assert_impl_all!(Reservation: Send, Sync, Unpin);
