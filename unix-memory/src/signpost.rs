//! Signposts: what users of other crates try first, but this crate cannot offer. Using any of it is a
//! compile error: each requires a trait that no type implements, and the compiler's message says what
//! to use instead. (`tests/compile_fail` tests the messages.)

use core::ops::{Index, IndexMut};

use crate::error::Result;
use crate::map::options::MapOptions;
use crate::mapping::Mapping;
use crate::protection::{Access, ReadWrite};
use crate::shared::SharedMapping;

/// Implemented for nothing.
#[diagnostic::on_unimplemented(
    message = "the bytes of a `SharedMapping` cannot be borrowed, since others may change them",
    label = "no reference to bytes that others may change",
    note = "copies: `mapping.read_at(offset, &mut buffer)?`, `write_at(offset, &bytes)?`, `to_vec()?`; \
            values: `read_value`, `write_value`; in place: `atomic`",
    note = "safe slices: `FileBytes::load(&file)?` has the content of any file; `Mapping::anonymous(len)?` \
            is memory that nobody else has",
    note = "if nobody else writes to it: `unsafe {{ mapping.assume_unshared() }}` is a `Mapping`, which \
            derefs to `[u8]`"
)]
pub trait Borrow {
    fn never() -> !;
}

/// Implemented for nothing.
#[diagnostic::on_unimplemented(
    message = "`MapOptions` maps a file with `map_shared` or `map_private`, depending on who sees what is written",
    label = "call `map_shared` or `map_private`",
    note = "to read the file: `map_shared(&file, ReadOnly)?`; to write it: `map_shared(&file, \
            ReadWrite)?`; copies that the file never sees: `map_private(&file, ReadWrite)?`",
    note = "none of them is unsafe: a `SharedMapping` copies bytes out and in; `FileBytes::load(&file)?` has \
            the content of any file as a slice"
)]
pub trait MapsFile {
    fn never() -> !;
}

/// Implemented for nothing.
#[diagnostic::on_unimplemented(
    message = "memory without a file is mapped with `Mapping::anonymous(len)` or `MapOptions::map_anonymous`",
    label = "call `Mapping::anonymous`",
    note = "with options: `MapOptions::new().len(len).map_anonymous(ReadWrite)?`"
)]
pub trait MapsMemory {
    fn never() -> !;
}

/// Implemented for nothing.
#[diagnostic::on_unimplemented(
    message = "`protect` changes the protection, and takes the new one",
    label = "`protect(ReadOnly)`, `protect(ReadWrite)` or `protect(ReadExecute)`",
    note = "it returns the mapping with the new type; if the kernel refuses, the error has the old mapping"
)]
pub trait Protects {
    fn never() -> !;
}

/// Implemented for nothing.
#[diagnostic::on_unimplemented(
    message = "`flush` writes changes back; its argument says how",
    label = "`flush(Flush::Async)`, or `flush_range(range, Flush::Async)`"
)]
pub trait Flushes {
    fn never() -> !;
}

#[doc(hidden)]
impl<A: Access, I: Borrow> Index<I> for SharedMapping<A> {
    type Output = u8;

    fn index(&self, _: I) -> &u8 {
        I::never()
    }
}

#[doc(hidden)]
impl<A: Access, I: Borrow> IndexMut<I> for SharedMapping<A> {
    fn index_mut(&mut self, _: I) -> &mut u8 {
        I::never()
    }
}

#[doc(hidden)]
impl<A: Access, T: Borrow + ?Sized> AsRef<T> for SharedMapping<A> {
    fn as_ref(&self) -> &T {
        T::never()
    }
}

#[doc(hidden)]
#[allow(clippy::missing_errors_doc, reason = "none of it can be called")]
impl MapOptions {
    pub fn map<F: MapsFile>(&self, _: F) -> Result<SharedMapping<ReadWrite>> {
        F::never()
    }

    pub fn map_mut<F: MapsFile>(&self, _: F) -> Result<SharedMapping<ReadWrite>> {
        F::never()
    }

    pub fn map_copy<F: MapsFile>(&self, _: F) -> Result<SharedMapping<ReadWrite>> {
        F::never()
    }

    pub fn map_raw<F: MapsFile>(&self, _: F) -> Result<SharedMapping<ReadWrite>> {
        F::never()
    }
}

/// Gives a guard the signposts for the methods of memmap2's types.
macro_rules! guard {
    ($guard:ident) => {
        #[doc(hidden)]
        #[allow(clippy::missing_errors_doc, reason = "none of it can be called")]
        impl<A: Access> $guard<A> {
            pub fn map<F: MapsFile>(_: F) -> Result<SharedMapping<ReadWrite>> {
                F::never()
            }

            pub fn map_mut<F: MapsFile>(_: F) -> Result<SharedMapping<ReadWrite>> {
                F::never()
            }

            pub fn map_anon<L: MapsMemory>(_: L) -> Result<Mapping<ReadWrite>> {
                L::never()
            }

            pub fn make_read_only(self) -> Result<Self>
            where
                A: Protects,
            {
                A::never()
            }

            pub fn make_mut(self) -> Result<Self>
            where
                A: Protects,
            {
                A::never()
            }

            pub fn make_exec(self) -> Result<Self>
            where
                A: Protects,
            {
                A::never()
            }

            pub fn flush_async(&self) -> Result<()>
            where
                A: Flushes,
            {
                A::never()
            }
        }
    };
}

guard!(Mapping);
guard!(SharedMapping);
