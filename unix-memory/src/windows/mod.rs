//! A file that is mapped piece by piece, because it is larger than the address space, or should not
//! be mapped all at once.

pub mod window;

use core::fmt;
use core::iter::FusedIterator;
use core::ops::Range;
use std::os::fd::AsFd;

use unix_memory_sys as sys;

use self::window::Window;
use crate::advice::Advice;
use crate::bytes::read::{Extent, Source, read};
use crate::bytes::way::{Way, leaves_another_way};
use crate::error::{Arguments, Call, Error, FileKind, Reason, Result};
use crate::map::facts::Facts;
use crate::map::options::MapOptions;
use crate::os;
use crate::page::{max_len, page_size};
use crate::protection::ReadOnly;
use crate::shared::SharedMapping;

/// An iterator over a file, in windows that are mapped one after another.
///
/// Each [`Window`] is a [`SharedMapping`], which stays mapped until it is dropped: in a `for` loop, at
/// the end of each iteration. In such a loop, at most two windows are mapped at a time: the one in use
/// and the next one, which the kernel is asked to read ahead. File offsets have 64 bits on every system,
/// so a program with 32-bit addresses can read a file of any length.
///
/// Windows begin at multiples of their size in the file. So the first one is shorter if the start is not
/// such a multiple, and so is the last one if the end is not.
///
/// If the file system maps files only privately ([`Reason::PrivateOnly`]), windows are private mappings,
/// which show the same bytes. A regular file that cannot be mapped at all ([`Reason::NoMappings`]), such
/// as one in /proc, is read: each window is then anonymous memory, which holds the bytes as they were
/// when it was returned. [`Window::way`] returns which of these it is.
///
/// # Files that change
/// The file's length is read again before each window.
/// * A file that **grows** is read to its new end, if it grows before the iteration has ended.
/// * A file that **shrinks** ends at its new end, if that is not before the end of the last window. If
///   the file is now shorter than that, or than [`end_at`](Self::end_at) requires, the next item is an
///   error ([`Reason::FileLength`]), and is the last one.
/// * A window that loses pages *after* it was returned is like any other mapping of a file that is
///   truncated: see [`SharedMapping`]. A window that was read is not affected.
/// * A file that cannot be mapped and **reports a wrong length** is read to its real end: files in
///   /proc report 0, those in /sys a page.
///
/// ```
/// use unix_memory::Windows;
///
/// let program = std::fs::File::open(std::env::current_exe()?)?;
/// let (mut bytes, mut zeros) = (0, 0);
/// for window in Windows::new(&program, 1 << 20)? {
///     let window = window?.to_vec()?;
///     bytes += window.len() as u64;
///     zeros += window.iter().filter(|&&byte| byte == 0).count();
/// }
/// assert_eq!(bytes, program.metadata()?.len());
/// # Ok::<(), std::io::Error>(())
/// ```
#[doc(alias = "mmap")]
#[must_use = "nothing is mapped until it is asked for a window"]
pub struct Windows<F: AsFd> {
    file: F,
    /// The size in bytes of a whole window: a multiple of the file's page size.
    size: usize,
    /// The offset of the next window.
    next: u64,
    /// The offset at which the last window ends; `None` for the end of the file.
    end: Option<u64>,
    read_ahead: bool,
    drop_behind: bool,
    /// The next window, if already mapped.
    ahead: Option<Window>,
    /// The window that was returned last, if it should be dropped from memory.
    behind: Range<u64>,
    is_done: bool,
    /// The length that the file first reported: files without a length report zero.
    first_len: u64,
    /// How windows come into memory, as far as known.
    way: Way,
}

impl<F: AsFd> Windows<F> {
    /// Makes an iterator over a whole file, open for reading, in windows of `size` bytes. `size` is
    /// rounded up to whole pages of the file, which may be huge pages, and is at least one page. The
    /// file may be passed by reference or by value.
    ///
    /// # Errors
    /// `ENODEV`: the file cannot be mapped, for example a directory or a pipe
    /// ([`Reason::NotMappable`]); `ENOMEM`: a window is longer than any mapping can be
    /// ([`Reason::LengthLimit`]).
    ///
    /// Other errors of [`MapOptions::map_shared`] are returned with the first window; so is `EINVAL`
    /// for a file that reports no length and needs an [end](Self::end_at) ([`Reason::LengthNeeded`]).
    pub fn new(file: F, size: usize) -> Result<Self> {
        let facts = Facts::of(file.as_fd())?;
        let refuse = |errno, reason| {
            Err(Error::new(
                Call::Mmap,
                errno,
                arguments(0, Some(size)),
                reason,
            ))
        };
        if let FileKind::Directory | FileKind::Pipe = facts.kind {
            return refuse(libc::ENODEV, Reason::NotMappable(facts.kind));
        }
        let unit = facts.huge_page.unwrap_or(page_size());
        match size.max(1).checked_next_multiple_of(unit) {
            Some(size) if size <= max_len() => Ok(Self {
                file,
                size,
                next: 0,
                end: None,
                read_ahead: true,
                drop_behind: false,
                ahead: None,
                behind: 0..0,
                is_done: false,
                first_len: facts.len,
                way: Way::MappedShared,
            }),
            _ => refuse(libc::ENOMEM, Reason::LengthLimit(max_len())),
        }
    }

    /// Begins at this offset in the file, in bytes, instead of at 0. (In a file of huge pages it must
    /// be a multiple of their size.)
    pub fn start_at(mut self, offset: u64) -> Self {
        self.next = offset;
        self.ahead = None;
        self
    }

    /// Ends at this offset in the file, in bytes, instead of at the end of the file. Required, except
    /// for regular files, and for block devices on Linux and Android.
    pub fn end_at(mut self, offset: u64) -> Self {
        self.end = Some(offset);
        self
    }

    /// Sets whether the window after the current one is also mapped, and the kernel asked to read it
    /// now ([`Advice::WillNeed`]). This is the default; turn it off if only a few bytes of each
    /// window are read. Windows of a file that cannot be mapped are not read ahead.
    #[doc(alias = "MADV_WILLNEED")]
    pub fn read_ahead(mut self, yes: bool) -> Self {
        self.read_ahead = yes;
        self.ahead = None;
        self
    }

    /// Sets whether to advise the kernel, when the next window is requested, that the memory of the
    /// last one is no longer needed, so that a file which is read once does not push other data out
    /// of memory. This is off by default: other programs may need the file's pages soon.
    ///
    /// This is a hint, and changes no content. Pages that any process has mapped stay.
    ///
    /// # Platform
    /// `posix_fadvise` on Linux, Android and FreeBSD; no effect elsewhere.
    #[doc(alias = "posix_fadvise")]
    #[doc(alias = "POSIX_FADV_DONTNEED")]
    pub fn drop_behind(mut self, yes: bool) -> Self {
        self.drop_behind = yes;
        self
    }

    /// Returns the size of a whole window in bytes.
    #[must_use]
    pub const fn window_size(&self) -> usize {
        self.size
    }

    /// Returns the offset in the file at which the next window begins, in bytes.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.next
    }

    /// Returns the next window; `None` at the end.
    fn advance(&mut self) -> Result<Option<Window>> {
        self.drop_last();
        let facts = Facts::of(self.file.as_fd())?;
        if facts.len == 0 && facts.kind == FileKind::Regular && facts.huge_page.is_none() {
            // The file reports that it is empty; if it cannot be mapped, that may be wrong.
            drop(self.map(&facts, 0, None)?);
        }
        let end = self.end_in(&facts)?;
        let len = self.len_at(self.next, end);
        let offset = self.next;
        let window = match self.ahead.take() {
            _ if len == 0 => return Ok(None),
            // This holds unless the file's length has changed in the meantime.
            Some(window) if window.offset() == offset && window.len() == len => window,
            _ => self.window(&facts, offset, len)?,
        };
        if window.is_empty() {
            return Ok(None);
        }
        self.next += window.len() as u64;
        if self.drop_behind {
            self.behind = offset..self.next;
        }
        let len = self.len_at(self.next, end);
        if self.read_ahead && len > 0 {
            // If it cannot be mapped now, the error is reported when its turn comes.
            let ahead = self.map(&facts, self.next, Some(len)).ok().flatten();
            self.ahead = ahead.map(|mapping| Window::new(self.next, mapping, self.way));
            if let Some(window) = &self.ahead {
                let _only_a_hint = window.advise(Advice::WillNeed);
            }
        }
        Ok(Some(window))
    }

    /// Returns the window at `offset`, of `len` bytes; fewer, or none, if the file is read and ends
    /// earlier.
    #[cold]
    fn window(&mut self, facts: &Facts, offset: u64, len: usize) -> Result<Window> {
        if let Some(mapping) = self.map(facts, offset, Some(len))? {
            return Ok(Window::new(offset, mapping, self.way));
        }
        let expected = facts.len.saturating_sub(offset);
        let source = Source::at(self.file.as_fd(), offset);
        let bytes = read(source, Extent::UpTo(len), expected, false)?;
        if bytes.len() < len && self.end.is_some() {
            let reason = Reason::FileLength(offset + bytes.len() as u64);
            let arguments = arguments(offset, Some(len));
            return Err(Error::new(Call::ReadFile, libc::ENXIO, arguments, reason));
        }
        Ok(Window::new(offset, bytes.into(), self.way))
    }

    /// Maps `len` bytes at `offset`, or to the end of the file, in the first way that works; `None` if
    /// the file must be read.
    fn map(
        &mut self,
        facts: &Facts,
        offset: u64,
        len: Option<usize>,
    ) -> Result<Option<SharedMapping<ReadOnly>>> {
        let mut options = MapOptions::new().offset(offset);
        if let Some(len) = len {
            options = options.len(len);
        }
        loop {
            let (sharing, next) = match self.way {
                Way::MappedShared => (sys::MAP_SHARED, Way::MappedPrivate),
                Way::MappedPrivate => (sys::MAP_PRIVATE, Way::Read),
                _ => return Ok(None),
            };
            let fd = self.file.as_fd();
            match options.map_known(fd, facts, ReadOnly, sharing) {
                Err(error) if facts.kind == FileKind::Regular && leaves_another_way(&error) => {
                    self.way = next;
                }
                mapping => return mapping.map(Some),
            }
        }
    }

    /// Returns where the last window ends, as the file is now; `u64::MAX` if only reading shows that.
    fn end_in(&self, facts: &Facts) -> Result<u64> {
        let refuse = |errno, reason| {
            let len = self
                .end
                .and_then(|end| usize::try_from(end.checked_sub(self.next)?).ok());
            Err(Error::new(
                Call::Mmap,
                errno,
                arguments(self.next, len),
                reason,
            ))
        };
        match (facts.kind, self.end) {
            (FileKind::Regular, end)
                if facts.len == 0 && self.first_len == 0 && self.way == Way::Read =>
            {
                Ok(end.unwrap_or(u64::MAX))
            }
            (_, end) => match (facts.end, end) {
                // What was returned and what was requested must be there.
                (Some(len), end) if len < self.next.max(end.unwrap_or(0)) => {
                    refuse(libc::ENXIO, Reason::FileLength(len))
                }
                (_, Some(end)) | (Some(end), None) => Ok(end),
                (None, None) => refuse(libc::EINVAL, Reason::LengthNeeded(facts.kind)),
            },
        }
    }

    /// Returns the length of the window at `offset`: to the next multiple of the size, or to `end`.
    fn len_at(&self, offset: u64, end: u64) -> usize {
        let size = self.size as u64;
        let len = (size - offset % size).min(end.saturating_sub(offset));
        #[allow(clippy::cast_possible_truncation, reason = "at most the size, a usize")]
        let len = len as usize;
        len
    }

    /// Drops the pages of the last window from memory; they stay if the reader has not dropped the
    /// window.
    fn drop_last(&mut self) {
        if !self.behind.is_empty() {
            os::drop_behind(self.file.as_fd(), &self.behind);
            self.behind = 0..0;
        }
    }
}

const fn arguments(offset: u64, len: Option<usize>) -> Arguments {
    Arguments::File { offset, len }
}

impl<F: AsFd> Iterator for Windows<F> {
    type Item = Result<Window>;

    /// # Errors
    /// Those of [`MapOptions::map_shared`], or of
    /// [`FileBytesOptions::load`](crate::FileBytesOptions::load) if the file is read; `ENXIO` with
    /// [`Reason::FileLength`] if the file has shrunk; `EINVAL` with [`Reason::LengthNeeded`] for a file
    /// that reports no length, without an end. After an error there are no more windows.
    fn next(&mut self) -> Option<Result<Window>> {
        if self.is_done {
            return None;
        }
        match self.advance() {
            Ok(Some(window)) => Some(Ok(window)),
            end => {
                self.is_done = true;
                end.transpose()
            }
        }
    }
}

impl<F: AsFd> FusedIterator for Windows<F> {}

impl<F: AsFd> Drop for Windows<F> {
    fn drop(&mut self) {
        self.drop_last();
    }
}

impl<F: AsFd> fmt::Debug for Windows<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Windows")
            .field("file", &self.file.as_fd())
            .field("size", &self.size)
            .field("next", &self.next)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
