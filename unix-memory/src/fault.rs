//! Which way bytes are copied where memory may be gone.

use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::os::{self, handler::Status};

/// A way to copy bytes out of or into a [`SharedMapping`](crate::SharedMapping), such that memory
/// which is gone, because its file was truncated, a device failed or a disk is full, is an error.
///
/// All methods choose for themselves: [`Handler`](Self::Handler) where it is installed, else
/// [`ProcessVm`](Self::ProcessVm), and [`Pipe`](Self::Pipe) where that is missing or forbidden, or
/// reports that memory is gone. (It reports so of a device's memory, too.)
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
/// Without it nothing less is promised, but each copy takes a system call. Installed again, it stays as
/// it is where it is in place. Where another library has replaced it, it is installed over what that
/// library has installed, which is then the handler before it.
///
/// The handler of SIGBUS and SIGSEGV acts on the faults of this crate's copies alone. Whatever else
/// these signals tell takes the way that it would have taken: the function that was installed
/// before is called with its mask, its stack and its flags; a signal that was ignored is ignored; a
/// fault for which there was no handler ends the process with that signal. So a crash is still a
/// crash.
///
/// * **Later handlers**: a handler that is installed afterwards must hand on to the one before, as this
///   one does. If it does not, the fault of a copy ends in it, as a rule with the process. A copy does
///   not look for that, which would take two system calls: [`fault_handler`] does. So install crash
///   reporters and runtimes with handlers of their own first, then this one. After code that may have
///   installed another, call this function again, or [`disable_fault_handler`].
/// * **Blocked signals**: the kernel ends a process that faults in a thread which blocks the signal.
///   So copies in such a thread are made by the kernel. With the feature `std`, a thread's mask is
///   read once, at its first copy, and without it at each copy. A thread that blocks SIGBUS or SIGSEGV
///   after its first copy, and then copies from memory that is gone, is ended with the process; and so
///   is a signal handler that runs with these signals in its mask (`sa_mask`) and copies. In both,
///   copy by [`Mechanism::ProcessVm`] or [`Mechanism::Pipe`].
/// * **fork**: a child has it too. **exec**: the new program does not.
/// * **Libraries**: code that has called this must not be unloaded (`dlclose`).
///
/// Source: sigaction(2), POSIX.1-2024.
///
/// # Errors
/// The kernel copies from then on: `ENOSYS` where there is no such copy ([`Reason::Unsupported`]);
/// `ENOSPC` where it was replaced, and
/// installed again, more than seven times; `ENOMEM` at the limit of mappings; what `sigaction` says.
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

/// Whether the handler of [`install_fault_handler`] is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultHandler {
    /// It was not installed, or [`disable_fault_handler`] was called since: the kernel copies.
    Absent,
    /// It is installed, and the first to be called.
    Installed,
    /// It is installed, and another handler of one of the two signals was installed over it. Where that
    /// does not hand on, the fault of a copy ends in it. [`install_fault_handler`] installs this one
    /// over it.
    Replaced,
}

/// Asks the kernel whether the handler is installed, and in place.
///
/// # Errors
/// What `sigaction` says.
///
/// ```
/// use unix_memory::{FaultHandler, fault_handler, install_fault_handler};
///
/// assert_eq!(fault_handler()?, FaultHandler::Absent);
/// if install_fault_handler().is_ok() {
///     assert_eq!(fault_handler()?, FaultHandler::Installed);
/// }
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "sigaction")]
pub fn fault_handler() -> Result<FaultHandler> {
    match os::handler::status() {
        Ok(Status::Unused) => Ok(FaultHandler::Absent),
        Ok(Status::InPlace) => Ok(FaultHandler::Installed),
        Ok(Status::Replaced) => Ok(FaultHandler::Replaced),
        Err(errno) => Err(Error::kernel(Call::Sigaction, errno, Arguments::None)),
    }
}

/// Goes back to copies by the kernel: those that begin from now on do not need the handler.
///
/// The handler itself stays installed, and hands every signal on: another thread may be copying, and a
/// handler that was installed later may hand on to it. [`install_fault_handler`] has it used again.
///
/// ```
/// use unix_memory::{FaultHandler, disable_fault_handler, fault_handler};
///
/// let _where_there_is_one = unix_memory::install_fault_handler();
/// disable_fault_handler();
/// assert_eq!(fault_handler()?, FaultHandler::Absent);
/// # Ok::<(), unix_memory::Error>(())
/// ```
pub fn disable_fault_handler() {
    os::handler::disable();
}
