//! Safe memory mappings for Unix.
//!
//! Two guards, which unmap on drop:
//!
//! * [`Mapping<A>`](Mapping) is memory that only this program changes. It derefs to `[u8]` exactly
//!   where its protection `A`, a type, allows.
//! * [`SharedMapping<A>`](SharedMapping) is memory that others may change: files, devices, shared
//!   memory. Making one is safe; bytes are copied out and in, or used as atomics. One `unsafe` call
//!   turns it into a [`Mapping`], when you know that nobody else writes.
//!
//! ```
//! use unix_memory::{Mapping, MapOptions, ReadOnly};
//!
//! // A megabyte of zeroed memory, then made read-only.
//! let mut table = Mapping::anonymous(1 << 20)?;
//! table[42] = 7;
//! let table = table.protect(ReadOnly)?;
//! assert_eq!(table[42], 7);
//!
//! // A file, which others may be writing to.
//! let file = std::fs::File::open(std::env::current_exe()?)?;
//! let program = MapOptions::new().map_shared(&file, ReadOnly)?;
//! let mut start = [0; 4];
//! program.read_at(0, &mut start)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What there is
//!
//! | to | use |
//! |---|---|
//! | map memory, files, devices, at a place, aligned, in huge pages | [`MapOptions`], [`Mapping::anonymous`] |
//! | change what may be done with pages | [`Mapping::protect`], on a part after [`Mapping::split_at`]; [`Guarded`] |
//! | grow and shrink | [`Mapping::resize`] |
//! | read values of other types than bytes | [`Mapping::view`], [`PlainData`] |
//! | advise, throw away, bring in | [`Advice`], [`Mapping::discard`], [`Mapping::populate`], [`UncheckedAdvice`] |
//! | see what is in memory, keep it there | [`Mapping::residency`], [`Mapping::lock`], [`Locked`], [`ProcessLock`] |
//! | write back | [`Flush`] |
//! | run code that was just made | [`Mapping::protect`] to [`ReadExecute`] |
//! | hand memory to others, or take it from them | [`Mapping::into_raw`], [`Mapping::leak`], `bytes::Bytes::from_owner` |
//! | read and write what others may change | [`SharedMapping`]: copies, atomics, a cursor |
//! | survive a truncated file at the speed of the processor | [`install_fault_handler`] |
//!
//! And with the feature `std`:
//!
//! * [`SharedMemory`] is memory without a file that others can be given; `NamedMemory` is found by a
//!   name.
//! * `SealedMemory` is memory that nobody can change any more: safe slices of what others made.
//! * [`ring`] has rings of bytes without a seam, within a process and between two.
//! * [`Windows`] go over files that are larger than the address space.
//!
//! # What holds everywhere
//!
//! * **Lengths and ranges** are in bytes; a range counts from the start of the mapping. Hints, locks
//!   and flushes round a range outward to pages.
//! * **Length zero** is an empty guard: nothing is mapped, and its methods make no system calls.
//!   (To open one over a file asks what the file is.)
//! * **Limits**: at most `isize::MAX` bytes, in whole pages.
//! * **Errors** name the call, its arguments, the error number and the limit ([`Error`]). A call
//!   that takes a mapping gives it back inside the error ([`Failed`]). After `?` into
//!   [`std::io::Error`], `Error::from_io` returns it.
//! * **No safe call replaces a mapping**: with `MAP_FIXED` only pages of this crate's own are replaced,
//!   while a ring is made, and in a child. Nothing is placed where the stack of the main thread may
//!   grow ([`MapOptions::at`]).
//! * **`use unix_memory::*`** leaves the standard library's `Result` usable; its `Cursor` is the one of
//!   this crate.
//!
//! # Files that are truncated
//!
//! Whoever maps a file by hand is ended by SIGBUS when somebody truncates it. Here every copy out of
//! or into a [`SharedMapping`] (all of its methods but atomics, and `Cursor`) returns an error
//! instead, which says how far it got ([`Reason::Fault`]). There are several [`Mechanism`]s for that.
//! By default the kernel copies, which takes a system call for each copy, and installs nothing. A
//! program that copies little and often calls [`install_fault_handler`] once, at its start: from then
//! on copies cost what `memcpy` does, and every other fault stays what it was. [`fault_handler`]
//! reports whether another library has replaced the handler since. All of this holds for shared
//! memory without a file as well.
//!
//! An atomic ([`SharedMapping::atomics`]), and a slice for which you have vouched, are memory itself:
//! to touch them when the file is gone is still a SIGBUS. Sealed memory cannot be truncated.
//!
//! # Coming from other crates
//!
//! The documentation for Linux has a module `peers`: a table of what memmap2, region, nix, rustix and
//! mmap-rs can do, and what does it here.
//!
//! # Platforms
//!
//! Linux, Android, Apple's systems, FreeBSD, DragonFly, NetBSD, OpenBSD, illumos and Solaris have
//! all of it, but that OpenBSD tells no residency, and what says that it is of some systems alone:
//! of Linux and Android explicit huge pages, locks on fault, `Permanent` and `ProtectionKey`; of
//! these and FreeBSD memfds and sealed memory. Android and L4Re lack memory with names. AIX,
//! Cygwin, Emscripten, Fuchsia, Haiku, Hurd, L4Re, NuttX, QNX Neutrino, Redox and RTEMS have what
//! POSIX has: its advice values, and no residency (`ENOSYS`). Elsewhere the crate does not compile,
//! and says why. So far its tests have run on Linux alone; the README's table tells what was proved
//! of the others.
//!
//! # Features
//!
//! `std` (on by default): files, as anything that is `AsFd`, and conversion into `std::io::Error`.
//! Without it the crate is `no_std` and allocates nothing.

#![no_std]
#![deny(missing_docs)]

#[cfg(feature = "std")]
extern crate std;

mod advice;
mod arch;
mod atomic;
mod bytes;
mod call;
mod chunks;
mod claims;
mod copy;
#[cfg(feature = "std")]
mod cursor;
mod discard;
#[cfg(feature = "std")]
mod durable;
mod errno;
mod error;
mod fault;
#[cfg(feature = "std")]
mod file;
mod flush;
mod guard;
mod guarded;
mod icache;
mod ledger;
mod lock;
mod lock_process;
mod locked;
mod mapping;
#[cfg(feature = "std")]
mod object;
mod options;
mod os;
mod page;
mod place;
mod populate;
mod process;
mod protection;
mod raw;
mod region;
mod residency;
mod resize;
#[cfg(feature = "std")]
pub mod ring;
mod shared;
mod span;
mod spare;
mod split;

mod unchecked_advice;
mod view;
#[cfg(feature = "std")]
mod windows;

pub use advice::Advice;
pub use atomic::Atomic;
#[cfg(feature = "std")]
pub use chunks::Chunks;
pub use chunks::ChunksIn;
#[cfg(feature = "std")]
pub use cursor::Cursor;
pub use error::{Call, Error, Failed, FileKind, Reason, Result};
pub use fault::{
    FaultHandler, Mechanism, fault_handler, install_fault_handler, uninstall_fault_handler,
};
pub use flush::Flush;
pub use guarded::Guarded;
pub use lock::LockGuard;
pub use lock_process::{LockPages, ProcessLock};
pub use locked::Locked;
pub use mapping::Mapping;
#[cfg(feature = "std")]
pub use object::SharedMemory;
pub use options::MapOptions;
#[allow(unused_imports, reason = "some systems have nothing of their own")]
pub use os::extra::*;
#[cfg(feature = "std")]
#[allow(unused_imports, reason = "some systems have nothing of their own")]
pub use os::objects::*;
pub use page::page_size;
pub use populate::PopulateSteps;
pub use protection::{
    Access, Executable, NoAccess, Protection, ReadExecute, ReadOnly, ReadWrite, ReadWriteExecute,
    Readable, Writable,
};
pub use raw::Backing;
pub use residency::Residency;
pub use shared::SharedMapping;
pub use span::Span;
pub use unchecked_advice::UncheckedAdvice;
pub use view::PlainData;
#[cfg(feature = "std")]
pub use windows::{Window, Windows};
