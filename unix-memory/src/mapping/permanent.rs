//! Mappings that are permanent: mseal, on Linux and Android.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

use unix_memory_sys as sys;

use crate::error::{Arguments, Call, Error, Failed, Reason};
use crate::mapping::Mapping;
use crate::os::call;
use crate::protection::{Access, ReadExecute, ReadOnly, Readable, Writable};
use crate::region::limit::why_not_split;

/// A permanent mapping: nothing in this process can unmap it, move it or change its protection, not
/// even by mistake or in an attack.
///
/// [`Mapping::seal`] makes it. Dropping it does nothing: the memory stays until the process ends or
/// executes another program. So its bytes can be borrowed forever, with
/// [`into_static`](Self::into_static). Its content can still change, as its type allows: this is not
/// a seal on a file. Linux and Android only.
///
/// * **fork**: a child gets a copy that is sealed as well.
///
/// ```
/// use unix_memory::{Mapping, ReadOnly};
///
/// let mut table = Mapping::anonymous(100)?;
/// table[0] = 7;
/// match table.protect(ReadOnly)?.seal() {
///     Ok(table) => {
///         let forever: &'static [u8] = table.as_static();
///         assert_eq!(forever[0], 7);
///     }
///     Err(refused) => println!("{refused}"), // before Linux 6.10
/// }
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "mseal")]
pub struct Permanent<A: Access> {
    mapping: ManuallyDrop<Mapping<A>>,
}

/// On Linux and Android: permanent mappings.
impl<A: Access> Mapping<A> {
    /// Makes the kernel refuse forever to unmap or move these pages or to change their protection.
    ///
    /// If the pages cannot be written, advice that throws content away is refused too. Source:
    /// mseal(2), since Linux 6.10, on 64-bit kernels.
    ///
    /// # Errors
    /// The mapping comes back inside the error: `ENOSYS` before Linux 6.10 ([`Reason::Unsupported`]);
    /// `ENOSYS` or `EPERM` on 32-bit kernels; `ENOMEM` at the kernel's limit of mappings. In the last
    /// case, if the mapping had become several in the kernel, some of them may be sealed, and can no
    /// longer be unmapped.
    ///
    /// ```
    /// use unix_memory::{Mapping, ReadOnly};
    ///
    /// let config = Mapping::anonymous(100)?.protect(ReadOnly)?;
    /// if let Ok(config) = config.seal() {
    ///     drop(config); // and it is still there
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mseal")]
    pub fn seal(self) -> Result<Permanent<A>, Failed<Self>> {
        let pages = self.region().pages();
        if pages.len != 0 {
            // SAFETY: the pages are the mapping's own, and nobody unmaps them: where the call
            // succeeds, the mapping is not dropped. [owned, kept]
            let sealed = unsafe { sys::mseal(pages.start.as_ptr().cast(), pages.len, 0) };
            if let Err(errno) = call::zero_or_errno(sealed) {
                let reason = match errno {
                    libc::ENOSYS => Reason::Unsupported,
                    _ => why_not_split(errno),
                };
                let error = Error::new(Call::Mseal, errno, Arguments::Length(self.len()), reason);
                return Err(Failed::new(error, self));
            }
        }
        Ok(Permanent {
            mapping: ManuallyDrop::new(self),
        })
    }
}

impl<A: Access> Permanent<A> {
    /// The mapping, for what does not change it: advice, residency, locks.
    pub fn mapping(&self) -> &Mapping<A> {
        &self.mapping
    }
}

impl<A: Readable> Permanent<A> {
    /// The bytes, forever.
    #[must_use]
    pub fn into_static(self) -> &'static [u8] {
        let bytes: *const [u8] = &raw const *self;
        // SAFETY: the memory is never unmapped, and nobody changes it: `self`, the only way to do so,
        // is gone. [kept, unchanging]
        unsafe { &*bytes }
    }
}

impl<A: Writable> Permanent<A> {
    /// The bytes, forever, and writable.
    #[must_use]
    pub fn into_static_mut(mut self) -> &'static mut [u8] {
        let bytes: *mut [u8] = &raw mut *self;
        // SAFETY: the memory is never unmapped, and nobody else refers to it: `self` is gone.
        // [kept, borrowed]
        unsafe { &mut *bytes }
    }
}

/// Gives a `Permanent` that cannot be written the method that borrows forever.
macro_rules! as_static {
    ($access:ty) => {
        impl Permanent<$access> {
            /// The bytes, forever.
            #[must_use]
            pub fn as_static(&self) -> &'static [u8] {
                let bytes: *const [u8] = &raw const **self;
                // SAFETY: the memory is never unmapped, can never be written again, and is only read
                // through this type. [kept, unchanging]
                unsafe { &*bytes }
            }
        }
    };
}

as_static!(ReadOnly);
as_static!(ReadExecute);

impl<A: Readable> Deref for Permanent<A> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.mapping
    }
}

impl<A: Writable> DerefMut for Permanent<A> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.mapping
    }
}

impl<A: Readable> AsRef<[u8]> for Permanent<A> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<A: Writable> AsMut<[u8]> for Permanent<A> {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl<A: Access> fmt::Debug for Permanent<A> {
    /// Address, length and protection; never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permanent").field(&*self.mapping).finish()
    }
}
