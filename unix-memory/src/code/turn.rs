//! Code that becomes executable, and writable again.

use super::aside::Aside;
use super::buffer::CodeBuffer;
use super::executable::{Code, Form};
use crate::error::{Arguments, Call, Error, Failed, Result};
use crate::mapping::Mapping;
use crate::protection::{Access, ReadExecute, ReadWrite};

impl CodeBuffer {
    /// Makes the code executable, and no longer writable.
    ///
    /// The code is coherent with the instruction cache afterwards. Any other thread that has executed
    /// earlier code at these addresses must pass a synchronising event before it executes the new code,
    /// as [`Code::patch`] explains. With [`Way::DualMapping`] and [`Way::Jit`] the bytes are copied to
    /// where they are executed.
    ///
    /// # Errors
    /// The buffer comes back inside the error, with its bytes as they were:
    /// * [`Call::Mprotect`], with [`Way::Flip`]: `EACCES` or `EPERM` if writable memory may no
    ///   longer become executable ([`Reason::ExecuteDenied`]), `ENOMEM` at the kernel's limit of
    ///   mappings, `ENOSYS` if the system enforces no protections.
    /// * [`Call::SyncInstructionCache`]: `ENOSYS` if this crate does not know how to make code
    ///   coherent, as [`Mapping::sync_instruction_cache`] says.
    /// * [`Call::IntoExecutable`], with [`Way::DualMapping`]: `EPERM` in a child
    ///   ([`Reason::OtherProcess`]).
    /// * [`Call::Write`], with [`Way::DualMapping`]: `EFAULT` if no shared memory is left
    ///   ([`Reason::Fault`]), in which case some of the bytes at [`address`](Self::address) may be new;
    ///   and the other errors of [`SharedMapping::write_at`], such as `EMFILE` if the kernel can copy
    ///   only through a pipe.
    ///
    /// [`Way::DualMapping`]: super::Way::DualMapping
    /// [`Way::Flip`]: super::Way::Flip
    /// [`Way::Jit`]: super::Way::Jit
    /// [`Reason::ExecuteDenied`]: crate::Reason::ExecuteDenied
    /// [`Reason::Fault`]: crate::Reason::Fault
    /// [`Reason::OtherProcess`]: crate::Reason::OtherProcess
    /// [`SharedMapping::write_at`]: crate::SharedMapping::write_at
    ///
    /// ```
    /// use unix_memory::code::CodeBuffer;
    ///
    /// let buffer = CodeBuffer::new(100)?;
    /// match buffer.into_executable() {
    ///     Ok(code) => println!("{code:?}"),
    ///     Err(failed) => {
    ///         let (error, buffer) = failed.into_parts();
    ///         println!("{error}; {buffer:?} is as it was");
    ///     }
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mprotect")]
    #[doc(alias = "make_exec")]
    #[allow(
        clippy::result_large_err,
        reason = "it gives the memory back, and nothing here allocates"
    )]
    pub fn into_executable(self) -> Result<Code, Failed<Self>> {
        let (bytes, aside) = self.into_parts();
        match aside {
            None => flip(bytes).map_err(|(error, bytes)| Failed::new(error, bytes.into())),
            Some(mut aside) => match aside.write(Call::IntoExecutable, 0, &bytes) {
                Ok(()) => Ok(Code::from_aside(aside)),
                Err(error) => Err(Failed::new(error, Self::from_parts(bytes, Some(aside)))),
            },
        }
    }
}

/// Makes the bytes coherent, and then executable.
fn flip(bytes: Mapping<ReadWrite>) -> Result<Code, (Error, Mapping<ReadWrite>)> {
    let region = bytes.region();
    // In this order, nothing has changed if it fails. Nobody writes to the pages any more, and none of
    // them was executable, so from now on these bytes are fetched.
    // SAFETY: the range is the whole region, which can be read. [inside, access]
    let coherent = unsafe { region.sync_instruction_cache(&(0..region.len())) };
    if let Err(errno) = coherent {
        let arguments = Arguments::Length(region.len());
        let error = Error::kernel(Call::SyncInstructionCache, errno, arguments);
        return Err((error, bytes));
    }
    // SAFETY: the mapping was taken by value, so nothing refers to it. [borrowed]
    match unsafe { region.change(ReadWrite.protection(), ReadExecute.protection()) } {
        Ok(()) => Ok(Code::from_mapping(Mapping::from_region(
            bytes.into_region(),
            ReadExecute,
        ))),
        Err(error) => Err((error, bytes)),
    }
}

impl Code {
    /// Makes the code writable, and no longer executable.
    ///
    /// With [`Way::DualMapping`] and [`Way::Jit`] the bytes are copied to other memory, which
    /// [`CodeBuffer::into_executable`] copies back. Until then, the bytes at [`as_ptr`](Self::as_ptr)
    /// do not change.
    ///
    /// # Errors
    /// The code comes back inside the error: `ENOMEM` at the kernel's limit of mappings, or if there is
    /// no room for the copy; with [`Way::DualMapping`] also the errors of [`Code::read_at`].
    ///
    /// [`Way::DualMapping`]: super::Way::DualMapping
    /// [`Way::Jit`]: super::Way::Jit
    #[doc(alias = "mprotect")]
    #[allow(
        clippy::result_large_err,
        reason = "it gives the memory back, and nothing here allocates"
    )]
    pub fn into_writable(self) -> Result<CodeBuffer, Failed<Self>> {
        match self.into_form() {
            Form::InPlace(mapping) => match mapping.protect(ReadWrite) {
                Ok(bytes) => Ok(bytes.into()),
                Err(failed) => {
                    let (error, mapping) = failed.into_parts();
                    Err(Failed::new(error, Self::from_mapping(mapping)))
                }
            },
            Form::Aside(aside) => match copy_of(&aside) {
                Ok(bytes) => Ok(CodeBuffer::from_parts(bytes, Some(aside))),
                Err(error) => Err(Failed::new(error, Self::from_aside(aside))),
            },
        }
    }
}

/// Copies its bytes to private memory.
fn copy_of(aside: &Aside) -> Result<Mapping<ReadWrite>> {
    let mut bytes = Mapping::anonymous(aside.len())?;
    aside.read(0, &mut bytes)?;
    Ok(bytes)
}
