//! Shared memory objects with names: `shm_open`.

use core::ffi::{CStr, c_int};
use core::fmt;
use core::ops::Deref;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::string::String;

use unix_memory_sys as sys;

use crate::error::{self, Arguments, Call, Errno, Error, Failed, FileKind, Reason, Result};
use crate::map::facts::Facts;
use crate::object::shared_memory::SharedMemory;
use crate::os::{self, call};
use crate::process::Process;

/// A shared memory object made here, which others open by its name. Dropping this removes the name;
/// the memory is freed with its last user.
///
/// [`unlink`](Self::unlink) removes the name earlier, and reports failures.
/// [`persist`](Self::persist) keeps the name, which then outlives the process, until somebody calls
/// [`NamedMemory::remove`] or the system restarts.
///
/// It derefs to [`SharedMemory`], which has the methods for mapping, length and the rest.
///
/// * **Names** begin with a slash, followed by at least one character and no further slash; `/.` and
///   `/..` are not names. The maximum length depends on the system; 31 characters work everywhere.
/// * **fork**: the process that made the name removes it. A child that drops its copy leaves the name
///   alone, even if its parent has exited without dropping its own, as in `daemon`: such a child
///   takes the name over with [`adopt`](Self::adopt).
/// * **Reused names**: if somebody else has removed the name and made another object under the same
///   name, dropping this removes the name of the new object.
/// * **Others' names**: on most systems, every user can make any name, and may have made this one
///   first. Opening a name follows no symbolic link, and refuses what is not a shared memory object
///   or a regular file ([`Reason::NotMappable`]); on Linux it never waits, as it would for a FIFO. It
///   does not check who owns the object (`fstat` on the descriptor reports that) or how long it is,
///   and its owner can change its length later: map it like any memory that others can change.
///
/// # Platform
/// Not on Android and L4Re, which have no such objects. Source: shm_open(3), POSIX.1-2024.
///
/// ```
/// use unix_memory::{NamedMemory, ReadOnly, ReadWrite};
///
/// let name = format!("/example-{}", std::process::id());
/// let memory = NamedMemory::create(&name, 100)?;
/// memory.map(ReadWrite)?.write_at(0, b"seen by all")?;
/// // Elsewhere:
/// let theirs = NamedMemory::open(&name)?.map(ReadOnly)?;
/// assert!(theirs.to_vec()?.starts_with(b"seen by all"));
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "shm_open")]
#[doc(alias = "shm_unlink")]
#[must_use = "its name is removed when it is dropped"]
pub struct NamedMemory {
    memory: SharedMemory,
    name: Name,
}

/// A name that is removed on drop.
struct Name {
    name: CString,
    /// The process that removes it; `None` leaves it.
    owner: Option<Process>,
}

impl Drop for Name {
    fn drop(&mut self) {
        if self.owner.is_some_and(Process::is_current) {
            let _gone_already = shm_unlink(&self.name);
        }
    }
}

impl NamedMemory {
    /// Makes an object of `len` zeroed bytes under `name`, which must be unused. Only this user can
    /// open it.
    ///
    /// # Errors
    /// * `EEXIST`: the name is in use.
    /// * `EINVAL`: it is not a valid name ([`Reason::ObjectName`]); `ENAMETOOLONG`: it is too long.
    /// * `EACCES`: a security policy forbids it.
    /// * Those of [`SharedMemory::unnamed`].
    pub fn create(name: impl AsRef<OsStr>, len: u64) -> Result<Self> {
        Self::create_with_mode(name, len, 0o600)
    }

    /// Like [`create`](Self::create), with the permission bits `mode`, such as `0o660`, as far as the
    /// process's umask allows.
    ///
    /// # Errors
    /// Those of [`create`](Self::create).
    pub fn create_with_mode(name: impl AsRef<OsStr>, len: u64, mode: u32) -> Result<Self> {
        let name = checked(Call::ShmOpen, name.as_ref())?;
        let refuse = refused(Call::ShmOpen, &name);
        let owner = Some(Process::current().map_err(&refuse)?);
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
        let fd = shm_open(&name, flags, mode).map_err(refuse)?;
        let memory = Self {
            memory: fd.into(),
            name: Name { name, owner },
        };
        // If one of these fails, the name is removed.
        close_on_exec(memory.as_fd())?;
        memory.set_first_len(len)?;
        Ok(memory)
    }

    /// Like [`create`](Self::create), under an unused name of at most 31 characters.
    ///
    /// # Errors
    /// Those of [`create`](Self::create); `EEXIST` after a hundred names that were in use.
    ///
    /// ```
    /// let memory = unix_memory::NamedMemory::create_unique(100)?;
    /// println!("open {}", memory.name().to_string_lossy());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "shm_mkstemp")]
    pub fn create_unique(len: u64) -> Result<Self> {
        let mut result = Self::create(unique_name(), len);
        for _ in 1..100 {
            match result {
                Err(error) if error.errno() == libc::EEXIST => {
                    result = Self::create(unique_name(), len);
                }
                result => return result,
            }
        }
        result
    }

    /// Opens the existing object `name` for reading and writing. Its name stays.
    ///
    /// # Errors
    /// `ENOENT`: the name does not exist; `EACCES`: this user may not open it; `EINVAL` or
    /// `ENAMETOOLONG`: it is not a valid name; `ENODEV`, `ELOOP`, `ENXIO`, `EISDIR` or `EINVAL` with
    /// [`Reason::NotMappable`]: the name belongs to something else, such as a FIFO, a symbolic link,
    /// a socket or a directory; `EMFILE`, `ENFILE`: too many open files.
    pub fn open(name: impl AsRef<OsStr>) -> Result<SharedMemory> {
        Self::open_with(name.as_ref(), libc::O_RDWR)
    }

    /// Like [`open`](Self::open), for reading only.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_read_only(name: impl AsRef<OsStr>) -> Result<SharedMemory> {
        Self::open_with(name.as_ref(), libc::O_RDONLY)
    }

    fn open_with(name: &OsStr, flags: c_int) -> Result<SharedMemory> {
        let name = checked(Call::ShmOpen, name)?;
        let flags = flags | os::OPEN_AT_ONCE;
        let fd = shm_open(&name, flags, 0).map_err(|errno| {
            let error = refused(Call::ShmOpen, &name)(errno);
            match kind_refused(errno) {
                // (So glibc refuses a name that is too long.)
                Some(_) if errno == libc::EINVAL && name.count_bytes() > MOST => {
                    error.because(Reason::ObjectName)
                }
                Some(kind) => error.because(Reason::NotMappable(kind)),
                None => error,
            }
        })?;
        close_on_exec(fd.as_fd())?;
        match Facts::of(fd.as_fd())?.kind {
            // Apple's systems do not report the kind of such an object.
            FileKind::Regular | FileKind::Other => Ok(fd.into()),
            kind => {
                let arguments = Arguments::Name(error::Name::new(name.to_bytes()));
                let reason = Reason::NotMappable(kind);
                Err(Error::new(Call::ShmOpen, libc::ENODEV, arguments, reason))
            }
        }
    }

    /// Removes a name that is no longer needed, for example one that a crashed process has left.
    /// Whoever has the object open or mapped keeps it.
    ///
    /// # Errors
    /// `ENOENT`: the name does not exist; `EACCES`: this user may not remove it; `EINVAL` or
    /// `ENAMETOOLONG`: it is not a valid name.
    #[doc(alias = "shm_unlink")]
    pub fn remove(name: impl AsRef<OsStr>) -> Result<()> {
        let name = checked(Call::ShmUnlink, name.as_ref())?;
        shm_unlink(&name).map_err(refused(Call::ShmUnlink, &name))
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &OsStr {
        OsStr::from_bytes(self.name.name.as_bytes())
    }

    /// Removes the name now, and keeps the memory.
    ///
    /// # Errors
    /// Those of [`remove`](Self::remove); this value comes back inside the error.
    pub fn unlink(self) -> core::result::Result<SharedMemory, Failed<Self>> {
        match shm_unlink(&self.name.name) {
            Ok(()) => Ok(self.persist()),
            Err(errno) => Err(Failed::new(
                refused(Call::ShmUnlink, &self.name.name)(errno),
                self,
            )),
        }
    }

    /// Makes this process remove the name on drop, in place of its parent, which made the name.
    ///
    /// This is for a child that continues in place of its parent, as after `daemon`. If both drop it,
    /// the first drop removes the name.
    ///
    /// # Errors
    /// `ENOMEM` at the limit of mappings; nothing has changed then.
    ///
    /// ```
    /// let mut memory = unix_memory::NamedMemory::create_unique(100)?;
    /// // daemon(3) here
    /// memory.adopt()?;
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "daemon")]
    pub fn adopt(&mut self) -> Result<()> {
        let refuse = refused(Call::ShmUnlink, &self.name.name);
        self.name.owner = Some(Process::current().map_err(refuse)?);
        Ok(())
    }

    /// Keeps the name: dropping the memory no longer removes it.
    #[allow(
        clippy::must_use_candidate,
        reason = "the name may be all that is wanted"
    )]
    pub fn persist(self) -> SharedMemory {
        let Self { memory, mut name } = self;
        name.owner = None;
        memory
    }
}

impl Deref for NamedMemory {
    type Target = SharedMemory;

    fn deref(&self) -> &SharedMemory {
        &self.memory
    }
}

impl AsFd for NamedMemory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

impl fmt::Debug for NamedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedMemory")
            .field("name", &self.name())
            .field("memory", &self.memory)
            .finish()
    }
}

/// The maximum length of an object's name in bytes, including its slash: the name of a file, which
/// has none.
const MOST: usize = 255;

/// `name` as a C string, if it is a valid name: names whose meaning POSIX leaves open are refused.
fn checked(call: Call, name: &OsStr) -> Result<CString> {
    let bytes = name.as_bytes();
    let refuse = || {
        let arguments = Arguments::Name(error::Name::new(bytes));
        Error::new(call, libc::EINVAL, arguments, Reason::ObjectName)
    };
    match bytes {
        b"/." | b"/.." => Err(refuse()),
        [b'/', rest @ ..] if !rest.is_empty() && !rest.contains(&b'/') => {
            CString::new(bytes).map_err(|_| refuse())
        }
        _ => Err(refuse()),
    }
}

fn refused(call: Call, name: &CStr) -> impl Fn(Errno) -> Error + use<> {
    let arguments = Arguments::Name(error::Name::new(name.to_bytes()));
    move |errno| Error::kernel(call, errno, arguments)
}

/// What a name refers to, if `errno` shows that it is not an object.
const fn kind_refused(errno: Errno) -> Option<FileKind> {
    match errno {
        libc::EISDIR => Some(FileKind::Directory),
        // What glibc reports for it. The name has been checked, and the flags are those that all
        // take.
        libc::EINVAL if os::OPEN_AT_ONCE != 0 => Some(FileKind::Directory),
        libc::ELOOP => Some(FileKind::SymbolicLink),
        libc::ENXIO => Some(FileKind::Socket),
        _ => None,
    }
}

/// A name that is most likely unused.
fn unique_name() -> String {
    use std::hash::{BuildHasher, RandomState};
    // Its keys are random, and new each time; what is hashed does not matter.
    std::format!("/unix-memory.{:016x}", RandomState::new().hash_one(0))
}

fn shm_open(name: &CStr, flags: c_int, mode: u32) -> core::result::Result<OwnedFd, Errno> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::unnecessary_cast,
        reason = "nine bits, for which every system's type has room"
    )]
    let mode = (mode & 0o777) as sys::mode_t;
    // SAFETY: the name ends in NUL. [arguments]
    let result = unsafe { os::shm_open(name.as_ptr(), flags, mode) };
    // SAFETY: that is its result. [descriptor]
    unsafe { call::descriptor_or_errno(result) }
}

fn shm_unlink(name: &CStr) -> core::result::Result<(), Errno> {
    // SAFETY: the name ends in NUL. [arguments]
    call::zero_or_errno(unsafe { sys::shm_unlink(name.as_ptr()) })
}

/// POSIX requires this of such descriptors, but perhaps not every system does it.
pub fn close_on_exec(fd: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: the command takes flags. [arguments]
    unsafe { call::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) }
        .map(drop)
        .map_err(|errno| Error::kernel(Call::Fcntl, errno, Arguments::None))
}

#[cfg(test)]
mod tests {
    use super::unique_name;

    #[test]
    fn unique_names_fit_everywhere_and_differ() {
        let (first, second) = (unique_name(), unique_name());
        assert!(first.len() <= 30 && first.starts_with('/'), "{first}");
        assert_ne!(first, second);
    }
}
