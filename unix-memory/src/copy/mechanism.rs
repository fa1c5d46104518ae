//! The ways to copy bytes where memory may be gone, and the handler for their faults.

use super::handler;
use crate::error::{Arguments, Call, Error, Reason, Result};

/// A way to copy bytes out of or into a [`SharedMapping`](crate::SharedMapping) that returns an error
/// if memory is gone, because the file was truncated, a device failed or a disk is full.
///
/// All methods choose by themselves: [`Handler`](Self::Handler) if it is installed and the thread
/// lets it run, otherwise [`ProcessVm`](Self::ProcessVm), and [`Pipe`](Self::Pipe) if `ProcessVm` is
/// missing or forbidden, or reports that memory is gone (which it also reports for the memory of
/// devices). `read_at_with` and `write_at_with` use only the given one.
///
/// The choice is the same for all memory, even where truncation seems impossible. To the kernel,
/// shared memory without a name is a file: root can truncate it through `/proc/PID/map_files`. A page
/// of a memfd that nobody can truncate may be punched out, and if memory is not overcommitted, there
/// may be none for a new page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// The processor copies. If the copy faults, the handler of SIGBUS and SIGSEGV that
    /// [`install_fault_handler`] installs ends it. This is as fast as `memcpy` and needs no system
    /// call.
    ///
    /// If the caller's own buffer faults, the signal is raised as by any other access to the buffer.
    ///
    /// # Platform
    /// Linux and Android on x86_64, aarch64 and riscv64. Not in a thread that blocked one of the two
    /// signals at its first copy.
    Handler,
    /// The kernel copies, as it does between two processes, with one system call. This is slower for
    /// small copies, but nothing has to be installed. Source: process_vm_readv(2).
    ///
    /// # Platform
    /// Linux and Android. A seccomp filter may forbid it. If the filter returns an error, the next
    /// mechanism is tried; if it ends the process, install the handler. It cannot access the memory
    /// of devices or secret memory.
    #[doc(alias("process_vm_readv", "process_vm_writev"))]
    ProcessVm,
    /// The kernel copies through a pipe made for the purpose, which takes several system calls and,
    /// for a moment, two file descriptors. Every system has it.
    #[doc(alias = "pipe")]
    Pipe,
}

/// Whether the fault handler is installed: the result of [`fault_handler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultHandler {
    /// It is not used: it was not installed, or was uninstalled, or this system has none. The kernel
    /// copies.
    Absent,
    /// It is used, and the kernel calls it at both signals.
    Installed,
    /// It is used, but another handler was installed over it at one of the signals, or at both.
    ///
    /// Copies still rely on it. This works if the other handler hands signals on; if not, the other
    /// handler gets the faults of copies and most likely ends the process. [`install_fault_handler`]
    /// puts this handler on top again.
    Replaced,
}

/// Installs the fault handler for the whole process. With it, copies of every
/// [`SharedMapping`](crate::SharedMapping) are as fast as `memcpy`, and still return an error if
/// memory is gone.
///
/// Without it the guarantees are the same, but each copy takes a system call. If the handler is
/// already installed and in place, this does nothing. If another handler was installed over it, this
/// puts it back on top, and it hands signals on to the other one. [`fault_handler`] asks the kernel
/// for its state, and [`uninstall_fault_handler`] uninstalls it.
///
/// The handler of SIGBUS and SIGSEGV acts only on the faults of this crate's copies. Every other
/// signal has the effect that it would have had without it: the function that was installed before is
/// called with its mask, its stack and its flags; a signal that was ignored is ignored; a fault for
/// which there was no handler ends the process with that signal. So a crash is still a crash.
///
/// * **Later handlers**: a handler that is installed later must hand signals on to the one before it,
///   as this one does; otherwise it gets the faults of copies and most likely ends the process. The
///   kernel does not report this. It is best to install this handler last, after those that do not
///   hand signals on, or to call this again after loading a library that installs handlers. Handlers
///   may hand signals on to each other in a circle: each time this one is called again with the same
///   signal, it calls an older handler, at most eight times, and then none.
/// * **Blocked signals**: the kernel ends a process that faults in a thread which blocks the signal.
///   In such a thread, therefore, the kernel copies. With the feature `std`, each thread's mask is
///   read once, at its first copy after the installation. If a thread blocks one of the signals after
///   that, or copies in a signal handler whose mask (`sa_mask`) blocks one, a fault of its copies
///   ends the process: the mask cannot be read without a system call for each copy. Such code must
///   copy by [`Mechanism::ProcessVm`] or [`Mechanism::Pipe`]. If a thread unblocks the signals after
///   its first copy, the kernel still makes that thread's copies. Without `std`, each copy reads the
///   mask.
/// * **fork**: a child has the handler too. **exec**: the new program does not have it.
/// * **Libraries**: code that has called this must not be unloaded (`dlclose`), not even after
///   [`uninstall_fault_handler`]: another handler may hand on to it.
/// * **Signal handlers** must not call this.
///
/// Source: sigaction(2), POSIX.1-2024.
///
/// # Errors
/// After an error, nothing has changed.
/// * `ENOSYS` with [`Reason::Unsupported`]: this system does not have such copies.
/// * `ENOMEM`: this handler was already installed over 15 different ones; or there is no memory for
///   telling a child from its parent.
/// * Any other error of `sigaction`, for example if a seccomp filter forbids it.
///
/// # Platform
/// Linux and Android on x86_64, aarch64 and riscv64. Elsewhere the kernel copies.
///
/// ```
/// use unix_memory::{FaultCause, MapOptions, Reason, ReadOnly, page_size};
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
/// let cause = FaultCause::Unknown; // The mapping does not keep the file: see `MappedFile`.
/// assert_eq!(error.reason(), Reason::Fault { done: end, at: end, cause });
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

/// Returns whether the fault handler is used and, according to the kernel, still in place. This takes
/// two system calls if it is used, and none otherwise.
///
/// Source: sigaction(2), POSIX.1-2024.
///
/// # Errors
/// Those of `sigaction`, for example if a seccomp filter forbids it.
///
/// # Platform
/// [`FaultHandler::Absent`] on all systems except Linux and Android.
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

/// Makes the kernel copy again, for the whole process, and uninstalls the fault handler as far as
/// possible.
///
/// For each signal for which the handler is on top, the earlier handler is restored. If another
/// handler was installed over it, the signal is left alone, because that other one may call it. If
/// the handler is not installed, this does nothing. Afterwards [`install_fault_handler`] may be
/// called again.
///
/// Uninstall handlers in the reverse order of their installation.
///
/// No other thread may be copying by the processor at this moment: if a copy that has already begun
/// faults, the restored handler gets the fault.
///
/// Source: sigaction(2), POSIX.1-2024.
///
/// # Errors
/// The errors of `sigaction`, for example if a seccomp filter forbids it. Even then the kernel
/// copies, but the handler may still be installed. `ENOMEM` if there is no memory for telling a child
/// from its parent; nothing has changed then.
///
/// # Platform
/// Does nothing on systems other than Linux and Android.
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
