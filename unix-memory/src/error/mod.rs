//! What a refused call tells: which call, with which arguments, and why.

mod arguments;
mod errno;
mod reason;

use core::ffi::c_int;
use core::fmt;

pub(crate) use arguments::Arguments;
#[cfg(feature = "std")]
pub(crate) use arguments::Name;
pub(crate) use errno::Errno;
pub use reason::{FileKind, Reason};

/// The result of every fallible call of this crate that takes no ownership. (With another error
/// type it is the standard library's, so that `use unix_memory::*` takes nothing away.)
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// The call that an [`Error`] is about: a system call by its name, or a method of this crate that
/// makes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// `mmap(2)`: making a mapping.
    Mmap,
    /// `munmap(2)`: removing one.
    Munmap,
    /// `mprotect(2)`: changing its protection.
    Mprotect,
    /// `madvise(2)`: advice, populating.
    Madvise,
    /// `msync(2)`: flushing.
    Msync,
    /// `fsync(2)`, or what does its work: having a file kept by its device.
    Fsync,
    /// `mlock(2)`: locking into memory.
    Mlock,
    /// `mlockall(2)`: locking the whole process into memory.
    Mlockall,
    /// `mseal(2)`: keeping a mapping for good.
    Mseal,
    /// `pkey_alloc(2)`: taking a protection key.
    PkeyAlloc,
    /// `pkey_mprotect(2)`: giving memory a protection key.
    PkeyMprotect,
    /// Making code fit to be executed.
    SyncInstructionCache,
    /// Finding a byte of [`code`](crate::code) that is to be called.
    Entry,
    /// Changing [`code`](crate::code) while it can be executed.
    Patch,
    /// `mincore(2)`: asking which pages are in memory.
    Mincore,
    /// Asking how much is in huge pages.
    HugeBytes,
    /// `fstat(2)`: asking how long a file is and what it is.
    Fstat,
    /// `mremap(2)`, or what does its work: changing a length.
    Mremap,
    /// Changing a length, refused before the kernel was asked.
    Resize,
    /// Making two mappings of one.
    Split,
    /// Making one mapping of two.
    Join,
    /// Making a slice of plain data.
    View,
    /// Copying out of a shared mapping.
    Read,
    /// Copying into a shared mapping.
    Write,
    /// Setting bytes of a shared mapping.
    Fill,
    /// `memfd_create(2)`: making a file in memory.
    MemfdCreate,
    /// `memfd_secret(2)`: making memory that the kernel itself cannot reach.
    MemfdSecret,
    /// `minherit(2)`, or what does its work: keeping memory from children.
    Minherit,
    /// `shm_open(3)`: making or opening a shared memory object.
    ShmOpen,
    /// `shm_unlink(3)`: removing the name of one.
    ShmUnlink,
    /// `open(2)`: making a file.
    Open,
    /// `write(2)`: filling a file.
    WriteFile,
    /// `pread(2)` or `read(2)`: reading a file.
    ReadFile,
    /// `ftruncate(2)`: setting the length of a file.
    Ftruncate,
    /// `fcntl(2)` with `F_ADD_SEALS`.
    AddSeals,
    /// `fcntl(2)` with `F_GET_SEALS`.
    GetSeals,
    /// `fcntl(2)` otherwise: copying a descriptor, and closing it on exec.
    Fcntl,
    /// Opening a ring, or using one.
    Ring,
    /// Giving bytes to the consumer of a ring.
    Commit,
    /// Giving bytes back to the producer of a ring.
    Consume,
    /// Borrowing a secret.
    Borrow,
    /// Copying within a shared mapping.
    CopyWithin,
    /// Comparing bytes of a shared mapping.
    Compare,
    /// Finding atomics in a shared mapping.
    Atomics,
    /// `sigaction(2)`: installing the handler of faults.
    Sigaction,
}

impl Call {
    /// The name of the system call or method.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mmap => "mmap",
            Self::Munmap => "munmap",
            Self::Mprotect => "mprotect",
            Self::Madvise => "madvise",
            Self::Msync => "msync",
            Self::Fsync => "fsync",
            Self::Mlock => "mlock",
            Self::Mlockall => "mlockall",
            Self::Mseal => "mseal",
            Self::PkeyAlloc => "pkey_alloc",
            Self::PkeyMprotect => "pkey_mprotect",
            Self::SyncInstructionCache => "sync_instruction_cache",
            Self::Entry => "entry",
            Self::Patch => "patch",
            Self::Mincore => "mincore",
            Self::HugeBytes => "huge_bytes",
            Self::Fstat => "fstat",
            Self::Mremap => "mremap",
            Self::Resize => "resize",
            Self::Split => "split_at",
            Self::Join => "join",
            Self::View => "view",
            Self::Read => "read_at",
            Self::Write => "write_at",
            Self::Fill => "fill",
            Self::MemfdCreate => "memfd_create",
            Self::MemfdSecret => "memfd_secret",
            Self::Minherit => "minherit",
            Self::ShmOpen => "shm_open",
            Self::ShmUnlink => "shm_unlink",
            Self::Open => "open",
            Self::WriteFile => "write",
            Self::ReadFile => "read",
            Self::Ftruncate => "ftruncate",
            Self::AddSeals => "fcntl(F_ADD_SEALS)",
            Self::GetSeals => "fcntl(F_GET_SEALS)",
            Self::Fcntl => "fcntl",
            Self::Ring => "ring",
            Self::Commit => "commit",
            Self::Consume => "consume",
            Self::Borrow => "borrow",
            Self::CopyWithin => "copy_within",
            Self::Compare => "compare_at",
            Self::Atomics => "atomics",
            Self::Sigaction => "sigaction",
        }
    }
}

/// A refused call: which one, its arguments, its `errno`, and the reason where this crate knows
/// more than the `errno` says.
///
/// With the feature `std` it converts into [`std::io::Error`], whose kind is that of the `errno`
/// and whose inner error is this one. [`Error::from_io`] finds it there again, with the `errno`,
/// which [`raw_os_error`](std::io::Error::raw_os_error) does not return for such an error;
/// [`to_os_error`](Self::to_os_error) makes an error for which it does.
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

    /// The same error, of which the reason is known.
    pub(crate) const fn because(self, reason: Reason) -> Self {
        Self { reason, ..self }
    }

    /// The same error, with the arguments by which the caller knows what was asked for.
    pub(crate) const fn of(self, arguments: Arguments) -> Self {
        Self { arguments, ..self }
    }

    /// The call that was refused.
    #[must_use]
    pub const fn call(&self) -> Call {
        self.call
    }

    /// The error number: the kernel's, or the one that the kernel gives for such a mistake where
    /// this crate refused before it asked.
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
    /// The error of this crate that became `error` by `?`, if it is one; also where others have put
    /// it into an error of theirs, of which it is a [source](core::error::Error::source).
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
    #[must_use]
    pub fn from_io(error: &std::io::Error) -> Option<Self> {
        use core::error::Error as StdError;
        // (What such an error calls its source is that of the one inside, which would be left out.)
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

    /// The bare error of the operating system, without what this crate knows of it: for code that
    /// asks for [`raw_os_error`](std::io::Error::raw_os_error).
    ///
    /// ```
    /// use unix_memory::Mapping;
    ///
    /// let error = Mapping::anonymous(usize::MAX).unwrap_err();
    /// assert_eq!(error.to_os_error().raw_os_error(), Some(libc::ENOMEM));
    /// ```
    #[must_use]
    pub fn to_os_error(&self) -> std::io::Error {
        std::io::Error::from_raw_os_error(self.errno)
    }
}

impl Error {
    /// Which of many was refused, counted from zero: of the spans of
    /// [`Advice::apply`](crate::Advice::apply). `None` for a call that takes but one.
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
            Reason::Kernel => Ok(()),
            reason => write!(f, " ({reason})"),
        }
    }
}

impl fmt::Debug for Error {
    /// As it is displayed: what `unwrap`, and a `main` that returns it, print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl core::error::Error for Error {}

#[cfg(feature = "std")]
impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        Self::new(Self::from_raw_os_error(error.errno).kind(), error)
    }
}

/// A call that failed and changed nothing, with the mapping (or whatever else has memory) that it
/// was given.
///
/// `?` turns it into an [`Error`] (or `std::io::Error`) where the mapping is of no more use; it is
/// unmapped then.
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

    /// The mapping, as it was before the call.
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
