//! Copies out of and into memory that others may change, and that may be gone.
//!
//! Rust's own accesses never touch such bytes, except for the atomics that `atomic` returns. Copies
//! are made by the kernel, or by the assembly of `arch`. To Rust's memory model, that is like another
//! process or a device: something outside that changes bytes or looks at them. Each copy can be
//! described as relaxed atomic accesses of exactly the size in which this program accesses the same
//! bytes itself: storing a byte is an exchange of the whole atomic that contains it, loading some is
//! a load whose other bytes are dropped. So copies race with nothing, as long as the program itself
//! never uses two sizes at once, which `claims` ensures.
//!
//! A copy does not happen at one moment: each byte is either old or new.

mod kernel;
pub mod mechanism;
mod pipe;
pub mod populate;
pub mod store;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod chain;
        mod handler;
    } else {
        #[path = "none.rs"]
        mod handler;
    }
}

use self::kernel::{Chosen, Kernel};
pub use self::kernel::{Direction, Stop};
use self::mechanism::Mechanism;
use crate::arch;
use crate::error::{Errno, Reason};

/// This many bytes go through the stack at a time, if that is necessary.
pub const CHUNK: usize = 4 << 10;

/// Copies by one given mechanism, or by whichever exist.
pub struct Copier {
    mechanism: Chosen,
    kernel: Kernel,
}

impl Copier {
    /// Uses the best mechanism of this system.
    #[inline]
    pub fn new() -> Self {
        Self::by_processor_if(handler::is_ready())
    }

    /// Returns whether copies by [`new`](Self::new) are the kernel's.
    #[cfg(feature = "std")]
    pub fn is_by_kernel() -> bool {
        !matches!(Self::new().mechanism, Chosen::Processor)
    }

    /// Uses the best mechanism for memory that cannot be gone.
    pub fn for_what_stays() -> Self {
        Self::by_processor_if(true)
    }

    #[inline]
    fn by_processor_if(it_may: bool) -> Self {
        Self::of(if arch::AVAILABLE && it_may {
            Chosen::Processor
        } else {
            Chosen::Kernel
        })
    }

    /// Uses only that mechanism.
    ///
    /// # Errors
    /// `ENOSYS` if the system does not have it, `ENOTSUP` if the handler is not installed, or
    /// blocked.
    pub fn with(mechanism: Mechanism) -> Result<Self, (Errno, Reason)> {
        Ok(Self::of(match mechanism {
            Mechanism::Handler if !handler::AVAILABLE => {
                return Err((libc::ENOSYS, Reason::Unsupported));
            }
            Mechanism::Handler if !handler::is_ready() => {
                return Err((libc::ENOTSUP, Reason::NoHandler));
            }
            Mechanism::Handler => Chosen::Processor,
            Mechanism::ProcessVm => Chosen::ProcessVm,
            Mechanism::Pipe => Chosen::Pipe,
        }))
    }

    const fn of(mechanism: Chosen) -> Self {
        Self {
            mechanism,
            kernel: Kernel::new(),
        }
    }

    /// Copies `len` bytes from `from` to `to`, which need not be initialized.
    ///
    /// # Safety
    /// `to` is valid for writes of `len` bytes. The bytes from `from` on lie in mapped pages that can
    /// be read, and the program itself accesses them only by atomics of one size each. They may be
    /// gone, unless this copier is for memory that cannot be.
    #[inline]
    pub unsafe fn load(&mut self, from: *const u8, to: *mut u8, len: usize) -> Result<(), Stop> {
        // SAFETY: as the caller vouches. [caller]
        unsafe { self.copy(from, to, len, Direction::Out) }
    }

    /// Copies `from` to the bytes from `to` on.
    ///
    /// # Safety
    /// The same as for [`load`](Self::load), of pages that can be written; `from` is any memory of
    /// the program.
    #[inline]
    pub unsafe fn store(&mut self, from: &[u8], to: *mut u8) -> Result<(), Stop> {
        // SAFETY: `from` can be read; the caller vouches for the rest. [caller, borrowed]
        unsafe { self.copy(from.as_ptr(), to, from.len(), Direction::In) }
    }

    /// Sets `len` bytes from `to` on to `byte`.
    ///
    /// # Safety
    /// The same as for [`store`](Self::store).
    pub unsafe fn fill(&mut self, to: *mut u8, len: usize, byte: u8) -> Result<(), Stop> {
        if let Chosen::Processor = self.mechanism {
            // SAFETY: the caller vouches for the bytes; those that are gone are for the handler.
            // [caller, copied]
            let left = unsafe { arch::set(to, len, byte) };
            return if left == 0 {
                Ok(())
            } else {
                Err(Stop::new(len - left, libc::EFAULT))
            };
        }
        let bytes = [byte; CHUNK];
        for done in (0..len).step_by(CHUNK) {
            let piece = &bytes[..CHUNK.min(len - done)];
            // SAFETY: these bytes lie in the range. [caller, inside]
            unsafe { self.store(piece, to.wrapping_add(done)) }.map_err(|stop| Stop {
                done: done + stop.done,
                ..stop
            })?;
        }
        Ok(())
    }

    /// # Safety
    /// The same as [`load`](Self::load) or [`store`](Self::store); the other address is that of `len`
    /// bytes that the program may read or write like any others.
    #[inline]
    unsafe fn copy(
        &mut self,
        from: *const u8,
        to: *mut u8,
        len: usize,
        direction: Direction,
    ) -> Result<(), Stop> {
        if let Chosen::Processor = self.mechanism {
            // SAFETY: the caller vouches for both; bytes that are gone are for the handler.
            // [caller, copied]
            let left = unsafe { arch::copy(to, from, len) };
            if left == 0 {
                return Ok(());
            }
            // SAFETY: as the caller vouches. [caller]
            return Err(unsafe { interrupted(from, to, len - left, direction) });
        }
        // SAFETY: as the caller vouches. [caller]
        unsafe { self.copy_by_kernel(from, to, len, direction) }
    }

    /// # Safety
    /// The same as for [`copy`](Self::copy).
    #[inline]
    unsafe fn copy_by_kernel(
        &mut self,
        from: *const u8,
        to: *mut u8,
        len: usize,
        direction: Direction,
    ) -> Result<(), Stop> {
        // SAFETY: as the caller vouches. [caller]
        match unsafe { self.kernel.copy(self.mechanism, from, to, len, direction) } {
            Ok(()) => Ok(()),
            // SAFETY: as the caller vouches. [caller]
            Err(stop) => Err(unsafe { self.explained(from, to, stop, direction) }),
        }
    }

    /// Returns why the kernel's copy stopped, which does not say on which side.
    ///
    /// # Safety
    /// The same as for [`copy`](Self::copy).
    #[cold]
    unsafe fn explained(
        &mut self,
        from: *const u8,
        to: *mut u8,
        stop: Stop,
        direction: Direction,
    ) -> Stop {
        let buffer = buffer_of(from, to, stop.done, direction);
        Stop {
            // SAFETY: the byte is the caller's, who vouches for it. [caller]
            is_gone: stop.is_gone && unsafe { !self.is_refused(buffer, direction) },
            ..stop
        }
    }

    /// Returns whether there is a byte of the caller's own buffer that the kernel cannot access,
    /// which is then why a copy failed. Leaves the byte as it is.
    ///
    /// # Safety
    /// The program may read the byte, or write it if the copy goes out of the mapping.
    #[cold]
    unsafe fn is_refused(&mut self, buffer: *mut u8, direction: Direction) -> bool {
        let mut byte = 0;
        let fault = |result: Result<(), Stop>| result.is_err_and(|stop| stop.is_gone);
        // The buffer takes the same side as the caller's in such a copy: the kernel may be able to
        // access on one side what it cannot access on the other.
        // SAFETY: the caller vouches that the byte may be read; `byte` is there to be written. [caller]
        fault(unsafe {
            self.kernel
                .copy(self.mechanism, buffer, &raw mut byte, 1, Direction::In)
        }) || matches!(direction, Direction::Out)
                // SAFETY: `byte` is there to be read, and the caller vouches that the other may be
                // written. [caller]
                && fault(unsafe { self.kernel.copy(self.mechanism, &raw const byte, buffer, 1, direction) })
    }
}

/// Copies by the processor, if a new copier would; returns how many bytes it left. If there are any, the
/// error is that of [`interrupted`]. This comes down to a few instructions where it is called.
///
/// # Safety
/// The same as for [`Copier::load`] or [`Copier::store`].
#[inline]
pub unsafe fn by_processor(from: *const u8, to: *mut u8, len: usize) -> Option<usize> {
    if arch::AVAILABLE && handler::is_ready() {
        // SAFETY: the caller vouches for both; bytes that are gone are for the handler.
        // [caller, copied]
        return Some(unsafe { arch::copy(to, from, len) });
    }
    None
}

/// Copies by the kernel, by whichever call works.
///
/// # Safety
/// The same as for [`Copier::load`] or [`Copier::store`], depending on `direction`.
pub unsafe fn by_kernel(
    from: *const u8,
    to: *mut u8,
    len: usize,
    direction: Direction,
) -> Result<(), Stop> {
    // SAFETY: as the caller vouches. [caller]
    unsafe { Copier::of(Chosen::Kernel).copy_by_kernel(from, to, len, direction) }
}

/// Returns the byte of the caller's own buffer that comes after `done` bytes of a copy.
const fn buffer_of(from: *const u8, to: *mut u8, done: usize, direction: Direction) -> *mut u8 {
    match direction {
        Direction::Out => to.wrapping_add(done),
        Direction::In => from.wrapping_add(done).cast_mut(),
    }
}

/// Returns the error of a copy by the processor that a fault interrupted after `done` bytes.
///
/// # Safety
/// Like [`crash_if_gone`], for the byte after these.
#[cold]
pub unsafe fn interrupted(from: *const u8, to: *mut u8, done: usize, direction: Direction) -> Stop {
    let buffer = buffer_of(from, to, done, direction);
    // SAFETY: as the caller vouches. [caller]
    unsafe { crash_if_gone(buffer, direction) };
    Stop::new(done, libc::EFAULT)
}

/// Touches a byte of the caller's own buffer, after a copy by the processor has faulted. If it was
/// the buffer that faulted, this raises the signal that a plain access raises. Leaves the byte as it
/// is.
///
/// The handler resumes a copy whichever side faulted, because it does not know the sides.
///
/// # Safety
/// The program may read the byte, or write it if the copy goes out of the mapping.
#[cold]
unsafe fn crash_if_gone(buffer: *mut u8, direction: Direction) {
    let mut byte = 0u8;
    let to = match direction {
        // Copies the byte onto itself: it need not be initialized.
        Direction::Out => buffer,
        Direction::In => &raw mut byte,
    };
    // SAFETY: the caller vouches for the byte; if it is gone, the handler deals with that.
    // [caller, copied]
    if unsafe { arch::copy(to, buffer, 1) } == 0 {
        return;
    }
    match direction {
        // SAFETY: the caller vouches that it can be written; this faults, and writes nothing.
        // [caller]
        Direction::Out => unsafe { buffer.write_volatile(0) },
        Direction::In => {
            // SAFETY: the caller vouches that it can be read; this faults. [caller]
            let _ = unsafe { buffer.read_volatile() };
        }
    }
}
