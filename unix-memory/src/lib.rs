//! Safe memory mappings for Unix.
//!
//! A mapping is memory that the kernel fills for you: with zeros, with a file's content as pages are
//! touched, or with what another process writes. This crate makes mappings, changes them, and unmaps
//! them on drop. There are two guards:
//!
//! * [`Mapping<A>`](Mapping) is memory that only this program changes. It derefs to `[u8]`.
//! * [`SharedMapping<A>`](SharedMapping) is memory that others may change too, such as a file. Bytes are
//!   copied out of it and into it.
//!
//! `A` is the protection, a type such as [`ReadOnly`]: calling a method that the protection does not allow
//! is a compile error.
//!
//! ```
//! use unix_memory::{Mapping, MapOptions, ReadOnly};
//!
//! // A megabyte of zeros, then made read-only.
//! let mut table = Mapping::anonymous(1 << 20)?;
//! table[42] = 7;
//! let table = table.protect(ReadOnly)?;
//! assert_eq!(table[42], 7);
//!
//! // A file, to which others may be writing.
//! let file = std::fs::File::open(std::env::current_exe()?)?;
//! let program = MapOptions::new().map_shared(&file, ReadOnly)?;
//! let mut start = [0; 4];
//! program.read_at(0, &mut start)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The [`cookbook`] has a program for each common purpose. If you know memmap2, region, nix, rustix,
//! mmap-rs or the Haskell package of the same name, start with [`peers`].
//!
//! # Files, and what is safe about them
//!
//! A `&[u8]` promises that its bytes do not change while it lives; the compiler relies on that, and a
//! change is undefined behaviour. A mapped file cannot keep that promise: another process may write to it
//! at any moment, and even a private mapping shows such writes until its pages are copied. No lock and no
//! file permission rules that out on Unix. So one of three things must hold:
//!
//! 1. **There is no reference.** [`SharedMapping`] copies bytes out and in, or gives out atomics. All of
//!    this is safe, whatever others do.
//! 2. **Nobody can write.** The kernel itself refuses writes to sealed memory and to files with
//!    fs-verity: [`SealedMemory`] derefs to `[u8]`, and is safe.
//! 3. **You vouch for it.** [`SharedMapping::assume_unshared`] and [`FileBytesOptions::map_shared`] are
//!    `unsafe`, and give out `[u8]`. Their `# Safety` sections state what you vouch for: nobody writes to
//!    the file or truncates it while the slice is in use.
//!
//! [`FileBytes::load`] chooses between the second and a plain read, and is safe for any file.
//!
//! **Truncation.** Touching a page that is mapped but no longer in the file raises SIGBUS, which ends the
//! process. Every copy out of or into a [`SharedMapping`] returns an error instead, which says how far the
//! copy got ([`Reason::Fault`]). By default the kernel makes these copies, with one system call each. A
//! program that makes many small copies calls [`install_fault_handler`] once, at its start: from then on a
//! copy costs what `memcpy` does ([`Mechanism`]). Atomics, and slices that you vouched for, refer to the
//! memory itself: touching them can still raise SIGBUS.
//!
//! # Which guard
//!
//! | you have, or want | use |
//! |---|---|
//! | memory of your own: zeroed, aligned, at an address, in huge pages | [`Mapping::anonymous`], [`MapOptions`] |
//! | a file or a device, mapped | [`MapOptions::map_shared`], [`map_private`](MapOptions::map_private) |
//! | the bytes of a file as a slice | [`FileBytes`] |
//! | a file that grows | [`MappedFile`] |
//! | a file larger than the address space | [`Windows`] |
//! | memory for two processes | [`SharedMemory`], [`NamedMemory`], [`SealedMemory`], [`ring::SharedRing`] |
//! | a buffer whose content never moves | [`reserve::ReservedVec`], [`reserve::Reservation`] |
//! | memory for a stack, for a key, for machine code | [`Stack`], [`secret::Secret`], [`code::CodeBuffer`] |
//! | a mapping that another library made | [`foreign`]; to find it, [`process_map`] |
//! | a protection that is known only at run time | [`Mapping<Protection>`](Mapping::erase) |
//!
//! # What a mapping can do
//!
//! | to | use |
//! |---|---|
//! | change the protection of all or of a part | [`Mapping::protect`], after [`Mapping::split_at`] |
//! | put guard pages around it | [`MapOptions::map_guarded`] |
//! | grow and shrink | [`Mapping::resize`] |
//! | read and write values | [`Mapping::view`], [`SharedMapping::read_value`], [`PlainData`] |
//! | advise the kernel | [`Advice`]; for what does more than advise, [`UncheckedAdvice`] |
//! | bring pages in, see which are in memory, drop content | [`Mapping::populate`], [`Mapping::residency`], [`Mapping::discard`] |
//! | keep pages in memory | [`Mapping::lock`], [`Locked`], [`ProcessLock`] |
//! | write back to the file | [`Flush`], [`Mapping::flush_durable`] |
//! | know which pages were written | [`Tracked`] |
//! | choose NUMA nodes | [`MemoryPolicy`], [`Nodes`] |
//! | name it in `/proc/<pid>/maps` | [`MapOptions::name`] |
//! | hand it to others | [`Mapping::into_raw`], [`Mapping::leak`], `bytes::Bytes::from_owner` |
//!
//! # What holds everywhere
//!
//! * **Lengths and ranges** are in bytes; a range counts from the start of the mapping. Hints, locks and
//!   flushes round a range outward to whole pages. Calls that destroy content round inward, or not at all.
//! * **Length zero** is an empty guard: nothing is mapped, and its methods make no system calls. (Opening
//!   one over a file still asks the system what the file is.)
//! * **Limits**: at most `isize::MAX` bytes, in whole pages.
//! * **Errors** name the call, its arguments, the error number and the limit ([`Error`]). A call that takes
//!   a mapping gives it back inside the error ([`Failed`]). After `?` into [`std::io::Error`],
//!   `Error::from_io(&error)` returns it, with the `errno` that `raw_os_error` lacks.
//! * **No safe call replaces a mapping.** `MAP_FIXED` is used only over this crate's own pages: while a
//!   ring is made, and in a child. Nothing is placed where the stack of the main thread may grow
//!   ([`MapOptions::at`]).
//! * **Drop** unmaps, and never panics. `unmap` does the same and returns errors. A kernel at its limit of
//!   mappings can refuse to unmap a part of what it has merged. A drop then still gives the memory back;
//!   the addresses are unmapped by a later drop, or stay in use.
//! * **`use unix_memory::*`** leaves the standard library's `Result` usable; `Cursor` then means this
//!   crate's.
//!
//! # When not to map
//!
//! For a small file, or one that is read once from start to end, `std::fs::read` and `BufReader` are as
//! fast, and simpler. For less than a few hundred KiB of memory, use the heap. For an allocator or another
//! safe crate, the raw calls are in `unix-memory-sys`.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `std`, the default | files, as anything that is `AsFd`; conversion into `std::io::Error`. Without it the crate is `no_std`, and allocates nothing |
//! | `bytemuck`, `zerocopy` | `ByBytemuck`, `ByZerocopy`: types for which these crates vouch, as [`PlainData`] |
//! | `stable_deref_trait` | `StableDeref` for [`Mapping`], [`Locked`], [`Guarded`], [`FileBytes`] and [`SealedMemory`], as yoke and `owning_ref` require |
//!
//! # Platforms
//!
//! | systems | what they have |
//! |---|---|
//! | Linux, Android | everything, except for [`NamedMemory`] on Android |
//! | FreeBSD | everything except what only Linux and Android have |
//! | Apple's, DragonFly, NetBSD, OpenBSD, illumos, Solaris | the same, without memfds and sealed memory |
//! | AIX, Cygwin, Emscripten, Fuchsia, Haiku, Hurd, L4Re, NuttX, QNX Neutrino, Redox, RTEMS | what POSIX has |
//!
//! Only Linux and Android have explicit huge pages and figures about huge pages ([`HugePageSize`]), locks
//! on fault, names of memory, [`MemoryPolicy`], [`Permanent`], [`ProtectionKey`], [`Tracked`] (elsewhere
//! `ENOSYS`) and [secret memory](secret::Protections::SECRET_MEMORY). Where a type or a method does not
//! exist on every system, its page says so.
//!
//! The tests run on Linux, and in part on Emscripten. What was proved about other systems is in the
//! repository's [PLATFORMS.md](https://github.com/unix-memory/unix-memory/blob/main/PLATFORMS.md). On a
//! system that is not in the table, the crate does not compile, and the compiler's message says why.
//!
//! ## What particular systems lack
//!
//! * **OpenBSD** reports no residency; **DragonFly** has no [`process_map`].
//! * **Android** and **L4Re** have no shared memory objects with names.
//! * **Systems with POSIX alone** have its five kinds of advice (Cygwin, L4Re and Redox lack
//!   [`Advice::Cold`]), but neither residency nor a process map (`ENOSYS`).
//! * **Emscripten, L4Re, NuttX and RTEMS** enforce no protections ([`Protection::is_enforced`]).
//!
//! ## Emscripten
//!
//! There, the C library does with plain memory what the kernel does elsewhere.
//!
//! * A mapping of a file is a copy, which does not show what others write. A private mapping can be
//!   writable; a shared writable one fails with `ENOTSUP`, because the C library would write it back to the
//!   start of the file wherever the mapping begins, and, once the file is closed, to whichever file has the
//!   same descriptor by then.
//! * Nothing can be mapped at a given address, so there are no rings.
//! * Only a whole mapping can be unmapped: `unmap` of a part fails with `EINVAL`.
//!
// Links to what only some systems have: to this crate's own items there, and to those of Linux elsewhere.
#![cfg_attr(
    any(target_os = "linux", target_os = "android"),
    doc = "
[`HugePageSize`]: crate::HugePageSize
[`MemoryPolicy`]: crate::MemoryPolicy
[`Nodes`]: crate::Nodes
[`Permanent`]: crate::Permanent
[`ProtectionKey`]: crate::ProtectionKey
"
)]
#![cfg_attr(
    not(any(target_os = "linux", target_os = "android")),
    doc = "
[`HugePageSize`]: https://docs.rs/unix-memory/latest/unix_memory/struct.HugePageSize.html
[`MemoryPolicy`]: https://docs.rs/unix-memory/latest/unix_memory/struct.MemoryPolicy.html
[`Nodes`]: https://docs.rs/unix-memory/latest/unix_memory/struct.Nodes.html
[`Permanent`]: https://docs.rs/unix-memory/latest/unix_memory/struct.Permanent.html
[`ProtectionKey`]: https://docs.rs/unix-memory/latest/unix_memory/struct.ProtectionKey.html
"
)]
#![cfg_attr(
    all(
        feature = "std",
        any(target_os = "linux", target_os = "android", target_os = "freebsd")
    ),
    doc = "[`SealedMemory`]: crate::SealedMemory"
)]
#![cfg_attr(
    not(all(
        feature = "std",
        any(target_os = "linux", target_os = "android", target_os = "freebsd")
    )),
    doc = "[`SealedMemory`]: https://docs.rs/unix-memory/latest/unix_memory/struct.SealedMemory.html"
)]
#![cfg_attr(
    all(feature = "std", not(any(target_os = "android", target_os = "l4re"))),
    doc = "[`NamedMemory`]: crate::NamedMemory"
)]
#![cfg_attr(
    not(all(feature = "std", not(any(target_os = "android", target_os = "l4re")))),
    doc = "[`NamedMemory`]: https://docs.rs/unix-memory/latest/unix_memory/struct.NamedMemory.html"
)]
#![cfg_attr(
    all(feature = "std", any(target_os = "linux", target_os = "android")),
    doc = "[`peers`]: crate::peers"
)]
#![cfg_attr(
    not(all(feature = "std", any(target_os = "linux", target_os = "android"))),
    doc = "[`peers`]: https://docs.rs/unix-memory/latest/unix_memory/peers/index.html"
)]
#![no_std]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

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
mod signpost;
mod stack;
#[cfg(feature = "std")]
mod windows;

#[cfg(all(any(doc, doctest), feature = "std"))]
pub mod cookbook {
    #![doc = include_str!("../docs/cookbook.md")]

    #[allow(unused_imports, reason = "its text links to all of it")]
    use crate::*;
}

#[cfg(all(
    any(doc, doctest),
    feature = "std",
    any(target_os = "linux", target_os = "android")
))]
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
pub use error::{Call, Error, Failed, FaultCause, FileKind, Reason, Result};
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

/// The programs of the README, which crates.io shows.
#[cfg(all(doctest, feature = "std", target_os = "linux"))]
#[doc = include_str!("../README.md")]
struct Readme;
