//! Guards whose protection is a value, known only when the program runs.

use core::ptr;

use crate::error::Result;
use crate::mapping::Mapping;
use crate::protection::{Access, Protection, ReadOnly, ReadWrite};
use crate::region::Region;
use crate::shared::SharedMapping;

/// Gives a guard the methods for a protection that is a value. `$protect` is the method of the region
/// that changes its protection; `$new` makes a writable guard, for the examples.
macro_rules! erased {
    ($guard:ident, $protect:ident, $new:literal) => {
        impl<A: Access> $guard<A> {
            /// The same mapping, with its protection as a value instead of a type, so that one field of
            /// a struct can hold mappings of any protection.
            ///
            /// A method that takes an access can also make such a mapping directly:
            /// `options.map_shared(&file, Protection::READ)`.
            ///
            /// ```
            #[doc = concat!("use unix_memory::{Protection, ReadOnly, ", stringify!($guard), "};")]
            ///
            /// struct Loaded {
            #[doc = concat!("    mapping: ", stringify!($guard), "<Protection>,")]
            /// }
            ///
            #[doc = $new]
            /// let mut loaded = Loaded { mapping: mapping.erase() };
            /// loaded.mapping.set_protection(Protection::READ)?;
            /// assert!(loaded.mapping.readable().is_some());
            /// assert!(loaded.mapping.downcast::<ReadOnly>().is_ok());
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            pub fn erase(self) -> $guard<Protection> {
                let protection = self.protection();
                self.with_access(protection)
            }
        }

        impl $guard<Protection> {
            /// Changes the protection of the pages in place, as [`protect`](Self::protect) does.
            ///
            /// Source: mprotect(2), POSIX.1-2024.
            ///
            /// # Errors
            /// Those of [`protect`](Self::protect); the mapping is as it was.
            #[doc(alias = "mprotect")]
            pub fn set_protection(&mut self, protection: Protection) -> Result<()> {
                let (old, new) = (self.protection(), protection.protection());
                // SAFETY: `self` is borrowed exclusively, so no reference into the mapping lives, and
                // what it gives out later is what the new protection allows. [borrowed]
                unsafe { self.region().$protect(old, new) }?;
                self.set_access(new);
                Ok(())
            }

            /// The mapping, with its protection as a type again.
            ///
            /// # Errors
            /// The mapping itself, if its protection is not `A`.
            pub fn downcast<A: Access + Default>(self) -> core::result::Result<$guard<A>, Self> {
                let access = A::default();
                if access.protection() == self.protection() {
                    Ok(self.with_access(access))
                } else {
                    Err(self)
                }
            }

            /// The mapping for reading, if it can be read, whatever else its protection allows.
            #[must_use]
            pub fn readable(&self) -> Option<&$guard<ReadOnly>> {
                let can = self.protection().contains(Protection::READ);
                // SAFETY: both have the same fields at the same places, except that the last one is
                // empty there; and whatever a shared reference to it can do is allowed.
                // [layout, access]
                can.then(|| unsafe { &*ptr::from_ref(self).cast() })
            }
        }

        impl<A: Access + Default> Default for $guard<A> {
            /// An empty mapping: what [`take`](core::mem::take), for example, leaves in a field.
            fn default() -> Self {
                Self::from_region(Region::none(), A::default())
            }
        }

        impl Default for $guard<Protection> {
            /// An empty mapping, without access.
            fn default() -> Self {
                Self::from_region(Region::none(), Protection::empty())
            }
        }
    };
}

erased!(
    Mapping,
    protect_in_place,
    "let mapping = Mapping::anonymous(100)?;"
);
erased!(
    SharedMapping,
    protect,
    "let mapping: SharedMapping<unix_memory::ReadWrite> =
    unix_memory::MapOptions::new().len(100).map_anonymous_shared(unix_memory::ReadWrite)?;"
);

impl Mapping<Protection> {
    /// The bytes, if they can be read.
    ///
    /// ```
    /// use unix_memory::{MapOptions, Protection};
    ///
    /// let mut mapping = MapOptions::new().len(100).map_anonymous(Protection::empty())?;
    /// assert!(mapping.as_slice().is_none());
    /// mapping.set_protection(Protection::READ | Protection::WRITE)?;
    /// mapping.as_mut_slice().unwrap()[99] = 1;
    /// assert_eq!(mapping.as_slice().unwrap()[98..], [0, 1]);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        self.readable().map(|mapping| &**mapping)
    }

    /// The bytes, if they can be read and written.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> Option<&mut [u8]> {
        if !self
            .protection()
            .contains(Protection::READ | Protection::WRITE)
        {
            return None;
        }
        let region = self.region();
        // SAFETY: as for `Mapping<ReadWrite>`, which derefs to them: they can be read and written, and
        // the borrow is exclusive. [access, borrowed]
        Some(unsafe { core::slice::from_raw_parts_mut(region.start().as_ptr(), region.len()) })
    }
}

impl SharedMapping<Protection> {
    /// The mapping for reading and writing, if it can be read and written.
    ///
    /// ```
    /// use unix_memory::{MapOptions, Protection};
    ///
    /// let protection = Protection::READ | Protection::WRITE;
    /// let mut mapping = MapOptions::new().len(100).map_anonymous_shared(protection)?;
    /// mapping.writable().unwrap().write_at(0, b"written")?;
    /// mapping.set_protection(Protection::READ)?;
    /// assert!(mapping.writable().is_none());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[must_use]
    pub fn writable(&self) -> Option<&SharedMapping<ReadWrite>> {
        let both = Protection::READ | Protection::WRITE;
        let can = self.protection().contains(both);
        // SAFETY: as for `readable`; a shared reference to it is for writing too, beside others.
        // [layout, access]
        can.then(|| unsafe { &*ptr::from_ref(self).cast() })
    }
}

static_assertions::assert_impl_all!(Mapping<Protection>: Send, Sync, Unpin);
static_assertions::assert_eq_size!(Mapping<Protection>, Option<Mapping<Protection>>, [usize; 3]);
static_assertions::assert_eq_size!(
    SharedMapping<Protection>,
    Option<SharedMapping<Protection>>,
    [usize; 4]
);
