//! What may be done with the pages of a mapping: as flags, and as types.

use core::ffi::c_int;
use core::fmt::Debug;

use unix_memory_sys as sys;

bitflags::bitflags! {
    /// What may be done with pages. Without any flag, every access raises SIGSEGV.
    ///
    /// The bits are the platform's `PROT_` values. Source: mprotect(2), POSIX.1-2024.
    ///
    /// ```
    /// use unix_memory::{Access, Protection, ReadWrite};
    ///
    /// assert_eq!(ReadWrite.protection(), Protection::READ | Protection::WRITE);
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[doc(alias = "ProtFlags")]
    #[doc(alias = "MprotectFlags")]
    #[doc(alias = "from_bits_unchecked")]
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
/// All implementors are in this crate. Each is also a unit value, which methods take:
/// `mapping.protect(ReadOnly)`. The exception is [`Protection`] itself, with which the protection of a
/// guard is a value that is known only at run time: see [`Mapping::erase`](crate::Mapping::erase).
pub trait Access: sealed::Sealed + Copy + Debug + Send + Sync + Unpin + 'static {
    /// The protection as flags.
    fn protection(self) -> Protection;
}

impl sealed::Sealed for Protection {}
impl Access for Protection {
    /// Itself, without bits that have no name.
    fn protection(self) -> Protection {
        Protection::from_bits_truncate(self.bits())
    }
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
            fn protection(self) -> Protection {
                $protection
            }
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
    /// Writing only.
    ///
    /// A [`Mapping`](crate::Mapping) with it gives out no slice, since a slice can be read; use
    /// [`write_at`](crate::Mapping::write_at) and [`fill`](crate::Mapping::fill). A
    /// [`SharedMapping`](crate::SharedMapping) with it has no methods that copy.
    ///
    /// # Platform
    /// Most processors can read whatever they can write. On those, such pages can be read too, and
    /// only the type prevents it: it guards against mistakes, but does not protect secrets. Source:
    /// mmap(2), "Notes".
    ///
    /// ```
    /// use unix_memory::{MapOptions, ReadOnly, WriteOnly};
    ///
    /// let mut log = MapOptions::new().len(100).map_anonymous(WriteOnly)?;
    /// log.write_at(95, b"entry")?;
    /// let log = log.protect(ReadOnly)?;
    /// assert_eq!(&log[95..], b"entry");
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "PROT_WRITE")]
    WriteOnly = Protection::WRITE
}
access! {
    /// Executing only: machine code that cannot be read.
    ///
    /// A mapping with it has no methods that read; to call the code, only its
    /// [address](crate::Mapping::as_ptr) is needed. Code that keeps constants among its instructions
    /// reads them, and so needs [`ReadExecute`].
    ///
    /// Changing to it makes what was written coherent with the instruction cache, as changing to
    /// [`ReadExecute`] does. Where this crate does not know how to do that, the change does not report
    /// it: to find out, call [`sync_instruction_cache`](crate::Mapping::sync_instruction_cache) first,
    /// while the mapping can still be read.
    ///
    /// # Platform
    /// Whether such pages can be read depends on the processor. They cannot be read on arm64 with
    /// `FEAT_EPAN` (since Linux 5.13), on RISC-V, on x86-64 with protection keys, of which the kernel
    /// takes one (since Linux 4.9; pkeys(7)), and on most architectures of OpenBSD since 7.3.
    /// Elsewhere, whatever can be executed can also be read, and only the type prevents it.
    ///
    /// ```
    /// use unix_memory::{ExecuteOnly, Mapping};
    ///
    /// let mut code = Mapping::anonymous(100)?;
    /// code.fill(0); // normally: write instructions
    /// match code.protect(ExecuteOnly) {
    ///     Ok(code) => println!("it can be called at {:p}", code.as_ptr()),
    ///     Err(refused) => println!("{refused}"), // some systems forbid it
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "PROT_EXEC")]
    ExecuteOnly = Protection::EXECUTE
}
access! {
    /// Reading, writing and executing. OpenBSD, NetBSD, SELinux and others refuse it; prefer to change
    /// from [`ReadWrite`] to [`ReadExecute`].
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
