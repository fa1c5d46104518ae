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
//! | store mappings whose protection is known only when the program runs | [`Mapping<Protection>`](Mapping::erase) |
//! | grow and shrink | [`Mapping::resize`] |
//! | grow without ever moving, use a few pages of many addresses | [`reserve`] |
//! | give a thread or a coroutine a stack with a guard | [`Stack`] |
//! | read values of other types than bytes | [`Mapping::view`], [`SharedMapping::read_value`], [`PlainData`] |
//! | advise, throw away, bring in | [`Advice`], [`Mapping::discard`], [`Mapping::populate`], [`UncheckedAdvice`] |
//! | see what is in memory, keep it there | [`Mapping::residency`], [`Mapping::lock`], [`Locked`], [`ProcessLock`] |
//! | name memory, for readers of `/proc/<pid>/maps` | [`MapOptions::name`], [`Mapping::set_name`] |
//! | choose the NUMA nodes of memory, see on which it is | `MemoryPolicy`, `Nodes`, on Linux and Android |
//! | know which pages were written | [`Tracked`]: since a mark, for snapshots of what changed |
//! | write back | [`Flush`] |
//! | see what is mapped where, in this process or another | [`process_map`] |
//! | change the protection of memory that was mapped otherwise, lock it | [`foreign`] |
//! | run code that was just made | [`code`]; by hand, [`Mapping::protect`] to [`ReadExecute`] |
//! | keep keys: locked, not dumped, closed between uses, wiped | [`secret`] |
//! | hand memory to others, or take it from them | [`Mapping::into_raw`], [`Mapping::leak`], `bytes::Bytes::from_owner` |
//! | read and write what others may change | [`SharedMapping`]: copies of bytes and of values, atomics, a cursor |
//! | survive a truncated file at the speed of the processor | [`install_fault_handler`] |
//!
//! And with the feature `std`:
//!
//! * [`SharedMemory`] is memory without a file that others can be given; `NamedMemory` is found by
//!   a name.
//! * `SealedMemory` is memory that nobody can change any more: safe slices of what others made.
//! * [`ring`] has rings of bytes without a seam, within a process and between two.
//! * [`MappedFile`] grows with its file: append-only logs, growing tables.
//! * [`FileBytes`] is the content of any file as a safe slice: mapped where nobody can change the file,
//!   else read.
//! * [`Windows`] go over files that are larger than the address space.
//!
//! # What holds everywhere
//!
//! * **Lengths and ranges** are in bytes; a range counts from the start of the mapping. Hints,
//!   locks and flushes round a range outward to pages.
//! * **Length zero** is an empty guard: nothing is mapped, and its methods make no system calls.
//!   (To open one over a file asks what the file is.)
//! * **Limits**: at most `isize::MAX` bytes, in whole pages.
//! * **Errors** name the call, its arguments, the error number and the limit ([`Error`]). A call
//!   that takes a mapping gives it back inside the error ([`Failed`]). After `?` into
//!   [`std::io::Error`], `Error::from_io` returns it.
//! * **No safe call replaces a mapping**: with `MAP_FIXED` only pages of this crate's own are
//!   replaced, while a ring is made, and in a child. Nothing is placed where the stack of the main
//!   thread may grow ([`MapOptions::at`]).
//! * **`use unix_memory::*`** leaves the standard library's `Result` usable; its `Cursor` is the
//!   one of this crate.
//!
//! # Files that are truncated
//!
//! Whoever maps a file by hand is ended by SIGBUS when somebody truncates it. Here every copy out
//! of or into a [`SharedMapping`] (all of its methods but atomics, and `Cursor`) returns an error
//! instead, which says how far it got ([`Reason::Fault`]). There are several [`Mechanism`]s for
//! that. By default the kernel copies, which takes a system call for each copy, and installs
//! nothing. A program that copies little and often calls [`install_fault_handler`] once, at its
//! start: from then on copies cost what `memcpy` does, and every other fault stays what it was.
//! [`fault_handler`] reports whether another library has replaced the handler since. All of this
//! holds for shared memory without a file as well.
//!
//! An atomic ([`SharedMapping::atomics`]), and a slice for which you have vouched, are memory
//! itself: to touch them when the file is gone is still a SIGBUS. Sealed memory cannot be
//! truncated.
//!
//! # Coming from other crates
//!
//! The documentation for Linux has a module `peers`: a table of what memmap2, region, nix, rustix
//! and mmap-rs can do, and what does it here.
//!
//! # Platforms
//!
//! Linux, Android, Apple's systems, FreeBSD, DragonFly, NetBSD, OpenBSD, illumos and Solaris have
//! all of it, except that OpenBSD reports no residency, DragonFly has no [`process_map`], only Linux
//! and Android track writes ([`Tracked`]; others fail with `ENOSYS`), and some items are of some systems
//! alone: of Linux and Android huge pages (explicit ones, and how much is in any),
//! locks on fault, names of memory, `MemoryPolicy`, `Permanent`, `ProtectionKey` and
//! [secret memory](secret::Protections::SECRET_MEMORY); of these and FreeBSD memfds and sealed memory.
//! Android and L4Re lack shared memory objects with names. AIX, Cygwin, Emscripten, Fuchsia, Haiku,
//! Hurd, L4Re, NuttX, QNX Neutrino, Redox and RTEMS have what POSIX has: its advice (but that Cygwin,
//! L4Re and Redox lack [`Advice::Cold`]), and neither residency nor a process map (`ENOSYS`).
//! Emscripten, L4Re, NuttX and RTEMS enforce no protections ([`Protection::is_enforced`]). Elsewhere the crate
//! does not compile, and its message says why. So far its tests have run on Linux, and in part on
//! Emscripten; the README's table shows what was proved of the others.
//!
//! On Emscripten the C library does what elsewhere the kernel does, with plain memory. A mapping of a
//! file is a copy, which does not show what others write. It can be written where it is private; a
//! shared one to be written fails with `ENOTSUP`, because the C library would write it back to the
//! start of the file wherever the mapping begins, and, once the file is closed, to another one that was
//! opened under the same descriptor. Nothing is mapped at a given address, so that there are no rings,
//! and only a whole mapping can be unmapped: `unmap` of a part fails with `EINVAL`.
//!
//! # Features
//!
//! `std` (on by default): files, as anything that is `AsFd`, and conversion into `std::io::Error`.
//! Without it the crate is `no_std` and allocates nothing.
//!
//! `bytemuck`, `zerocopy`: types for which these crates vouch as plain data, `ByBytemuck` and
//! `ByZerocopy`.
//!
//! `stable_deref_trait`: `StableDeref` for [`Mapping`], [`Locked`], [`Guarded`], `FileBytes` and
//! `SealedMemory`, which yoke and `owning_ref` ask for.

#![no_std]
#![deny(missing_docs)]

#[cfg(feature = "std")]
extern crate std;

mod advice;
mod arch;
#[cfg(feature = "std")]
mod bytes;
pub mod code;
mod copy;
mod dirty;
mod error;
pub mod foreign;
mod guard;
mod lock;
mod map;
mod mapping;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod numa;
#[cfg(feature = "std")]
mod object;
mod os;
mod page;
mod page_list;
mod process;
pub mod process_map;
mod protection;
mod region;
pub mod reserve;
#[cfg(feature = "std")]
pub mod ring;
pub mod secret;
mod shared;
mod stack;
#[cfg(feature = "std")]
mod windows;

#[cfg(all(doc, feature = "std", any(target_os = "linux", target_os = "android")))]
pub mod peers {
    #![doc = include_str!("../docs/peers.md")]

    #[allow(unused_imports, reason = "the table links to all of it")]
    use crate::*;
}

pub use advice::Advice;
pub use advice::unchecked::UncheckedAdvice;
#[cfg(feature = "std")]
pub use bytes::{FileBytes, options::FileBytesOptions, way::Way};
pub use copy::mechanism::{
    FaultHandler, Mechanism, fault_handler, install_fault_handler, uninstall_fault_handler,
};
pub use dirty::tracked::Tracked;
pub use dirty::tracking::Tracking;
pub use dirty::written::Written;
pub use error::{Call, Error, Failed, FileKind, Reason, Result};
pub use guard::flush::Flush;
#[cfg(feature = "bytemuck")]
pub use guard::plain_data::ByBytemuck;
#[cfg(feature = "zerocopy")]
pub use guard::plain_data::ByZerocopy;
pub use guard::plain_data::PlainData;
pub use guard::populate::PopulateSteps;
pub use guard::span::Span;
pub use lock::guard::LockGuard;
pub use lock::locked::Locked;
pub use lock::process::{LockPages, ProcessLock};
pub use map::guarded::Guarded;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use map::huge_pages::HugePageSize;
pub use map::options::MapOptions;
pub use mapping::Mapping;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use mapping::keys::{Keyed, ProtectionKey};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use mapping::permanent::Permanent;
pub use mapping::raw::Backing;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use numa::nodes::Nodes;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use numa::policy::{MemoryPolicy, Migration};
#[cfg(feature = "std")]
#[allow(unused_imports, reason = "some systems have nothing of their own")]
pub use object::exports::*;
#[cfg(feature = "std")]
pub use object::shared_memory::SharedMemory;
pub use page::page_size;
pub use protection::{
    Access, Executable, ExecuteOnly, NoAccess, Protection, ReadExecute, ReadOnly, ReadWrite,
    ReadWriteExecute, Readable, Writable, WriteOnly,
};
pub use region::residency::Residency;
pub use shared::SharedMapping;
pub use shared::atomic::Atomic;
#[cfg(feature = "std")]
pub use shared::chunks::Chunks;
pub use shared::chunks::ChunksIn;
#[cfg(feature = "std")]
pub use shared::cursor::Cursor;
#[cfg(feature = "std")]
pub use shared::mapped_file::MappedFile;
pub use stack::Stack;
#[cfg(feature = "std")]
pub use windows::Windows;
#[cfg(feature = "std")]
pub use windows::window::Window;

/// The programs of the page that crates.io shows.
#[cfg(all(doctest, feature = "std", target_os = "linux"))]
#[doc = include_str!("../README.md")]
struct Readme;
