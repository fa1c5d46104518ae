//! How the bytes of a file came into memory.

use crate::error::{Call, Error, Reason};

/// How the bytes of a file came into memory: those of a [`FileBytes`](crate::FileBytes) or a
/// [`Window`](crate::Window).
///
/// ```
/// use unix_memory::{FileBytes, Way};
///
/// let program = std::fs::File::open(std::env::current_exe()?)?;
/// assert_eq!(FileBytes::load(&program)?.way(), Way::Read);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Way {
    /// The file is mapped, and its seals prevent any change: `F_SEAL_WRITE` and `F_SEAL_SHRINK`.
    #[doc(alias = "F_SEAL_WRITE")]
    Sealed,
    /// The file is mapped, and fs-verity prevents any change.
    #[doc(alias = "STATX_ATTR_VERITY")]
    Verified,
    /// The file is mapped privately: `MAP_PRIVATE`.
    #[doc(alias = "MAP_PRIVATE")]
    MappedPrivate,
    /// The file is mapped shared: `MAP_SHARED`.
    #[doc(alias = "MAP_SHARED")]
    MappedShared,
    /// The bytes were read into private memory, which is independent of the file.
    #[doc(alias = "pread")]
    Read,
}

/// Returns whether `error`, of mapping the file, leaves another way to get the bytes: whether it is
/// due to the file, rather than to the arguments or to a lack of memory.
pub fn leaves_another_way(error: &Error) -> bool {
    match error.reason() {
        Reason::NotMappable(_)
        | Reason::LengthNeeded(_)
        | Reason::PrivateOnly
        | Reason::NoMappings
        | Reason::Sealed
        | Reason::NotExecutable => true,
        // A security policy, a seal, a driver.
        Reason::Kernel => {
            error.call() == Call::Mmap && ![libc::ENOMEM, libc::EAGAIN].contains(&error.errno())
        }
        _ => false,
    }
}
