//! Locks that lock each page when it is brought in, on Linux and Android.

use core::ops::RangeBounds;

use crate::error::Result;
use crate::lock::guard::LockGuard;
use crate::lock::process::{LockPages, ProcessLock};
use crate::mapping::Mapping;
use crate::protection::Access;
use crate::region::ledger::Kind;
use crate::shared::SharedMapping;

/// Gives a guard the methods that lock on fault.
macro_rules! lock_on_fault {
    ($guard:ident) => {
        /// On Linux and Android: locks that lock each page when it is brought in.
        impl<A: Access> $guard<A> {
            /// Keeps the pages of the whole mapping in memory, each from the moment that it is
            /// first used, while the guard lives.
            ///
            /// # Errors
            /// Those of [`lock_range_on_fault`](Self::lock_range_on_fault).
            #[doc(alias = "mlock2")]
            #[doc(alias = "MLOCK_ONFAULT")]
            #[doc(alias = "MlockFlags")]
            #[doc(alias = "mlock_with")]
            pub fn lock_on_fault(&self) -> Result<LockGuard<'_>> {
                self.lock_range_on_fault(..)
            }

            /// Keeps the pages that hold a byte of `range` in memory, each from the moment that it is
            /// first used, while the guard lives: for large mappings that are used in few places.
            ///
            /// Pages that are in memory already are locked at once. These guards nest, also with those
            /// of `lock_range`. The whole range counts toward the limit. `range` is in bytes from the
            /// start of the mapping and is rounded outward to pages. Source: mlock2(2), since Linux
            /// 4.4.
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping; `ENOMEM` or `EPERM` over the
            /// limit on locked memory ([`Reason::LockLimit`](crate::Reason)); `ENOMEM` at the kernel's
            /// limit of mappings; `ENOSYS` before Linux 4.4 ([`Reason::Unsupported`](crate::Reason)).
            ///
            /// ```
            /// let mapping = unix_memory::Mapping::anonymous(1 << 20)?;
            /// match mapping.lock_on_fault() {
            ///     Ok(guard) => assert_eq!(guard.len(), 1 << 20),
            ///     Err(error) => println!("{error}"), // an old kernel, or over the limit
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "mlock2")]
            #[doc(alias = "MLOCK_ONFAULT")]
            pub fn lock_range_on_fault(
                &self,
                range: impl RangeBounds<usize>,
            ) -> Result<LockGuard<'_>> {
                LockGuard::new(self.region(), &range, Kind::OnFault)
            }
        }
    };
}

lock_on_fault!(Mapping);
lock_on_fault!(SharedMapping);

/// On Linux and Android: locks that lock each page when it is brought in.
impl ProcessLock {
    /// Locks all pages of the process that `pages` names, each from the moment that it is first
    /// used. Source: mlockall(2), `MCL_ONFAULT`, since Linux 4.4.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); `EINVAL` also before Linux 4.4.
    ///
    /// ```
    /// use unix_memory::{LockPages, ProcessLock};
    ///
    /// match ProcessLock::on_fault(LockPages::CURRENT) {
    ///     Ok(_locked) => println!("what is used stays, while it lives"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// ```
    #[doc(alias = "MCL_ONFAULT")]
    pub fn on_fault(pages: LockPages) -> Result<Self> {
        Self::with(pages, Kind::OnFault)
    }
}
