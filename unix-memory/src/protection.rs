//! What may be done with the pages of a mapping: as flags, and as types.

use core::ffi::c_int;
use core::fmt::Debug;

use unix_memory_sys as sys;

bitflags::bitflags! {
    /// What may be done with pages. Empty: nothing, any access is a SIGSEGV.
    ///
    /// The bits are the platform's `PROT_` values. Source: mprotect(2), POSIX.1-2024.
    ///
    /// ```
    /// use unix_memory::{Access, Protection, ReadWrite};
    ///
    /// assert_eq!(ReadWrite::PROTECTION, Protection::READ | Protection::WRITE);
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Protection: c_int {
        /// Pages may be read.
        #[doc(alias = "PROT_READ")]
        const READ = sys::PROT_READ;
        /// Pages may be written.
        #[doc(alias = "PROT_WRITE")]
        const WRITE = sys::PROT_WRITE;
        /// Pages may be executed.
        #[doc(alias = "PROT_EXEC")]
        const EXECUTE = sys::PROT_EXEC;
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A protection as a type: the `A` of [`Mapping<A>`](crate::Mapping).
///
/// Its implementors are all in this crate; each is a unit value too, which is what methods take:
/// `mapping.protect(ReadOnly)`.
pub trait Access: sealed::Sealed + Copy + Debug + Default + Send + Sync + Unpin + 'static {
    /// The protection as flags.
    const PROTECTION: Protection;
}

/// An [`Access`] under which pages can be read.
pub trait Readable: Access {}

/// An [`Access`] under which pages can be read and written.
pub trait Writable: Readable {}

/// An [`Access`] under which pages can be read and executed.
pub trait Executable: Readable {}

/// Declares an access type.
macro_rules! access {
    ($(#[$doc:meta])* $name:ident = $protection:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name;

        impl sealed::Sealed for $name {}
        impl Access for $name {
            const PROTECTION: Protection = $protection;
        }
    };
}

access! {
    /// No access at all: reserved address space, guard pages, secrets at rest.
    #[doc(alias = "PROT_NONE")]
    NoAccess = Protection::empty()
}
access! {
    /// Reading only.
    #[doc(alias = "PROT_READ")]
    ReadOnly = Protection::READ
}
access! {
    /// Reading and writing.
    #[doc(alias = "PROT_WRITE")]
    ReadWrite = Protection::READ.union(Protection::WRITE)
}
access! {
    /// Reading and executing: finished machine code.
    #[doc(alias = "PROT_EXEC")]
    ReadExecute = Protection::READ.union(Protection::EXECUTE)
}
access! {
    /// Everything at once. OpenBSD, NetBSD, SELinux and others refuse it; prefer a change from
    /// [`ReadWrite`] to [`ReadExecute`].
    #[doc(alias = "PROT_EXEC")]
    ReadWriteExecute = Protection::all()
}

impl Readable for ReadOnly {}
impl Readable for ReadWrite {}
impl Readable for ReadExecute {}
impl Readable for ReadWriteExecute {}
impl Executable for ReadExecute {}
impl Executable for ReadWriteExecute {}
impl Writable for ReadWrite {}
impl Writable for ReadWriteExecute {}
