//! Memory for machine code that is made at run time, which is never writable and executable at once.
//!
//! A [`CodeBuffer`] is written like any slice of bytes. It becomes [`Code`], which can be executed and no
//! longer written, and which can become a buffer again. This is the rule "W^X": if a program both writes
//! and executes the same memory, an attacker who can make it write there can run any code. Whatever becomes
//! code is also made coherent with the processor's instruction cache.
//!
//! ```
//! use unix_memory::code::CodeBuffer;
//!
//! let mut buffer = CodeBuffer::new(4096)?;
//! buffer[..2].copy_from_slice(&[0x90, 0xc3]); // on x86: nop; ret
//! let code = buffer.into_executable()?;
//! # if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
//! // SAFETY: on x86 these bytes are a function of no arguments, and nothing changes or drops them
//! // while it runs.
//! let function = unsafe { code.function::<extern "C" fn()>(0) }?;
//! function();
//! # }
//!
//! let mut buffer = code.into_writable()?;
//! buffer[0] = 0xc3;
//! # Ok::<(), unix_memory::Error>(())
//! ```
//!
//! The example `jit` assembles a function for each of the common processors.
//!
//! # Ways
//! There are three [`Way`]s to follow this rule:
//!
//! * [`Way::Flip`]: one private mapping, whose protection mprotect(2) changes. No other process has the
//!   memory, and no thread can execute it while it is being written.
//! * [`Way::DualMapping`]: one object of shared memory in two mappings, one that can be written, and one at
//!   another address that can be executed. No page ever changes its protection. Use it in processes that
//!   may not make writable memory executable, and for code that is changed while other code next to it runs
//!   ([`Code::patch`]). It takes two mappings and, while a buffer is being written, twice the memory.
//! * [`Way::Jit`]: on Apple's systems, memory that one thread can write while the others execute it
//!   (`MAP_JIT`). Such code can be patched too.
//!
//! [`CodeBuffer::new`] takes the first of `Flip`, `Jit` and `DualMapping` that works in this process at
//! this moment. [`CodeBuffer::with`] takes the given one, and fails if it does not work.
//! [`way`](CodeBuffer::way) reports which one it is.
//!
//! | system | making writable memory executable |
//! |---|---|
//! | Linux, Android | is allowed, unless the process has given up that right for itself and its children (`PR_SET_MDWE` of prctl(2), since Linux 6.3), a filter of system calls refuses it (systemd's `MemoryDenyWriteExecute=`), or a security module does (SELinux without `execmem`, PaX) |
//! | Apple's, on Apple silicon | is refused to programs with the hardened runtime; those with the entitlement com.apple.security.cs.allow-jit have `Jit` |
//! | FreeBSD, DragonFly, illumos, Solaris | is allowed; HardenedBSD refuses it |
//! | NetBSD | is refused by PaX MPROTECT unless `mmap` announced it (`PROT_MPROTECT`), as this crate does |
//! | OpenBSD | is allowed |
//! | Emscripten, L4Re, NuttX, RTEMS | no protection is enforced: every way fails with [`Reason::NotEnforced`] |
//!
//! # Calling
//! Making memory executable is safe. Calling it is not: the processor does whatever the bytes say. That is
//! the one `unsafe` step: [`Code::function`]. ([`Code::entry`] returns a bare address.) The caller vouches
//! for what the code does, and that nobody changes or drops it while it runs.
//!
//! # fork
//! A child has its own copy of memory made by `Flip` and `Jit`. It shares a `DualMapping` with its
//! parent: it can execute and read the code and sees what the parent changes, but can change nothing
//! itself ([`Reason::OtherProcess`]).
//!
//! [`Reason::NotEnforced`]: crate::Reason::NotEnforced
//! [`Reason::OtherProcess`]: crate::Reason::OtherProcess

mod aside;
mod buffer;
mod executable;
#[cfg(not(all(feature = "std", target_vendor = "apple")))]
mod none;
mod turn;
mod way;

// Code in two mappings, of a shared memory object.
cfg_if::cfg_if! {
    if #[cfg(feature = "std")] {
        mod dual;
    } else {
        use none as dual;
    }
}

// Code in memory that one thread writes.
cfg_if::cfg_if! {
    if #[cfg(target_vendor = "apple")] {
        mod jit;
    } else {
        use none as jit;
    }
}

pub use buffer::CodeBuffer;
pub use executable::Code;
pub use way::Way;
