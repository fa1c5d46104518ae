//! The value that owns the memory.

use core::fmt;

use super::guard::{SecretMut, SecretRef};
use super::memory::Memory;
use super::options::SecretOptions;
use super::protections::Protections;
use super::wipe::equal;
use crate::error::Result;

/// Bytes to be kept secret, such as a key: in locked memory, left out of core dumps and child processes,
/// between guard pages, inaccessible unless borrowed, and wiped on drop.
///
/// The [module](super) describes each of these, and what they do not protect against.
///
/// * **Borrowing**: [`borrow`](Self::borrow) to read, in any number of threads at a time;
///   [`borrow_mut`](Self::borrow_mut) to write. A guard derefs to `[u8]`; its method `view` returns the
///   same bytes as plain data of another type.
/// * **Length zero** is allowed; such a secret has pages too.
/// * **Copies**: it has no `Clone`. [`try_clone`](Self::try_clone) makes a copy explicitly. Its `Debug`
///   shows no content.
/// * **fork**: in a child every method that borrows fails with
///   [`Reason::OtherProcess`](crate::Reason::OtherProcess), and dropping it does no harm.
///
/// ```
/// use unix_memory::secret::Secret;
///
/// # fn main() -> unix_memory::Result<()> {
/// # let made = || -> unix_memory::Result<Secret> {
/// // Filled in place, for example by a random number generator.
/// let mut key = Secret::new_with(32, |bytes| bytes.fill(7))?;
/// assert_eq!(key.borrow()?[..4], [7; 4]);
/// key.borrow_mut()?[0] = 1;
/// assert!(!key.ct_eq(&[7; 32])?);
/// # Ok(key) };
/// # match made() {
/// #     Err(error) if matches!(error.reason(), unix_memory::Reason::LockLimit { .. }) => Ok(()),
/// #     result => result.map(drop),
/// # }
/// # }
/// ```
///
/// Writing while a reader lives does not compile:
///
/// ```compile_fail,E0502
/// # let mut key = unix_memory::secret::Secret::zeroed(32)?;
/// let reader = key.borrow()?;
/// key.borrow_mut()?[0] = 1;
/// println!("{}", reader.len());
/// # Ok::<(), unix_memory::Error>(())
/// ```
///
/// Nor does keeping bytes beyond a borrow:
///
/// ```compile_fail
/// # let key = unix_memory::secret::Secret::zeroed(32)?;
/// let bytes: &[u8] = key.with(|bytes| bytes)?;
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "sodium_malloc")]
#[must_use = "it is wiped and unmapped when it is dropped"]
pub struct Secret {
    pub(super) memory: Memory,
    pub(super) options: SecretOptions,
}

impl Secret {
    /// Makes a secret of `len` bytes, all zeros, with the [default options](SecretOptions::new).
    ///
    /// # Errors
    /// Those of [`SecretOptions::zeroed`].
    pub fn zeroed(len: usize) -> Result<Self> {
        SecretOptions::new().zeroed(len)
    }

    /// Makes a secret of `len` bytes, which `fill` receives as zeros and fills in place, with the
    /// [default options](SecretOptions::new).
    ///
    /// # Errors
    /// Those of [`SecretOptions::new_with`].
    pub fn new_with(len: usize, fill: impl FnOnce(&mut [u8])) -> Result<Self> {
        SecretOptions::new().new_with(len, fill)
    }

    /// Makes a secret of the bytes in `source`, and wipes `source`, with the
    /// [default options](SecretOptions::new).
    ///
    /// # Errors
    /// Those of [`SecretOptions::from_slice_wiping`]; `source` is unchanged then.
    ///
    /// ```
    /// use unix_memory::secret::Secret;
    ///
    /// let mut typed = *b"correct horse";
    /// match Secret::from_slice_wiping(&mut typed) {
    ///     Ok(password) => {
    ///         assert!(password.ct_eq(b"correct horse")?);
    ///         assert_eq!(typed, [0; 13]);
    ///     }
    ///     Err(error) => println!("{error}"),
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn from_slice_wiping(source: &mut [u8]) -> Result<Self> {
        SecretOptions::new().from_slice_wiping(source)
    }

    /// Returns the length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.memory.len()
    }

    /// Returns whether the length is zero.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.memory.len() == 0
    }

    /// Returns the address of the first byte, as a number to compare with what a debugger or the kernel
    /// reports. It gives no access: the pages are closed unless borrowed.
    #[must_use]
    pub fn address(&self) -> usize {
        self.memory.address()
    }

    /// Returns the protections that this system gave the memory when it was made.
    ///
    /// If the kernel refuses to close the pages after the last guard, for example because of a filter of
    /// system calls, [`Protections::CLOSED`] is missing until they are closed.
    #[must_use]
    pub fn protections(&self) -> Protections {
        self.memory.protections()
    }

    /// Opens the pages to be read while the guard lives.
    ///
    /// Source: mprotect(2), POSIX.1-2024.
    ///
    /// # Errors
    /// * `EPERM` with [`Reason::OtherProcess`](crate::Reason::OtherProcess): this process is a child
    ///   of the one that made the secret.
    /// * Those of `mprotect`, if the kernel refuses to open the pages. The pages are a mapping of their
    ///   own if any of [`LOCKED`](Protections::LOCKED), [`NOT_DUMPED`](Protections::NOT_DUMPED) and
    ///   [`NOT_INHERITED`](Protections::NOT_INHERITED) was given, so that the kernel's limit of mappings
    ///   does not matter.
    /// * `EAGAIN`: `usize::MAX - 2` guards were forgotten.
    #[doc(alias = "sodium_mprotect_readonly")]
    pub fn borrow(&self) -> Result<SecretRef<'_>> {
        SecretRef::new(&self.memory)
    }

    /// Opens the pages to be read and written, while the guard lives.
    ///
    /// Source: mprotect(2), POSIX.1-2024.
    ///
    /// # Errors
    /// Those of [`borrow`](Self::borrow); `ENOMEM` if the process has more data than `RLIMIT_DATA`
    /// allows, because that limit was lowered.
    #[doc(alias = "sodium_mprotect_readwrite")]
    pub fn borrow_mut(&mut self) -> Result<SecretMut<'_>> {
        SecretMut::new(&mut self.memory)
    }

    /// Calls `f` with the bytes, and closes the pages again unless another guard lives.
    ///
    /// # Errors
    /// Those of [`borrow`](Self::borrow); `f` is not called then.
    ///
    /// ```
    /// use unix_memory::secret::SecretOptions;
    /// # use unix_memory::secret::Protections;
    ///
    /// # let options = SecretOptions::new().optional(Protections::LOCKED);
    /// let key = options.new_with(4, |bytes| bytes.copy_from_slice(&[1, 2, 3, 4]))?;
    /// assert_eq!(key.with(|bytes| bytes.iter().sum::<u8>())?, 10);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn with<R>(&self, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        self.borrow().map(|bytes| f(&bytes))
    }

    /// Calls `f` with the bytes, which it may change, and closes the pages again.
    ///
    /// # Errors
    /// Those of [`borrow_mut`](Self::borrow_mut); `f` is not called then.
    pub fn with_mut<R>(&mut self, f: impl FnOnce(&mut [u8]) -> R) -> Result<R> {
        self.borrow_mut().map(|mut bytes| f(&mut bytes))
    }

    /// Returns whether the bytes are equal to `other`, in a time that depends only on the two lengths.
    ///
    /// Slices of equal length are read to their end, by volatile reads, wherever they differ; `==` of
    /// slices would stop at the first difference.
    ///
    /// # Errors
    /// Those of [`borrow`](Self::borrow).
    ///
    /// ```
    /// # use unix_memory::secret::{Protections, SecretOptions};
    /// # let options = SecretOptions::new().optional(Protections::LOCKED);
    /// let one = options.new_with(32, |bytes| bytes.fill(1))?;
    /// let other = one.try_clone()?;
    /// assert!(one.ct_eq(&other.borrow()?)?);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "sodium_memcmp")]
    #[doc(alias = "timingsafe_bcmp")]
    pub fn ct_eq(&self, other: &[u8]) -> Result<bool> {
        self.with(|bytes| equal(bytes, other))
    }

    /// Makes a second secret of the same bytes, with the same options.
    ///
    /// # Errors
    /// Those of [`borrow`](Self::borrow) and [`SecretOptions::zeroed`].
    pub fn try_clone(&self) -> Result<Self> {
        let ours = self.borrow()?;
        let copy = |bytes: &mut [u8]| bytes.copy_from_slice(&ours);
        self.options.new_with(self.len(), copy)
    }
}

impl fmt::Debug for Secret {
    /// Shows the length and the protections, and never the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("len", &self.len())
            .field("protections", &self.protections())
            .finish_non_exhaustive()
    }
}

static_assertions::assert_impl_all!(Secret: Send, Sync, Unpin);
static_assertions::assert_not_impl_any!(Secret: Clone, AsRef<[u8]>);
