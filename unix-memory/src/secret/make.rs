//! Making secrets according to the options.

use super::memory::Memory;
use super::options::SecretOptions;
use super::value::Secret;
use super::wipe::wipe_slice;
use crate::error::Result;

impl SecretOptions {
    /// Makes a secret of `len` bytes, all zeros.
    ///
    /// # Errors
    /// * `ENOMEM`, `EPERM` or `EAGAIN` of [`Call::Mlock`](crate::Call::Mlock): the limit on locked memory
    ///   is reached, as [`Reason::LockLimit`](crate::Reason::LockLimit) reports.
    /// * `EAGAIN` of [`Call::Mmap`](crate::Call::Mmap): the same, for secret memory, which is locked from
    ///   the start.
    /// * `EMFILE`, `ENFILE` or `EFBIG` (`RLIMIT_FSIZE`) of
    ///   [`Call::MemfdSecret`](crate::Call::MemfdSecret).
    /// * `ENOMEM` of another call: more than the address space, its limit (`RLIMIT_AS`), the limit on data
    ///   (`RLIMIT_DATA`) or the kernel's limit of mappings allows, or more than a slice can have
    ///   ([`Reason::LengthLimit`](crate::Reason::LengthLimit)).
    /// * [`Reason::Unsupported`](crate::Reason::Unsupported) or
    ///   [`Reason::NotEnforced`](crate::Reason::NotEnforced): the system lacks a protection that is
    ///   demanded. The call is `mlock`, `madvise` (core dumps), `minherit` (children), `mprotect` (guard
    ///   pages, closing) or `memfd_secret`.
    pub fn zeroed(&self, len: usize) -> Result<Secret> {
        self.new_with(len, |_| {})
    }

    /// Makes a secret of `len` bytes, which `fill` receives as zeros and fills in place. If `fill` panics,
    /// the bytes are wiped.
    ///
    /// # Errors
    /// Those of [`zeroed`](Self::zeroed), before `fill` is called. After that, this fails only if the
    /// kernel refuses to close the pages, in which case the bytes are wiped, or if `fill` has forked and
    /// this is the child, which never had the bytes.
    pub fn new_with(&self, len: usize, fill: impl FnOnce(&mut [u8])) -> Result<Secret> {
        let mut secret = Secret {
            memory: Memory::new(self, len)?,
            options: self.clone(),
        };
        fill(secret.memory.bytes_mut());
        secret.memory.close_all()?;
        Ok(secret)
    }

    /// Makes a secret of the bytes in `source`, and wipes `source` by volatile writes. It cannot find
    /// copies that were made earlier, for example by moving an array or growing a `Vec`.
    ///
    /// # Errors
    /// Those of [`zeroed`](Self::zeroed); `source` is unchanged then.
    pub fn from_slice_wiping(&self, source: &mut [u8]) -> Result<Secret> {
        let secret = self.new_with(source.len(), |bytes| bytes.copy_from_slice(source))?;
        wipe_slice(source);
        Ok(secret)
    }
}
