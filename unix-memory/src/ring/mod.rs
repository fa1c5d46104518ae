//! Ring buffers of bytes whose memory is mapped twice in a row, so that no slice ever wraps around.
//!
//! A ring carries bytes in order from one producer to one consumer. Its pages are mapped twice in a
//! row, so the free bytes are always a single slice, and so are the filled ones. Neither end ever
//! waits for the other (both are wait-free), and neither makes system calls.
//!
//! * [`pair`] makes a ring within this process. Nobody else has its memory, so its ends return slices
//!   that are written and read in place.
//! * [`SharedRing`] is a ring between two processes. The other process need not be trusted: it can
//!   write to all of the memory at any time, including the bytes that this end is reading and the
//!   numbers that count them. The ends therefore copy bytes, check each number, and return no slices.
//!   If you know that the other process follows the protocol, one `unsafe` call
//!   ([`SharedProducer::assume_honest_peer`], [`SharedConsumer::assume_honest_peer`]) returns an end
//!   that has slices.
//!
//! # Capacity
//! The capacity is rounded up to whole pages, or to a larger unit where the same memory may only be
//! mapped at certain distances: four pages on 32-bit ARM and C-SKY, 16 KiB on 64-bit SPARC, 64 KiB on
//! LoongArch, 256 KiB on MIPS, 1 MiB on 32-bit SPARC. Twice the capacity plus one such unit must fit
//! into the address space.
//!
//! # Ends
//! Dropping an end closes the ring; `is_closed` of the other end then returns true. Through
//! [`std::io::Write`], a producer fails with [`WouldBlock`](std::io::ErrorKind::WouldBlock) while the
//! ring is full, and with [`BrokenPipe`](std::io::ErrorKind::BrokenPipe) after the consumer was
//! dropped. Through [`std::io::Read`], a consumer fails with `WouldBlock` while the ring is empty,
//! and reports the end of the file once the producer was dropped too. A process that crashes does not
//! drop its end.
//!
//! # fork
//! The memory of a [`pair`] belongs to the process that made it. In a child, an inherited end has no
//! bytes, and every method that can fail does so with
//! [`Reason::OtherProcess`](crate::Reason::OtherProcess); dropping it does nothing. A slice of the
//! ring that was borrowed before `fork` cannot be accessed in the child: that raises SIGSEGV. (In a
//! child made by a bare system call, without the C library's `fork`, such a slice shares the parent's
//! memory.) A [`SharedRing`] is shared with children.
//!
//! # Who can reach the memory
//! On Linux and Android no descriptor refers to the memory of a [`pair`]: another process can reach
//! it only as a debugger does, or as root. On other systems, and under an emulator whose `mremap`
//! does not accept an old size of zero, the memory is a shared memory object. While the ring is being
//! made, this object has a descriptor and, except on FreeBSD, a random name; another process of the
//! same user could open it at that moment.
//!
//! The memory of a pair is reserved when it is made: using it cannot run out of memory. That of a
//! [`SharedRing`] is not, as with other shared memory objects: see [`SharedRing`].
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

// Maps the pages of a ring's first copy a second time, without a descriptor.
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
