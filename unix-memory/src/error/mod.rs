//! What an error reports about a refused call: which call it was, its arguments, and why.

mod arguments;
mod call;
mod cause;
mod errno;
mod reason;
mod words;

use core::ffi::c_int;
use core::fmt;

pub(crate) use arguments::{Arguments, Name};
pub use call::Call;
pub use cause::FaultCause;
pub(crate) use errno::Errno;
pub use reason::{FileKind, Reason};

/// The result of every fallible call of this crate that takes no ownership. (With another error type
/// it is the standard library's `Result`, so `use unix_memory::*` does not hide that.)
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// A refused call: which one, its arguments, its `errno`, and the reason, if this crate knows more
/// than the `errno` says.
///
/// With the feature `std`, it converts into [`std::io::Error`], also through `?`. This error becomes
/// the inner error, so printing shows everything that is known; for the same reason,
/// [`raw_os_error`](std::io::Error::raw_os_error) returns `None`. There are two ways to get the
/// `errno`:
///
/// * [`Error::from_io`] gets this error back: `Error::from_io(&error).map(|error| error.errno())`;
/// * [`to_os_error`](Self::to_os_error) makes an `io::Error` that has only the `errno`:
///   `.map_err(|error| error.to_os_error())?`.
///
/// The kind of the `io::Error` is that of the `errno`. For three that the standard library gives no
/// named kind, it is [`Unsupported`](std::io::ErrorKind::Unsupported) (`ENODEV`) or
/// [`InvalidInput`](std::io::ErrorKind::InvalidInput) (`ENXIO` and `EOVERFLOW`).
///
/// ```
/// use unix_memory::{Advice, Call, Mapping};
///
/// let mapping = Mapping::anonymous(100)?;
/// let error = mapping.advise_range(50..200, Advice::WillNeed).unwrap_err();
/// assert_eq!(error.call(), Call::Madvise);
/// assert_eq!(
///     error.to_string(),
///     "madvise of 150 bytes at 50: Invalid argument (the mapping has 100 bytes)",
/// );
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Error {
    call: Call,
    errno: c_int,
    arguments: Arguments,
    reason: Reason,
}

impl Error {
    pub(crate) const fn new(
        call: Call,
        errno: c_int,
        arguments: Arguments,
        reason: Reason,
    ) -> Self {
        Self {
            call,
            errno,
            arguments,
            reason,
        }
    }

    pub(crate) const fn kernel(call: Call, errno: c_int, arguments: Arguments) -> Self {
        Self::new(call, errno, arguments, Reason::Kernel)
    }

    /// The same error, with a known reason.
    pub(crate) const fn because(self, reason: Reason) -> Self {
        Self { reason, ..self }
    }

    /// The same error, with the arguments as the caller gave them.
    pub(crate) const fn of(self, arguments: Arguments) -> Self {
        Self { arguments, ..self }
    }

    /// The call that was refused.
    #[must_use]
    pub const fn call(&self) -> Call {
        self.call
    }

    /// The error number: the kernel's, or, if this crate refused before it asked the kernel, the one
    /// that the kernel returns for such a mistake.
    #[doc(alias = "raw_os_error")]
    #[must_use]
    pub const fn errno(&self) -> c_int {
        self.errno
    }

    /// Why, beyond the error number.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }
}

/// With the feature `std`.
#[cfg(feature = "std")]
impl Error {
    /// The error of this crate that `?` turned into `error`, if there is one. It is also found
    /// inside an error of another type whose [source](core::error::Error::source) it is.
    ///
    /// ```
    /// use unix_memory::{Error, MapOptions, ReadOnly};
    ///
    /// fn map() -> std::io::Result<()> {
    ///     let directory = std::fs::File::open("/")?;
    ///     drop(MapOptions::new().map_shared(&directory, ReadOnly)?);
    ///     Ok(())
    /// }
    ///
    /// let error = map().unwrap_err();
    /// assert_eq!(Error::from_io(&error).map(|error| error.errno()), Some(libc::ENODEV));
    /// ```
    #[doc(alias = "raw_os_error")]
    #[doc(alias = "downcast")]
    #[must_use]
    pub fn from_io(error: &std::io::Error) -> Option<Self> {
        use core::error::Error as StdError;
        // (The source of such an error is that of its inner error, so the inner error itself would
        // be left out.)
        fn inside(error: &std::io::Error) -> Option<&(dyn StdError + 'static)> {
            error.get_ref().map(|inner| inner as _)
        }
        let mut next = inside(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(*found);
            }
            next = match error.downcast_ref() {
                Some(error) => inside(error),
                None => error.source(),
            };
        }
        None
    }

    /// The bare error of the operating system, without what this crate knows about it: for code that
    /// reads [`raw_os_error`](std::io::Error::raw_os_error).
    ///
    /// ```
    /// use unix_memory::Mapping;
    ///
    /// let error = Mapping::anonymous(usize::MAX).unwrap_err();
    /// assert_eq!(error.to_os_error().raw_os_error(), Some(libc::ENOMEM));
    /// ```
    #[doc(alias = "raw_os_error")]
    #[doc(alias = "from_raw_os_error")]
    #[doc(alias = "as_io_error")]
    #[doc(alias = "into_io_error")]
    #[must_use]
    pub fn to_os_error(&self) -> std::io::Error {
        std::io::Error::from_raw_os_error(self.errno)
    }
}

impl Error {
    /// Which of the spans of [`Advice::apply`](crate::Advice::apply) was refused, counted from zero.
    /// `None` for every other call.
    #[must_use]
    pub const fn span(&self) -> Option<usize> {
        match self.arguments {
            Arguments::Span { index, .. } => Some(index),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.call.name())?;
        self.arguments.fmt(f)?;
        match errno::text(self.errno) {
            Some(text) => write!(f, ": {text}")?,
            None => write!(f, ": error number {}", self.errno)?,
        }
        match self.reason {
            Reason::Kernel => match errno::limit(self.errno) {
                Some(limit) => write!(f, " ({limit})"),
                None => Ok(()),
            },
            Reason::Unaligned(unit) => {
                f.write_str(" (")?;
                self.fmt_unaligned(unit, f)?;
                f.write_str(")")
            }
            reason => write!(f, " ({reason})"),
        }
    }
}

impl Error {
    /// The argument that is not a multiple of `unit`, with its value.
    fn fmt_unaligned(&self, unit: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.arguments {
            Arguments::Memory { address, .. } if address % unit != 0 => {
                write!(f, "the address {address:#x} is not a multiple of {unit}")
            }
            Arguments::Memory { .. } if self.call == Call::Mmap => write!(
                f,
                "the address must be as far past a multiple of {unit} as the offset in the file is"
            ),
            Arguments::Memory { len, .. } | Arguments::Length(len) => {
                write!(f, "the length {len} is not a multiple of {unit}")
            }
            Arguments::At(position) => write!(
                f,
                "byte {position} is not the first of a page, which has {unit} bytes"
            ),
            Arguments::Range { start, .. } if matches!(self.call, Call::View | Call::Atomics) => {
                write!(f, "the address of byte {start} is not a multiple of {unit}")
            }
            Arguments::Range { start, len } => write!(
                f,
                "the range {start}..{} does not begin and end with pages, which have {unit} bytes",
                start + len
            ),
            _ => write!(f, "{}", self.reason),
        }
    }
}

impl fmt::Debug for Error {
    /// The same text as `Display`: it is what `unwrap`, and a `main` that returns the error, print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl core::error::Error for Error {}

#[cfg(feature = "std")]
impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        use std::io::ErrorKind;
        let kind = match error.errno {
            // The standard library has no kind for these that a program can name.
            libc::ENODEV => ErrorKind::Unsupported,
            libc::ENXIO | libc::EOVERFLOW => ErrorKind::InvalidInput,
            errno => Self::from_raw_os_error(errno).kind(),
        };
        Self::new(kind, error)
    }
}

/// A call that failed and changed nothing, together with the mapping (or other owner of memory) that
/// it took.
///
/// If you no longer need the mapping, `?` turns this into an [`Error`] or a `std::io::Error`; that
/// unmaps the mapping.
///
/// ```
/// use unix_memory::{Mapping, ReadOnly};
///
/// let mapping = Mapping::anonymous(1)?;
/// let mapping = match mapping.protect(ReadOnly) {
///     Ok(read_only) => read_only,
///     Err(failed) => {
///         let (error, still_writable) = failed.into_parts();
///         println!("{error}; {still_writable:?} is as it was");
///         return Ok(());
///     }
/// };
/// assert_eq!(mapping[0], 0);
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[must_use = "it holds the mapping, which is unmapped when this is dropped"]
pub struct Failed<M> {
    error: Error,
    mapping: M,
}

impl<M> Failed<M> {
    pub(crate) const fn new(error: Error, mapping: M) -> Self {
        Self { error, mapping }
    }

    /// What went wrong.
    #[must_use]
    pub const fn error(&self) -> Error {
        self.error
    }

    /// What the call took: the mapping as it was before, both of two mappings, or the file.
    pub fn into_mapping(self) -> M {
        self.mapping
    }

    /// Both.
    pub fn into_parts(self) -> (Error, M) {
        (self.error, self.mapping)
    }
}

impl<M> fmt::Debug for Failed<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failed")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<M> fmt::Display for Failed<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<M> core::error::Error for Failed<M> {}

impl<M> From<Failed<M>> for Error {
    fn from(failed: Failed<M>) -> Self {
        failed.error
    }
}

#[cfg(feature = "std")]
impl<M> From<Failed<M>> for std::io::Error {
    fn from(failed: Failed<M>) -> Self {
        failed.error.into()
    }
}
