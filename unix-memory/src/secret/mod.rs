//! Memory for keys: locked, left out of core dumps and child processes, between guard pages, inaccessible
//! unless borrowed, and wiped on drop.
//!
//! ```
//! use unix_memory::secret::{Protections, SecretOptions};
//!
//! let options = SecretOptions::new().optional(Protections::LOCKED);
//! let mut key = options.new_with(32, |bytes| bytes.fill(7))?; // normally: from a random number generator
//!
//! let sum = key.with(|bytes| bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>())?;
//! assert_eq!(sum, 7 * 32);
//! key.with_mut(|bytes| bytes[0] ^= 1)?;
//! # Ok::<(), unix_memory::Error>(())
//! ```
//!
//! # The memory
//! A [`Secret`] has pages of its own, at least one, between two guard pages. Its bytes are the last ones of
//! its pages, so an access past their end raises SIGSEGV. The bytes before them, back to the start of the
//! pages and at least 16, are a canary.
//!
//! * **A write before the start** of the secret changes the canary, which is checked on drop. If it has
//!   changed, the secret is wiped, a line is written to standard error, and the process aborts: something
//!   in it writes where it must not, and `drop` cannot return an error. The canary is computed from its
//!   address; it finds mistakes, not attackers who know the address.
//! * **Borrowing** opens the pages with `mprotect`, for the whole process: while one thread has a guard,
//!   every thread can read the bytes. Dropping the last guard closes the pages. The first and the last
//!   guard cost a system call each; those in between cost none.
//! * **A panic** while the bytes are borrowed drops the guard, which closes the pages.
//! * **Dropping** wipes the bytes by volatile writes, which no optimizer removes, and unmaps the pages. If
//!   the kernel refuses to open the pages for that (because `RLIMIT_DATA` was lowered, or a filter of
//!   system calls forbids it), they are only unmapped: the kernel clears them before it gives them to
//!   anybody else. Assigning another secret to a variable drops the former one, and so wipes it. A process
//!   that exits or executes another program drops nothing; the kernel clears its pages then.
//!
//! # Protections
//! [`Secret::protections`] reports the [`Protections`] that this system gave. By default, a secret has
//! every protection that the system knows, or making it fails, for example above the limit on locked memory
//! (`RLIMIT_MEMLOCK`). [`SecretOptions::optional`] allows it to be made without a protection, and
//! [`SecretOptions::demand`] makes a missing protection an error even where the system does not know it.
//!
//! The strongest one, memory that the kernel itself cannot reach ([`Protections::SECRET_MEMORY`]), has
//! consequences for the whole machine, and is used only on request: see
//! [`SecretOptions::secret_memory`].
//!
//! # fork
//! A secret belongs to the process that made it. In a child:
//! * its bytes are gone: they are zeros or, in secret memory, not mapped;
//! * every method that borrows fails with [`Reason::OtherProcess`](crate::Reason::OtherProcess), so that
//!   zeros are never taken for a key;
//! * a guard that the thread had when it forked panics when it is used, and does nothing when it is
//!   dropped. A slice that was taken from it earlier cannot be accessed: that raises SIGSEGV;
//! * dropping the secret unmaps what the child has of it, and does not check the canary.
//!
//! This also holds for a child made by a bare system call, with one exception: there, such a slice shows
//! zeros or, in secret memory, whatever is mapped at its address. A child of `vfork` runs in the memory of
//! its parent: whatever it does to a secret, it does to its parent's.
//!
//! A child that another thread makes at the moment when secret memory is made may inherit the descriptor or
//! the mapping, until it executes another program. Such a child cannot reach them through this crate, but
//! can through system calls of its own.
//!
//! # What is not protected
//! * Copies of the bytes: in registers, stacks and buffers of the code that computes with them.
//! * Debuggers: anyone who may debug the process, including root, can read the bytes, except in
//!   secret memory.
//! * Hibernation, which writes locked memory to disk too. While there is secret memory, Linux does
//!   not hibernate.
//! * Other code in this process: while the bytes are borrowed it can read them, and if it is hostile
//!   it can open the pages itself at any time.
//!
//! # Compared with others
//! According to the sources of libsodium 1.0.23, memsec 0.7.0 (its `malloc`, and the `memfd_secret`
//! of its feature `alloc_ext`) and secrets 1.3.0, which uses libsodium.
//!
//! | protection | [`Secret`] | `sodium_malloc` | memsec | secrets |
//! |---|---|---|---|---|
//! | guard pages on both sides | yes, or an error | tried | tried | as libsodium |
//! | an overrun hits a guard page at once | yes | yes | yes | as libsodium |
//! | canary before the bytes | all to the page's start | 16 bytes | 16 bytes | as libsodium |
//! | a changed canary | wipes, reports, aborts | SIGSEGV or abort | aborts | as libsodium |
//! | locked | yes, or an error; nests | tried | tried (1) | as libsodium |
//! | out of core dumps | yes, or an error | tried | tried (1) | no core dumps at all (2) |
//! | in children | wiped or absent, borrowing fails | a copy | a copy (1) | a copy |
//! | closed unless borrowed | yes | by hand (3) | by hand (3) | yes |
//! | several threads read at a time | yes | by hand | by hand | no: not `Sync` |
//! | a refusal to close | in [`Secret::protections`] | returned | returned | panics |
//! | out of the kernel's reach | on request | no | on request (1) | no |
//! | wiped on drop | volatile writes | yes (4) | yes (5) | as libsodium |
//! | equality in constant time | [`Secret::ct_eq`] | `sodium_memcmp` | `memeq` | `==` |
//! | reports its protections | [`Secret::protections`] | no | no | no |
//!
//! "Tried" means that a failure is ignored.
//!
//! 1. Of `malloc`. Memory of `memfd_secret` is locked and left out of core dumps by its kind, and is shared
//!    with children; its guard pages are part of it.
//! 2. In release builds it sets `RLIMIT_CORE` to zero for the whole process, in addition to what libsodium
//!    does.
//! 3. By `sodium_mprotect_noaccess` and `mprotect`; new memory is open.
//! 4. By `memset_s`, `explicit_bzero` or their like, where the C library has one.
//! 5. By a loop of ordinary writes, whose arguments go through volatile reads.
//!
//! # Platform
//! * Guard pages and closing exist wherever protections are enforced
//!   ([`Protection::is_enforced`](crate::Protection::is_enforced)): not on Emscripten, L4Re,
//!   NuttX and RTEMS.
//! * Core dumps leave pages out on Linux, Android, FreeBSD, DragonFly and OpenBSD.
//! * Children find the pages wiped on Linux (since 4.14), Android, FreeBSD, NetBSD, OpenBSD and illumos. On
//!   other systems that have `fork`, a child has a copy, which is inaccessible after the C library's
//!   `fork`.
//! * Emscripten's `mlock` does nothing and reports success, so [`Protections::LOCKED`] means nothing
//!   more there.
//! * Secret memory exists on Linux and Android.

mod canary;
mod guard;
mod make;
mod memory;
mod options;
mod pages;
mod protections;
mod value;
mod wipe;

pub use guard::{SecretMut, SecretRef};
pub use options::SecretOptions;
pub use protections::Protections;
pub use value::Secret;
