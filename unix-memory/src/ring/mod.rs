//! Rings of bytes whose memory is mapped twice in a row, so that they have no seam.
//!
//! A ring carries bytes in order from one producer to one consumer. Its pages are mapped twice, one
//! copy behind the other, so that what is free, and what is filled, is always one slice, which
//! never wraps. Neither end ever waits for the other (it is wait-free), and neither makes system
//! calls.
//!
//! * [`pair`] makes a ring within this process. Nobody else has its memory, so that its ends give
//!   out slices, to be written and read in place.
//! * [`SharedRing`] is one between two processes. The other process may be anybody's: it can write
//!   to all of the memory at any time, also to what this end is just reading, and to the numbers
//!   that say how much that is. So its ends copy, check each number, and give out no slices. Who
//!   knows that the other process keeps to the rules says so, in one `unsafe` call
//!   ([`SharedProducer::assume_honest_peer`], [`SharedConsumer::assume_honest_peer`]), and has
//!   slices too.
//!
//! # Capacity
//! It is rounded up to whole pages; to some more where the same memory may only be mapped at
//! certain distances: four pages on 32-bit ARM and C-SKY, 16 KiB on 64-bit SPARC, 64 KiB on
//! LoongArch, 256 KiB on MIPS, 1 MiB on 32-bit SPARC. Twice the capacity and one such unit must fit
//! into the address space.
//!
//! # Ends
//! An end that is dropped closes the ring: the other one learns it from `is_closed`. With
//! [`std::io::Write`], a producer says [`WouldBlock`](std::io::ErrorKind::WouldBlock) while the
//! ring is full, and [`BrokenPipe`](std::io::ErrorKind::BrokenPipe) when the consumer is gone; with
//! [`std::io::Read`], a consumer says `WouldBlock` while the ring is empty, and the end of the file
//! when the producer is gone too. A process that crashes drops nothing.
//!
//! # fork
//! The memory of a [`pair`] belongs to the process that made it. In a child, an end that was
//! inherited has no bytes, and every method that can fail does, with
//! [`Reason::OtherProcess`](crate::Reason::OtherProcess); dropping it does nothing. A slice of the
//! ring that was borrowed before `fork` cannot be accessed in the child: that raises SIGSEGV. (In a
//! child that was made by a bare system call, without the C library's `fork`, such a slice shares
//! the parent's memory.) A [`SharedRing`] is shared with children.
//!
//! # Who can reach the memory
//! On Linux and Android no descriptor leads to the memory of a [`pair`]: another process reaches it
//! by the means of a debugger alone, or as root. Under an emulator that lacks `mremap` of no bytes,
//! and on other systems, the memory is an object that has a descriptor, and except on FreeBSD a
//! random name, while the ring is made: another process of the same user could open it in that
//! moment.
//!
//! The memory of a pair is set aside when it is made: using it does not fail for want of memory.
//! That of a [`SharedRing`] is not, as that of other shared memory objects: see [`SharedRing`].
//!
//! ```
//! let (mut producer, mut consumer) = unix_memory::ring::pair(1 << 16)?;
//!
//! producer.slot()[..5].copy_from_slice(b"hello");
//! producer.commit(5)?;
//!
//! assert_eq!(consumer.available(), b"hello");
//! consumer.consume(5)?;
//! # Ok::<(), unix_memory::Error>(())
//! ```

mod end;
mod io;
mod memory;
mod pair;
mod shared;

// The pages of a ring's first copy mapped a second time, without a descriptor.
cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod map_twice;
    } else {
        #[path = "none.rs"]
        mod map_twice;
    }
}

pub use pair::{Consumer, Producer, pair};
pub use shared::{SharedConsumer, SharedProducer, SharedRing};
