//! Giving advice that does more than advise.

use core::ops::RangeBounds;

use crate::advice::unchecked::UncheckedAdvice;
use crate::error::Result;
use crate::mapping::Mapping;
use crate::protection::Access;
use crate::shared::SharedMapping;

/// Gives a guard the method that takes such advice.
macro_rules! advise_unchecked {
    ($guard:ident) => {
        /// Advice that does more than advise.
        impl<A: Access> $guard<A> {
            /// Gives `advice` on `range`, in bytes from the start of the mapping.
            ///
            /// The range is never rounded: each of its ends must lie on a page boundary or at an end
            /// of the mapping, which owns its pages. For advice that reaches beyond this process,
            /// such as [`Remove`](UncheckedAdvice::Remove), on memory of which others have the rest
            /// of the page, each end must lie on a page boundary. Source: madvise(2).
            ///
            /// # Errors
            /// `EINVAL` for a range that does not lie in the mapping or is not whole pages
            /// ([`Reason::Unaligned`](crate::Reason::Unaligned)), and for advice that the system does
            /// not have ([`Reason::Unsupported`](crate::Reason::Unsupported)) or does not accept for
            /// this kind of memory; `EACCES`, `EAGAIN`, `EBADF`, `EIO`, `ENOMEM`, `EPERM` as each
            /// [`UncheckedAdvice`] documents.
            ///
            /// # Safety
            /// What the advice does to the pages, to their file and to children, as its documentation
            /// describes, must break no promise: as long as this guard lives and derefs to `[u8]`,
            /// its bytes can be accessed as its type allows, and no reference to bytes that change is
            /// used across the change, whether they change in this call or later. A child of `fork`
            /// that has a copy of the guard without its memory must forget that copy.
            ///
            /// ```
            /// use unix_memory::{Mapping, UncheckedAdvice};
            ///
            /// let mapping = Mapping::anonymous(100)?;
            /// if UncheckedAdvice::WipeOnFork.is_supported() {
            ///     // SAFETY: this program does not fork.
            ///     unsafe { mapping.advise_unchecked(.., UncheckedAdvice::WipeOnFork) }?;
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "madvise")]
            #[doc(alias = "unchecked_advise")]
            #[doc(alias = "unchecked_advise_range")]
            pub unsafe fn advise_unchecked(
                &self,
                range: impl RangeBounds<usize>,
                advice: UncheckedAdvice,
            ) -> Result<()> {
                // SAFETY: as the caller vouches. [caller]
                unsafe { self.region().advise_unchecked(&range, advice) }
            }
        }
    };
}

advise_unchecked!(Mapping);
advise_unchecked!(SharedMapping);
