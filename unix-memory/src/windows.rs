//! A file that is mapped piece after piece, because it is larger than the address space, or than
//! one wants to have mapped.

use core::fmt;
use core::iter::FusedIterator;
use core::ops::{Deref, Range};
use std::os::fd::AsFd;

use crate::advice::Advice;
use crate::error::{Arguments, Call, Error, FileKind, Reason, Result};
use crate::file::Facts;
use crate::options::MapOptions;
use crate::os;
use crate::page::{max_len, page_size};
use crate::protection::ReadOnly;
use crate::shared::SharedMapping;

/// An iterator over a file, in windows that are mapped one after the other.
///
/// Each [`Window`] is a [`SharedMapping`], which lasts as long as it is kept: in a `for` loop, one
/// round. At most two are mapped by the iterator itself and the loop: the one that is being read and
/// the one after it, which the kernel is asked to read ahead. File offsets have 64 bits everywhere,
/// so that a program with 32-bit addresses reads a file of any length.
///
/// Windows begin at multiples of their size in the file. So the first is shorter if the start is not
/// such a multiple, and the last if the end is not.
///
/// A file system that maps files privately only ([`Reason::PrivateOnly`]) gets private mappings, which
/// show the same bytes: [`is_private`](Self::is_private).
///
/// # Files that change
/// The file's length is read again before each window.
/// * One that **grows** is read to its new end, if that comes before the iteration has ended.
/// * One that **shrinks**, but not to before what was handed out, ends there. If it is now shorter
///   than what was handed out, or than [`end_at`](Self::end_at) says, the next item is an error
///   ([`Reason::FileLength`]) and the last one.
/// * A window that loses pages *after* it was handed out is like any other mapping of a file that is
///   truncated: see [`SharedMapping`].
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
    /// Bytes in a whole window: a multiple of the pages of the file.
    size: usize,
    /// Where the next window begins.
    next: u64,
    /// Where the last one ends, if that was said; else where the file does.
    end: Option<u64>,
    read_ahead: bool,
    drop_behind: bool,
    /// The next window, mapped already.
    ahead: Option<Window>,
    /// The window that was handed out last, if it is to be dropped from memory.
    behind: Range<u64>,
    is_done: bool,
    sharing: Sharing,
}

/// How windows are mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    Shared,
    /// Since the file system maps in no other way.
    Private,
}

/// A piece of a file, mapped for reading: a [`SharedMapping`] that knows where in the file it
/// begins. From [`Windows`].
#[derive(Debug)]
#[must_use = "it is unmapped when it is dropped"]
pub struct Window {
    offset: u64,
    mapping: SharedMapping<ReadOnly>,
}

impl<F: AsFd> Windows<F> {
    /// Windows of `size` bytes over a whole file, open for reading; `size` is rounded up to whole
    /// pages (of the file, which may have huge ones), and is at least one. The file may be given as
    /// a reference, or for good.
    ///
    /// # Errors
    /// `ENODEV`: what it is cannot be mapped, as a directory or a pipe ([`Reason::NotMappable`]);
    /// `ENOMEM`: a window is longer than any mapping can be ([`Reason::LengthLimit`]).
    ///
    /// What else [`MapOptions::map_shared`] refuses, the first window tells; and `EINVAL` that
    /// anything but a regular file needs an [end](Self::end_at) ([`Reason::LengthNeeded`]).
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
                sharing: Sharing::Shared,
            }),
            _ => refuse(libc::ENOMEM, Reason::LengthLimit(max_len())),
        }
    }

    /// Begin at this offset in the file, in bytes, rather than at 0. (In a file of huge pages it must
    /// be at one of them.)
    pub fn start_at(mut self, offset: u64) -> Self {
        self.next = offset;
        self.ahead = None;
        self
    }

    /// End at this offset in the file, in bytes, rather than where the file ends. Anything but a
    /// regular file needs it, as a block device.
    pub fn end_at(mut self, offset: u64) -> Self {
        self.end = Some(offset);
        self
    }

    /// Map the window after the one that is being read too, and ask the kernel to read it now
    /// ([`Advice::WillNeed`]). That is so unless it is turned off: for windows of which few bytes
    /// are read.
    #[doc(alias = "MADV_WILLNEED")]
    pub fn read_ahead(mut self, yes: bool) -> Self {
        self.read_ahead = yes;
        self.ahead = None;
        self
    }

    /// Tell the kernel, when the next window is asked for, that the memory of the last one is of no
    /// more use, so that a file which is read once does not drive out what others have in memory.
    /// That is not so unless it is asked for: others may want the file's pages soon.
    ///
    /// It is a hint, and changes no content. Pages that anybody has mapped stay.
    ///
    /// # Platform
    /// `posix_fadvise` on Linux, Android and FreeBSD; elsewhere without effect.
    #[doc(alias = "posix_fadvise")]
    #[doc(alias = "POSIX_FADV_DONTNEED")]
    pub fn drop_behind(mut self, yes: bool) -> Self {
        self.drop_behind = yes;
        self
    }

    /// The size of a whole window in bytes.
    #[must_use]
    pub const fn window_size(&self) -> usize {
        self.size
    }

    /// Where in the file the next window begins, in bytes.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.next
    }

    /// The next window: `None` at the end.
    fn advance(&mut self) -> Result<Option<Window>> {
        self.drop_last();
        let end = self.current_end()?;
        let len = self.len_at(self.next, end);
        if len == 0 {
            if end == 0 && self.end.is_none() {
                // It says that it is empty; if it cannot be mapped, that may not be so.
                drop(self.window(0, None)?);
            }
            return Ok(None);
        }
        let offset = self.next;
        let window = match self.ahead.take() {
            // Unless the file has changed its length meanwhile.
            Some(window) if window.offset == offset && window.len() == len => window,
            _ => self.window(offset, Some(len))?,
        };
        self.next += len as u64;
        if self.drop_behind {
            self.behind = offset..self.next;
        }
        let len = self.len_at(self.next, end);
        if self.read_ahead && len > 0 {
            // If it cannot be mapped now, that is told when its turn has come.
            self.ahead = self.window(self.next, Some(len)).ok();
            if let Some(window) = &self.ahead {
                let _only_a_hint = window.advise(Advice::WillNeed);
            }
        }
        Ok(Some(window))
    }

    /// Whether windows are private mappings, since the file system has no others. Known once there was
    /// a window.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        matches!(self.sharing, Sharing::Private)
    }

    /// The window at `offset`, of `len` bytes or to the end of the file.
    fn window(&mut self, offset: u64, len: Option<usize>) -> Result<Window> {
        let mut options = MapOptions::new().offset(offset);
        options.len = len;
        if self.sharing == Sharing::Shared {
            match options.map_shared(&self.file, ReadOnly) {
                Err(error) if error.reason() == Reason::PrivateOnly => {
                    self.sharing = Sharing::Private;
                }
                mapping => return mapping.map(|mapping| Window { offset, mapping }),
            }
        }
        let mapping = options.map_private(&self.file, ReadOnly)?;
        Ok(Window { offset, mapping })
    }

    /// Where the last window ends, as the file is now.
    fn current_end(&self) -> Result<u64> {
        let facts = Facts::of(self.file.as_fd())?;
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
            (FileKind::Regular, end) => {
                // What was handed out, and what was asked for.
                if facts.len < self.next.max(end.unwrap_or(0)) {
                    return refuse(libc::ENXIO, Reason::FileLength(facts.len));
                }
                Ok(end.unwrap_or(facts.len))
            }
            (_, Some(end)) => Ok(end),
            (kind, None) => refuse(libc::EINVAL, Reason::LengthNeeded(kind)),
        }
    }

    /// The length of the window at `offset`: to the next multiple of the size, or to `end`.
    fn len_at(&self, offset: u64, end: u64) -> usize {
        let size = self.size as u64;
        let len = (size - offset % size).min(end.saturating_sub(offset));
        #[allow(clippy::cast_possible_truncation, reason = "at most the size, a usize")]
        let len = len as usize;
        len
    }

    /// Drops the pages of the last window, which the reader has dropped, or else they stay.
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
    /// As [`MapOptions::map_shared`]; `ENXIO` with [`Reason::FileLength`] where the file has shrunk;
    /// `EINVAL` with [`Reason::LengthNeeded`] for what does not tell its length, without an end.
    /// After an error there are no more windows.
    fn next(&mut self) -> Option<Result<Window>> {
        if self.is_done {
            return None;
        }
        let window = self.advance().transpose();
        self.is_done = !matches!(window, Some(Ok(_)));
        window
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

impl Window {
    /// Where in the file it begins, in bytes.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The mapping alone.
    pub fn into_mapping(self) -> SharedMapping<ReadOnly> {
        self.mapping
    }
}

impl Deref for Window {
    type Target = SharedMapping<ReadOnly>;

    fn deref(&self) -> &SharedMapping<ReadOnly> {
        &self.mapping
    }
}
