//! A mapping that is locked as long as it lives, and can still be written.

use core::fmt;
use core::ops::{Deref, DerefMut};

use crate::error::Failed;
use crate::mapping::Mapping;
use crate::process::Process;
use crate::protection::{Access, Readable, Writable};
use crate::region::hold::Hold;
use crate::region::ledger::Kind;

/// A mapping whose pages are kept in memory: it owns its lock.
///
/// A [`LockGuard`](crate::LockGuard) borrows the mapping, so nothing can be written to it
/// meanwhile; this type derefs to `[u8]` as [`Mapping`] does, mutably too. [`Mapping::into_locked`]
/// makes it. Dropping it unmaps the memory, which ends the lock. Its lock nests with those of
/// guards.
///
/// * **fork**: a child inherits no locks: its copy is not locked, and there
///   [`unlock`](Self::unlock) only returns the mapping.
///
/// ```
/// let mut key = unix_memory::Mapping::anonymous(32)?.into_locked()?;
/// key.copy_from_slice(&[7; 32]); // never in swap
/// key.fill(0);
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "mlock")]
#[must_use = "it is unmapped when it is dropped"]
pub struct Locked<A: Access> {
    mapping: Mapping<A>,
    /// Which process locked it; none if it is empty.
    owner: Option<Process>,
}

impl<A: Readable> Mapping<A> {
    /// Keeps the whole mapping in memory as long as it lives.
    ///
    /// Source: mlock(2), POSIX.1-2024.
    ///
    /// # Errors
    /// Those of [`lock_range`](Self::lock_range); the mapping comes back inside the error.
    ///
    /// ```
    /// let mut locked = unix_memory::Mapping::anonymous(100)?.into_locked()?;
    /// locked[0] = 1;
    /// let mapping = locked.unlock();
    /// assert_eq!(mapping[0], 1);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mlock")]
    pub fn into_locked(self) -> Result<Locked<A>, Failed<Self>> {
        // What the guard holds is forgotten when the mapping is unmapped.
        match Hold::new(self.region(), &.., Kind::Full).map(Hold::keep) {
            Ok(owner) => Ok(Locked {
                mapping: self,
                owner,
            }),
            Err(error) => Err(Failed::new(error, self)),
        }
    }
}

impl<A: Access> Locked<A> {
    /// The mapping, for calls that do not change it: advice, residency, guards over parts of it.
    pub const fn mapping(&self) -> &Mapping<A> {
        &self.mapping
    }

    /// Changes the protection of the pages, and the type with it. The pages stay locked.
    ///
    /// # Errors
    /// Those of [`Mapping::protect`].
    #[doc(alias = "mprotect")]
    pub fn protect<B: Access>(self, access: B) -> Result<Locked<B>, Failed<Self>> {
        let owner = self.owner;
        match self.mapping.protect(access) {
            Ok(mapping) => Ok(Locked { mapping, owner }),
            Err(failed) => {
                let (error, mapping) = failed.into_parts();
                Err(Failed::new(error, Self { mapping, owner }))
            }
        }
    }

    /// Unlocks the pages, except for those that a forgotten guard holds.
    #[doc(alias = "munlock")]
    pub fn unlock(self) -> Mapping<A> {
        drop(Hold::again(self.mapping.region(), self.owner));
        self.mapping
    }
}

impl<A: Readable> Deref for Locked<A> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.mapping
    }
}

impl<A: Writable> DerefMut for Locked<A> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.mapping
    }
}

impl<A: Readable> AsRef<[u8]> for Locked<A> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<A: Writable> AsMut<[u8]> for Locked<A> {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl<A: Access> fmt::Debug for Locked<A> {
    /// Address, length and protection; never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Locked").field(&self.mapping).finish()
    }
}
