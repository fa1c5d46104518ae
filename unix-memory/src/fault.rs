//! Which way bytes are copied where memory may be gone.

use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::os;

/// A way to copy bytes out of or into a [`SharedMapping`](crate::SharedMapping), such that memory
/// which is gone, because its file was truncated, a device failed or a disk is full, is an error.
///
/// All methods choose for themselves: [`Handler`](Self::Handler) where it is installed, else
/// [`ProcessVm`](Self::ProcessVm), and [`Pipe`](Self::Pipe) where that is missing or forbidden, or
/// says that memory is gone. (It says so of a device's memory, too.) Shared memory without a file
/// cannot be gone: where [`Handler`](Self::Handler) could be, its bytes are copied in the same way,
/// installed or not.
/// `read_at_with` and `write_at_with` take a way that they must go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// The processor copies, and a handler of SIGBUS and SIGSEGV, once it was installed with
    /// [`install_fault_handler`], tells of the fault. As fast as `memcpy`.
    ///
    /// # Platform
    /// Linux and Android on x86_64, aarch64 and riscv64. Not in a thread that blocks one of the
    /// two signals.
    Handler,
    /// The kernel copies, as it does between two processes, by one system call: slower for few
    /// bytes, and nothing is installed. Source: process_vm_readv(2).
    ///
    /// # Platform
    /// Linux and Android. A seccomp filter may forbid it: where that refuses, the next mechanism is
    /// tried, but one that ends the process for it does so (then install the handler).
    #[doc(alias("process_vm_readv", "process_vm_writev"))]
    ProcessVm,
    /// The kernel copies into and out of a pipe that is made for it: some system calls, and two
    /// file descriptors for a moment. On every system.
    #[doc(alias = "pipe")]
    Pipe,
}

/// Installs, for the whole process and for good, the handler with which copies of every
/// [`SharedMapping`](crate::SharedMapping) are as fast as `memcpy` and still return an error where
/// memory is gone.
///
/// Without it nothing less is promised, but each copy takes a system call. It is installed once; to
/// install it again does nothing.
///
/// The handler of SIGBUS and SIGSEGV acts on the faults of this crate's copies alone. Whatever else
/// these signals tell takes the way that it would have taken: the function that was installed
/// before is called with its mask, its stack and its flags; a signal that was ignored is ignored; a
/// fault for which there was no handler ends the process with that signal. So a crash is still a
/// crash.
///
/// * **Later handlers**: who installs one afterwards must hand on to the one before, as this one
///   does; else the faults of copies are lost to it.
/// * **Blocked signals**: the kernel ends a process that faults in a thread which blocks the signal.
///   So copies in such a thread are made by the kernel. With the feature `std` each thread is asked
///   once, at its first copy; a thread must not block them after that. Without, each time.
/// * **fork**: a child has it too. **exec**: the new program has not.
/// * **Libraries**: code that has called this must not be unloaded (`dlclose`).
///
/// Source: sigaction(2), POSIX.1-2024.
///
/// # Errors
/// `ENOSYS` where there is no such copy ([`Reason::Unsupported`]); what `sigaction` says.
///
/// # Platform
/// Linux and Android on x86_64, aarch64 and riscv64. Elsewhere the kernel copies.
///
/// ```
/// use unix_memory::{MapOptions, Reason, ReadOnly, page_size};
///
/// match unix_memory::install_fault_handler() {
///     Err(error) if error.reason() == Reason::Unsupported => println!("the kernel copies"),
///     result => result?,
/// }
/// let file = tempfile::tempfile()?;
/// file.set_len(2 * page_size() as u64)?;
/// let mapping = MapOptions::new().map_shared(&file, ReadOnly)?;
/// file.set_len(page_size() as u64)?;
///
/// let mut bytes = vec![1; 2 * page_size()];
/// let error = mapping.read_at(0, &mut bytes).unwrap_err();
/// let end = page_size();
/// assert_eq!(error.reason(), Reason::Fault { done: end, at: end });
/// # Ok::<(), std::io::Error>(())
/// ```
#[doc(alias = "sigaction")]
pub fn install_fault_handler() -> Result<()> {
    os::handler::install().map_err(|errno| {
        let reason = if os::handler::AVAILABLE {
            Reason::Kernel
        } else {
            Reason::Unsupported
        };
        Error::new(Call::Sigaction, errno, Arguments::None, reason)
    })
}
