//! Which way bytes are copied where memory may be gone, and the handler of their faults.

use super::handler;
use crate::error::{Arguments, Call, Error, Reason, Result};

/// A way to copy bytes out of or into a [`SharedMapping`](crate::SharedMapping), such that memory
/// which is gone, because its file was truncated, a device failed or a disk is full, is an error.
///
/// All methods choose for themselves: [`Handler`](Self::Handler) where it is installed and the
/// thread lets it run, else [`ProcessVm`](Self::ProcessVm), and [`Pipe`](Self::Pipe) where that is
/// missing or forbidden, or reports that memory is gone. (It reports that of a device's memory,
/// too.) `read_at_with` and `write_at_with` take one way and no other.
///
/// The choice is the same for all memory. Shared memory without a name is a file to the kernel:
/// root can truncate it through `/proc/PID/map_files`. A page of a memfd that nobody can truncate
/// may be punched out, and there may be no memory for a new one where memory is not overcommitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// The processor copies, and the handler of SIGBUS and SIGSEGV that [`install_fault_handler`]
    /// installs ends the copy where it faults. As fast as `memcpy`, without a system call.
    ///
    /// Where the caller's own buffer is what faults, the signal is raised as by any other access to
    /// the buffer.
    ///
    /// # Platform
    /// Linux and Android on x86_64, aarch64 and riscv64. Not in a thread that blocked one of the
    /// two signals at its first copy.
    Handler,
    /// The kernel copies, as it does between two processes, by one system call: slower for few
    /// bytes, and nothing is installed. Source: process_vm_readv(2).
    ///
    /// # Platform
    /// Linux and Android. A seccomp filter may forbid it: where the filter returns an error, the
    /// next mechanism is tried; where it ends the process, install the handler. It does not reach
    /// the memory of devices, nor secret memory.
    #[doc(alias("process_vm_readv", "process_vm_writev"))]
    ProcessVm,
    /// The kernel copies into and out of a pipe that is made for it: some system calls, and two
    /// file descriptors for a moment. On every system.
    #[doc(alias = "pipe")]
    Pipe,
}

/// Whether the handler of faults is installed: what [`fault_handler`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultHandler {
    /// It is not used: it was not installed, or was uninstalled, or there is none for this system.
    /// The kernel copies.
    Absent,
    /// It is used, and the kernel calls it at both signals.
    Installed,
    /// It is used, but another handler was installed over it at one of the signals, or at both.
    ///
    /// Copies still rely on it. Where the other handler hands on to it, that works; where it does
    /// not, it gets the faults of copies, and most likely ends the process.
    /// [`install_fault_handler`] puts this one on top again.
    Replaced,
}

/// Installs, for the whole process, the handler with which copies of every
/// [`SharedMapping`](crate::SharedMapping) are as fast as `memcpy` and still return an error where
/// memory is gone.
///
/// Without it nothing less is promised, but each copy takes a system call. Where it is installed
/// and in place, this does nothing. Where another handler was installed over it, this puts it on
/// top again, and it hands on to that one. [`fault_handler`] asks the kernel which it is, and
/// [`uninstall_fault_handler`] is the way back.
///
/// The handler of SIGBUS and SIGSEGV acts on the faults of this crate's copies alone. Every other
/// signal takes the way that it would have taken: the function that was installed before is called
/// with its mask, its stack and its flags; a signal that was ignored is ignored; a fault for which
/// there was no handler ends the process with that signal. So a crash is still a crash.
///
/// * **Later handlers**: whoever installs one afterwards must hand on to the one before, as this
///   one does; else it gets the faults of copies, and most likely ends the process. The kernel
///   reports this to nobody. Best install the handlers that do not hand on first and this one last,
///   or call this again after a library that installs handlers was loaded. They may hand on to each
///   other in a circle: each time that this one is called again with the same signal, it hands on
///   to an older one, at most eight times, and then to none.
/// * **Blocked signals**: the kernel ends a process that faults in a thread which blocks the
///   signal. So copies in such a thread are made by the kernel. With the feature `std` each
///   thread's mask is read once, at its first copy after the installation. A thread that blocks one
///   of the signals after that, or that copies in a signal handler whose mask (`sa_mask`) blocks
///   one, is ended by a fault of its copies: nothing can see the mask without a system call for
///   each copy. Such code must copy by [`Mechanism::ProcessVm`] or [`Mechanism::Pipe`]. A thread
///   that unblocks them after its first copy goes on with copies by the kernel. Without `std` each
///   copy reads the mask.
/// * **fork**: a child has the handler too. **exec**: the new program has it no longer.
/// * **Libraries**: code that has called this must not be unloaded (`dlclose`), not even after
///   [`uninstall_fault_handler`]: another handler may hand on to it.
/// * **Signal handlers** must not call this.
///
/// Source: sigaction(2), POSIX.1-2024.
///
/// # Errors
/// Nothing changes then.
/// * `ENOSYS` with [`Reason::Unsupported`]: there is no such copy here.
/// * `ENOMEM`: this handler was installed over 15 different ones already; or there is no memory to
///   tell a child from its parent.
/// * What else `sigaction` fails with, as where a seccomp filter forbids it.
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
    handler::install().map_err(|errno| {
        let reason = if handler::AVAILABLE {
            Reason::Kernel
        } else {
            Reason::Unsupported
        };
        Error::new(Call::Sigaction, errno, Arguments::None, reason)
    })
}

/// Returns whether the handler of faults is used and, as the kernel reports it, still in place: two
/// system calls where it is used, none where not.
///
/// Source: sigaction(2), POSIX.1-2024.
///
/// # Errors
/// What `sigaction` fails with, as where a seccomp filter forbids it.
///
/// # Platform
/// [`FaultHandler::Absent`] everywhere but on Linux and Android.
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
    if !handler::is_used() {
        return Ok(FaultHandler::Absent);
    }
    match handler::is_in_place() {
        Ok(true) => Ok(FaultHandler::Installed),
        Ok(false) => Ok(FaultHandler::Replaced),
        Err(errno) => Err(Error::kernel(Call::Sigaction, errno, Arguments::None)),
    }
}

/// Goes back to copies by the kernel, for the whole process, and uninstalls the handler of faults
/// as far as that is possible.
///
/// At a signal where the handler is on top, what was there before it is put back. Where another one
/// was installed over it, the signal is left alone, because that one may hand on to it. Without a
/// handler this does nothing. Afterwards [`install_fault_handler`] may be called again.
///
/// Libraries that install handlers are best uninstalled in the reverse order: the one that was
/// installed last first.
///
/// No other thread may copy by the processor at this moment: a copy that has begun by then, and
/// faults, is handed to the handler that was put back.
///
/// Source: sigaction(2), POSIX.1-2024.
///
/// # Errors
/// What `sigaction` fails with, as where a seccomp filter forbids it. Copies are made by the kernel
/// then, too, but the handler may still be there. `ENOMEM` where there is no memory to tell a child
/// from its parent; nothing changes then.
///
/// # Platform
/// It does nothing but on Linux and Android.
///
/// ```
/// use unix_memory::{FaultHandler, fault_handler, install_fault_handler, uninstall_fault_handler};
///
/// if install_fault_handler().is_ok() {
///     uninstall_fault_handler()?;
/// }
/// assert_eq!(fault_handler()?, FaultHandler::Absent);
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "sigaction")]
pub fn uninstall_fault_handler() -> Result<()> {
    handler::uninstall().map_err(|errno| Error::kernel(Call::Sigaction, errno, Arguments::None))
}
