//! Code that can be executed.

use core::fmt;

use super::aside::Aside;
use super::way::Way;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::mapping::Mapping;
use crate::page::check_span;
use crate::protection::ReadExecute;

/// Machine code: memory that can be read and executed, but not written.
///
/// [`CodeBuffer::into_executable`](super::CodeBuffer::into_executable) makes it, in one of several
/// [ways](super#ways).
///
/// It never returns a slice of its bytes, because with [`Way::DualMapping`] a parent may change them
/// while a child reads. [`read_at`](Self::read_at) copies them.
///
/// * **Threads**: `Send` and `Sync`.
/// * **Drop** unmaps the memory. Whoever calls the code vouches that it stays mapped while it runs.
#[must_use = "it is unmapped when it is dropped"]
pub struct Code {
    form: Form,
}

/// The mapping that holds the code.
pub enum Form {
    InPlace(Mapping<ReadExecute>),
    Aside(Aside),
}

impl Code {
    pub(super) const fn from_mapping(mapping: Mapping<ReadExecute>) -> Self {
        let form = Form::InPlace(mapping);
        Self { form }
    }

    pub(super) const fn from_aside(aside: Aside) -> Self {
        let form = Form::Aside(aside);
        Self { form }
    }

    pub(super) fn into_form(self) -> Form {
        self.form
    }

    /// Returns the way in which the code became executable.
    #[must_use]
    pub const fn way(&self) -> Way {
        match &self.form {
            Form::InPlace(_) => Way::Flip,
            Form::Aside(aside) => aside.way(),
        }
    }

    /// Returns the length in bytes, as requested, not rounded up to pages.
    #[must_use]
    pub const fn len(&self) -> usize {
        match &self.form {
            Form::InPlace(mapping) => mapping.len(),
            Form::Aside(aside) => aside.len(),
        }
    }

    /// Returns whether the length is zero.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the address of the first byte, where it is executed.
    #[must_use]
    pub const fn as_ptr(&self) -> *const u8 {
        match &self.form {
            Form::InPlace(mapping) => mapping.as_ptr(),
            Form::Aside(aside) => aside.as_ptr(),
        }
    }

    /// Returns the address of the byte at `offset`, to be called or jumped to.
    ///
    /// # Errors
    /// `EINVAL` with [`Reason::MappingLength`]: `offset` is not less than the length.
    ///
    /// ```
    /// let code = unix_memory::code::CodeBuffer::new(100)?.into_executable()?;
    /// assert_eq!(code.entry(99)?.addr(), code.as_ptr().addr() + 99);
    /// assert!(code.entry(100).is_err());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn entry(&self, offset: usize) -> Result<*const u8> {
        if offset >= self.len() {
            let reason = Reason::MappingLength(self.len());
            let arguments = Arguments::At(offset);
            return Err(Error::new(Call::Entry, libc::EINVAL, arguments, reason));
        }
        Ok(self.as_ptr().wrapping_add(offset))
    }

    /// Returns the function at `offset` as a pointer of the type `F`, which is a function type with
    /// its ABI, such as `extern "C" fn(u64) -> u64`.
    ///
    /// The pointer is the address of the byte at `offset`. On arm, `offset` is odd for Thumb code. In ABIs
    /// whose function pointers point to a descriptor (AIX, and version 1 of the ELF ABI of 64-bit PowerPC,
    /// as with glibc on big-endian processors), `offset` is that of a descriptor, which you write next to
    /// the code: [`CodeBuffer::address`](super::CodeBuffer::address) is known in advance.
    ///
    /// If the size of `F` differs from that of an address, the call does not compile.
    ///
    /// # Errors
    /// `EINVAL` as [`entry`](Self::entry).
    ///
    /// # Safety
    /// * At `offset` there is a function of this type, for this processor and its ABI. Every call that the
    ///   type allows is sound.
    /// * As long as the pointer can be called, and until each call has returned, this value is neither
    ///   dropped nor made writable, and no byte is [patched](Self::patch) that such a call may be
    ///   executing. With [`Way::DualMapping`], what a child calls depends in the same way on the value
    ///   of its parent.
    /// * A thread that has executed earlier code at these addresses (from before they became writable, or
    ///   from another mapping that has since been unmapped) passes a synchronising event before it calls
    ///   the pointer, as [`patch`](Self::patch) explains. (The thread that called
    ///   [`CodeBuffer::into_executable`](super::CodeBuffer::into_executable) or `patch` has passed one.)
    /// * With [`Way::Jit`], no handler of a signal that interrupts
    ///   [`CodeBuffer::into_executable`](super::CodeBuffer::into_executable) or
    ///   [`patch`](Self::patch) calls it.
    ///
    /// ```no_run
    /// // The bytes of a function depend on the processor.
    /// # let code = unix_memory::code::CodeBuffer::new(100)?.into_executable()?;
    /// // SAFETY: at 16 there is an addition, and `code` is neither changed nor dropped before it
    /// // returns.
    /// let add = unsafe { code.function::<extern "C" fn(u64, u64) -> u64>(16) }?;
    /// assert_eq!(add(2, 3), 5);
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub unsafe fn function<F: Copy>(&self, offset: usize) -> Result<F> {
        const {
            assert!(
                size_of::<F>() == size_of::<*const u8>(),
                "a function pointer"
            );
        };
        let address = self.entry(offset)?;
        // SAFETY: both have one size, and the caller vouches that the address is that of an `F`.
        // [caller, layout]
        Ok(unsafe { core::mem::transmute_copy::<*const u8, F>(&address) })
    }

    /// Copies `buffer.len()` bytes from `offset` on, in bytes from the start.
    ///
    /// # Errors
    /// `EINVAL` for a range that does not lie in the code. Nothing is copied then. With
    /// [`Way::DualMapping`], also the errors of [`SharedMapping::read_at`](crate::SharedMapping::read_at).
    pub fn read_at(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        check_span(Call::Read, offset, buffer.len(), self.len())?;
        match &self.form {
            Form::InPlace(mapping) => {
                buffer.copy_from_slice(&mapping[offset..offset + buffer.len()]);
                Ok(())
            }
            Form::Aside(aside) => aside.read(offset, buffer),
        }
    }

    /// Copies `bytes` to the code, from `offset` on, while other code beside them may be running, and
    /// makes them coherent.
    ///
    /// The bytes arrive one by one, in an unspecified order. Another thread that has executed the old
    /// bytes must pass a synchronising event before it executes the new ones: an instruction such as `isb`
    /// on arm64, `fence.i` on RISC-V or `cpuid` on x86. On most architectures, returning from a system
    /// call is such an event. On Linux, membarrier(2) with `MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE`
    /// makes every thread of the process pass one.
    ///
    /// # Errors
    /// * `EINVAL`: the range does not lie in the code. Nothing is copied.
    /// * `EACCES` with [`Reason::OneMapping`]: with [`Way::Flip`] the code has no writable mapping.
    ///   Nothing is copied.
    /// * `EPERM` in a child, with [`Way::DualMapping`] ([`Reason::OtherProcess`]). Nothing is copied.
    /// * Otherwise those of [`CodeBuffer::into_executable`](super::CodeBuffer::into_executable).
    ///
    /// # Safety
    /// No thread, and no child that shares the memory, executes any of the bytes that change until this
    /// has returned. (Some architectures allow certain instructions to be replaced by certain others in a
    /// single store. This method does not, because it promises nothing about its stores.) If it fails with
    /// [`Call::Write`] or [`Call::SyncInstructionCache`], these bytes are not executed until a later call
    /// succeeds. What runs afterwards is as sound as what was there before.
    ///
    /// ```
    /// use unix_memory::code::{CodeBuffer, Way};
    ///
    /// # #[cfg(feature = "std")]
    /// if let Ok(buffer) = CodeBuffer::with(100, Way::DualMapping) {
    ///     let mut code = buffer.into_executable()?;
    ///     // SAFETY: nobody is executing it.
    ///     unsafe { code.patch(98, &[1, 2]) }?;
    ///     let mut bytes = [0; 3];
    ///     code.read_at(97, &mut bytes)?;
    ///     assert_eq!(bytes, [0, 1, 2]);
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub unsafe fn patch(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        check_span(Call::Patch, offset, bytes.len(), self.len())?;
        match &mut self.form {
            Form::InPlace(_) => {
                let (start, len) = (offset, bytes.len());
                let arguments = Arguments::Range { start, len };
                let reason = Reason::OneMapping;
                Err(Error::new(Call::Patch, libc::EACCES, arguments, reason))
            }
            Form::Aside(aside) => aside.write(Call::Patch, offset, bytes),
        }
    }
}

impl fmt::Debug for Code {
    /// Shows the address, the length and the way; never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code")
            .field("address", &self.as_ptr())
            .field("len", &self.len())
            .field("way", &self.way())
            .finish()
    }
}

static_assertions::assert_impl_all!(Code: Send, Sync, Unpin);
