//! Committing and decommitting pages.

use core::ops::{Range, RangeBounds};

use super::Reservation;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::page::{check_range, page_size, round_down, round_up};

impl Reservation {
    /// Makes the pages that hold a byte of `range` readable and writable.
    ///
    /// `range` is in bytes from the start of the reservation, and is rounded outward to pages. Pages that
    /// were not committed hold zeros; those that were keep what they hold. Each part that was not
    /// committed takes one system call. (The first part takes one more, as does the first that reaches
    /// the guard before or after the reservation, and each part where the stack of the main thread may be
    /// near.)
    ///
    /// Source: mprotect(2), POSIX.1-2024.
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in the reservation ([`Reason::MappingLength`]); `ENOMEM`
    /// over the limit on data (`RLIMIT_DATA`), at the kernel's limit of mappings (`vm.max_map_count`),
    /// and if memory is short and not overcommitted ([`Reason::CommitLimit`]); `EACCES` if the stack of
    /// the main thread has grown up to the pages ([`Reason::Stack`]).
    ///
    /// After an error, nothing has changed. (Pages between others that were already committed may stay
    /// committed if the kernel, at its limit of mappings, cannot close them again.)
    ///
    /// # Platform
    /// On systems that cannot drop pages at once (all except Linux and Android), this fills pages that
    /// were decommitted before with zeros, which takes memory.
    ///
    /// ```
    /// use unix_memory::page_size;
    /// use unix_memory::reserve::Reservation;
    ///
    /// let mut reservation = Reservation::new(10 * page_size())?;
    /// reservation.commit(..1)?; // a page
    /// assert!(reservation.get(..).is_none()); // nine pages are not committed
    /// reservation.get_mut(..page_size()).unwrap().fill(7);
    /// reservation.commit(..)?;
    /// assert_eq!(reservation.get(..).unwrap()[page_size() - 1..][..2], [7, 0]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mprotect")]
    #[doc(alias = "MEM_COMMIT")]
    pub fn commit(&mut self, range: impl RangeBounds<usize>) -> Result<()> {
        let range = check_range(Call::Mprotect, &range, self.len())?;
        if range.is_empty() {
            return Ok(());
        }
        let range = round_down(range.start)..round_up(range.end);
        if self.committed.contains(&range) {
            return Ok(());
        }
        self.committed.reserve_one()?;
        self.used.reserve_one()?;
        let mut at = range.start;
        while let Some(gap) = self.committed.next_gap(at, range.end) {
            // SAFETY: what is not committed is closed. [open]
            if let Err(error) = unsafe { self.area.open(&gap) } {
                self.undo_commit(&(range.start..gap.start));
                return Err(error);
            }
            at = gap.end;
        }
        let mut at = range.start;
        while let Some(gap) = self.committed.next_gap(at, range.end) {
            self.clear(&gap);
            at = gap.end;
        }
        self.used.remove(&range);
        self.committed.insert(&range);
        Ok(())
    }

    /// Closes the parts of `range`, whole pages, that were opened.
    #[cold]
    fn undo_commit(&mut self, range: &Range<usize>) {
        let mut at = range.start;
        while let Some(gap) = self.committed.next_gap(at, range.end) {
            at = gap.end;
            // SAFETY: it was opened just now, and nothing refers to it. [open]
            if unsafe { self.area.close(&gap) }.is_err() {
                // It touches the committed range behind it, because the next gap could not be opened:
                // no room is needed.
                self.clear(&gap);
                self.committed.insert(&gap);
            }
        }
    }

    /// Fills `gap`, which was opened just now, with zeros where it may hold something else.
    fn clear(&self, gap: &Range<usize>) {
        let mut at = gap.start;
        while let Some(part) = self.used.next(at, gap.end) {
            // SAFETY: the part lies in the area. [inside]
            let start = unsafe { self.area.start().add(part.start) };
            // SAFETY: it is open, and nothing refers to it. [open, borrowed]
            unsafe { start.write_bytes(0, part.len()) };
            at = part.end;
        }
    }

    /// Gives the memory of the pages in `range` back. They cannot be accessed until they are committed
    /// again; then they hold zeros.
    ///
    /// `range` is in bytes from the start of the reservation, and is never rounded: it must begin and end
    /// at page boundaries. Pages in it that are not committed stay uncommitted.
    ///
    /// Source: mprotect(2), madvise(2).
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in the reservation ([`Reason::MappingLength`]), or is not
    /// whole pages ([`Reason::Unaligned`]); `ENOMEM` at the kernel's limit of mappings
    /// (`vm.max_map_count`). Nothing has changed then. (Of several committed ranges, some may stay
    /// decommitted if the kernel, at a limit, cannot open them again.)
    ///
    /// # Platform
    /// On Linux the memory is freed at once (`MADV_DONTNEED`; pages that are locked, since Linux 5.18).
    /// Elsewhere `MADV_FREE`, if it exists, lets the system take the memory when it needs some.
    ///
    /// ```
    /// use unix_memory::page_size;
    /// use unix_memory::reserve::Reservation;
    ///
    /// let mut reservation = Reservation::new(2 * page_size())?;
    /// reservation.commit(..)?;
    /// reservation.get_mut(..).unwrap().fill(7);
    /// reservation.decommit(page_size()..)?;
    /// assert!(reservation.decommit(..1).is_err()); // a part of a page
    /// reservation.commit(..)?;
    /// assert_eq!(reservation.get(page_size() - 1..=page_size()), Some(&[7, 0][..]));
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "madvise")]
    #[doc(alias = "MADV_DONTNEED")]
    #[doc(alias = "MEM_DECOMMIT")]
    pub fn decommit(&mut self, range: impl RangeBounds<usize>) -> Result<()> {
        let range = check_range(Call::Mprotect, &range, self.len())?;
        if range.is_empty() {
            return Ok(());
        }
        if range.start % page_size() != 0 || range.end % page_size() != 0 {
            let (arguments, reason) = (Arguments::range(&range), Reason::Unaligned(page_size()));
            return Err(Error::new(Call::Mprotect, libc::EINVAL, arguments, reason));
        }
        let Some(first) = self.committed.next(range.start, range.end) else {
            return Ok(());
        };
        self.committed.reserve_one()?;
        self.used.reserve_one()?;
        let mut at = first.start;
        while let Some(part) = self.committed.next(at, range.end) {
            // SAFETY: it is committed, so open; nothing refers to it, as `self` is borrowed
            // exclusively. [open, borrowed]
            if let Err(error) = unsafe { self.area.close(&part) } {
                self.undo_decommit(&(first.start..part.start));
                return Err(error);
            }
            at = part.end;
        }
        // The pages between them are closed too, and hold nothing.
        let all = first.start..at;
        self.committed.remove(&all);
        // SAFETY: it is closed, and whoever commits it again expects zeros. [open]
        if !unsafe { self.area.give_back(&all) } {
            self.used.insert(&all);
        }
        Ok(())
    }

    /// Opens the parts of `range`, whole pages, that were closed.
    #[cold]
    fn undo_decommit(&mut self, range: &Range<usize>) {
        let mut at = range.start;
        while let Some(part) = self.committed.next(at, range.end) {
            at = part.end;
            // SAFETY: it was closed just now. [open]
            if unsafe { self.area.open(&part) }.is_err() {
                // It ends where its range ends, because more parts follow: no room is needed.
                self.committed.remove(&part);
                self.used.insert(range);
            }
        }
    }
}
