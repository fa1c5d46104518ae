//! Addresses that are reserved first and committed piece by piece, so that growing data never moves.
//!
//! * [`Reservation`] is a range of addresses in which any pages can be committed and decommitted: for
//!   allocators and runtimes.
//! * [`ReservedVec<T>`](ReservedVec) is a vector whose elements never move: for arenas, logs, and
//!   tables into which others have pointers. `ReservedVec<u8>` is a buffer of bytes that grows in
//!   place, and implements `std::io::Write`.
//!
//! Reserving takes addresses, of which a 64-bit process has plenty, but neither memory nor swap space.
//! Each growth is one call of `mprotect`; memory is taken page by page as it is used.
//!
//! Emscripten, L4Re, NuttX and RTEMS enforce no protections
//! ([`Protection::is_enforced`](crate::Protection::is_enforced)): there, nothing can be reserved
//! (`ENOSYS`).
//!
//! # Compared with other ways to grow
//!
//! | | growth | addresses | at a limit | maximum length |
//! |---|---|---|---|---|
//! | `Vec` | copies into twice the room, while the old room still exists | change | aborts, or `try_reserve` fails | whatever fits |
//! | [`Mapping::resize`](crate::Mapping::resize) | moves pages (`mremap`), or copies | may change | fails, and stays as it was | whatever fits |
//! | one large mapping by hand | none: pages come as they are used | stay | the kernel ends the process while it writes | must be known, and all of it counts as data at once |
//! | [`Reservation`], [`ReservedVec`] | `mprotect` | stay | fails, and stays as it was | must be known |
//!
//! To do this by hand takes `mmap` with `PROT_NONE` and `MAP_NORESERVE`, `mprotect` to commit,
//! `mprotect` with `madvise(MADV_DONTNEED)` to decommit, and a record of what is committed, since any
//! other access raises SIGSEGV. Here, that record decides what can be borrowed.
//!
//! ```
//! use unix_memory::reserve::ReservedVec;
//!
//! // Addresses for a million entries; memory for none yet.
//! let mut log: ReservedVec<u64> = ReservedVec::with_max_capacity(1_000_000)?;
//! log.push(7);
//! let first = log.as_ptr();
//! log.extend(0..100_000);
//! assert_eq!(log.as_ptr(), first);
//! # Ok::<(), unix_memory::Error>(())
//! ```

mod area;
mod ranges;
mod reservation;
mod vec;

pub use reservation::Reservation;
pub use vec::ReservedVec;
pub use vec::into_iter::IntoIter;
