//! Copies out of and into memory that others may change, and that may be gone.
//!
//! No access of Rust's own touches such bytes, but for the atomics that `atomic` gives out. Copies
//! are made by the kernel, or by the assembly of `arch`. To Rust's memory model that is what another
//! process does, or a device: something from outside that changes bytes, or looks at them. It can
//! always be told as relaxed atomic accesses of just the size in which this program accesses the
//! same bytes itself: to store a byte as an exchange of the whole atomic that has it, to load some
//! as a load of which the other bytes are dropped. So copies race with nothing, as long as the
//! program itself has no two sizes at once, which `claims` sees to.
//!
//! What is copied is not copied at once: each byte comes old or new.

use crate::arch;
use crate::call::Errno;
use crate::error::Reason;
use crate::fault::Mechanism;
use crate::os::{self, Pipe};
use crate::page::page_size;

/// So many bytes go through memory of the stack at a time, where they have to.
pub const CHUNK: usize = 4 << 10;

/// A copy that ended early: after `done` bytes, for the reason `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    pub done: usize,
    pub errno: Errno,
    /// Whether the mapping's memory is gone there; else `EFAULT` is of the caller's own buffer.
    pub is_gone: bool,
}

impl Stop {
    const fn new(done: usize, errno: Errno) -> Self {
        Self {
            done,
            errno,
            is_gone: errno == libc::EFAULT,
        }
    }
}

/// Which of the two addresses is in the memory that may be gone.
#[derive(Clone, Copy)]
enum Direction {
    Out,
    In,
}

/// Copies by one mechanism, or by those that there are.
pub struct Copier {
    mechanism: Chosen,
    /// Opened when it is needed first.
    pipe: Option<Pipe>,
}

#[derive(Clone, Copy)]
enum Chosen {
    Processor,
    ProcessVm,
    Pipe,
    /// The kernel, as it likes.
    Kernel,
}

impl Copier {
    /// What is best here.
    #[inline]
    pub fn new() -> Self {
        Self::by_processor_if(os::handler::is_ready())
    }

    /// What is best here for memory that cannot be gone.
    #[allow(dead_code, reason = "one system brings in all pages itself")]
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

    /// That mechanism alone.
    ///
    /// # Errors
    /// `ENOSYS` where the system does not have it, `ENOTSUP` where the handler is not installed, or
    /// blocked.
    pub fn with(mechanism: Mechanism) -> Result<Self, (Errno, Reason)> {
        Ok(Self::of(match mechanism {
            Mechanism::Handler if !os::handler::AVAILABLE => {
                return Err((libc::ENOSYS, Reason::Unsupported));
            }
            Mechanism::Handler if !os::handler::is_ready() => {
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
            pipe: None,
        }
    }

    /// Copies `len` bytes from `from` to `to`, which need not be initialized.
    ///
    /// # Safety
    /// `to` is valid for writes of `len` bytes. The bytes from `from` on lie in mapped pages that
    /// can be read, and the program itself accesses them in no way but by atomics of one size each.
    /// They may be gone, unless this copier is for such as cannot be.
    #[inline]
    pub unsafe fn load(&mut self, from: *const u8, to: *mut u8, len: usize) -> Result<(), Stop> {
        // SAFETY: as the caller vouches.
        unsafe { self.copy(from, to, len, Direction::Out) }
    }

    /// Copies `from` to `to` and on.
    ///
    /// # Safety
    /// As [`load`](Self::load), of pages that can be written; `from` is any memory of the program's.
    #[inline]
    pub unsafe fn store(&mut self, from: &[u8], to: *mut u8) -> Result<(), Stop> {
        // SAFETY: `from` can be read; the caller vouches for the rest.
        unsafe { self.copy(from.as_ptr(), to, from.len(), Direction::In) }
    }

    /// Sets `len` bytes from `to` on to `byte`.
    ///
    /// # Safety
    /// As [`store`](Self::store).
    pub unsafe fn fill(&mut self, to: *mut u8, len: usize, byte: u8) -> Result<(), Stop> {
        if let Chosen::Processor = self.mechanism {
            // SAFETY: the caller vouches for the bytes; those that are gone are for the handler.
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
            // SAFETY: these bytes lie in the range.
            unsafe { self.store(piece, to.wrapping_add(done)) }.map_err(|stop| Stop {
                done: done + stop.done,
                ..stop
            })?;
        }
        Ok(())
    }

    /// # Safety
    /// As [`load`](Self::load) or [`store`](Self::store); the address that is on the other side is
    /// that of `len` bytes that the program may read, or write, as any.
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
            let left = unsafe { arch::copy(to, from, len) };
            if left == 0 {
                return Ok(());
            }
            let done = len - left;
            let buffer = buffer_of(from, to, done, direction);
            // SAFETY: the byte is the caller's, which vouches for it.
            unsafe { crash_if_gone(buffer, direction) };
            return Err(Stop::new(done, libc::EFAULT));
        }
        // SAFETY: as the caller vouches.
        unsafe { self.ask_kernel(from, to, len, direction) }.map_err(|stop| {
            let buffer = buffer_of(from, to, stop.done, direction);
            Stop {
                // SAFETY: the byte is the caller's, which vouches for it.
                is_gone: stop.is_gone && unsafe { !self.is_refused(buffer, direction) },
                ..stop
            }
        })
    }

    /// Whether the kernel cannot reach a byte of the caller's own buffer, which is then what made a
    /// copy fail. Leaves it as it is.
    ///
    /// # Safety
    /// The program may read the byte, or write it where the copy is out of the mapping.
    #[cold]
    unsafe fn is_refused(&mut self, buffer: *mut u8, direction: Direction) -> bool {
        let mut byte = 0;
        let fault = |result: Result<(), Stop>| result.is_err_and(|stop| stop.is_gone);
        // The buffer is in the place that the caller's has in such a copy: the kernel may reach
        // there what it does not reach in the other.
        // SAFETY: one byte is read, and `byte` is there to be written.
        fault(unsafe { self.ask_kernel(buffer, &raw mut byte, 1, Direction::In) })
            || matches!(direction, Direction::Out)
                // SAFETY: `byte` is there to be read, and the byte that is written can be.
                && fault(unsafe { self.ask_kernel(&raw const byte, buffer, 1, direction) })
    }

    /// # Safety
    /// As [`copy`](Self::copy).
    unsafe fn ask_kernel(
        &mut self,
        from: *const u8,
        to: *mut u8,
        len: usize,
        direction: Direction,
    ) -> Result<(), Stop> {
        match self.mechanism {
            Chosen::ProcessVm => {
                // SAFETY: as the caller vouches.
                unsafe { by_process_vm(from, to, len, direction) }
            }
            Chosen::Pipe => {
                // SAFETY: as the caller vouches.
                unsafe { self.by_pipe(from, to, len, direction) }
            }
            Chosen::Kernel | Chosen::Processor => {
                // SAFETY: as the caller vouches.
                let Err(first) = (unsafe { by_process_vm(from, to, len, direction) }) else {
                    return Ok(());
                };
                // Missing or forbidden; or gone, but it says so of a device's memory too, of which
                // a pipe knows better.
                let (rest, done) = (len - first.done, first.done);
                let (from, to) = (from.wrapping_add(done), to.wrapping_add(done));
                // SAFETY: what is left of what the caller vouches for.
                unsafe { self.by_pipe(from, to, rest, direction) }.map_err(|second| Stop {
                    done: done + second.done,
                    // Without a pipe, the first word is the last.
                    ..if self.pipe.is_none() && first.is_gone {
                        first
                    } else {
                        second
                    }
                })
            }
        }
    }

    /// # Safety
    /// As [`copy`](Self::copy).
    unsafe fn by_pipe(
        &mut self,
        from: *const u8,
        to: *mut u8,
        len: usize,
        direction: Direction,
    ) -> Result<(), Stop> {
        let pipe = match self.pipe.take() {
            Some(pipe) => pipe,
            None => Pipe::new().map_err(|errno| Stop::new(0, errno))?,
        };
        let pipe = self.pipe.insert(pipe);
        by_kernel(from, to, len, direction, |from, to, len| {
            // SAFETY: a part of what the caller vouches for.
            unsafe { pipe.copy(from, to, len) }
        })
    }
}

/// # Safety
/// As [`Copier::copy`].
unsafe fn by_process_vm(
    from: *const u8,
    to: *mut u8,
    len: usize,
    direction: Direction,
) -> Result<(), Stop> {
    by_kernel(from, to, len, direction, |from, to, len| match direction {
        // SAFETY: a part of what the caller vouches for: `to` can be written.
        Direction::Out => unsafe { os::process_vm::read(from, to, len) },
        // SAFETY: a part of what the caller vouches for: `from` can be read.
        Direction::In => unsafe { os::process_vm::write(from, to, len) },
    })
}

/// The byte of the caller's own buffer that comes after `done` bytes of a copy.
const fn buffer_of(from: *const u8, to: *mut u8, done: usize, direction: Direction) -> *mut u8 {
    match direction {
        Direction::Out => to.wrapping_add(done),
        Direction::In => from.wrapping_add(done).cast_mut(),
    }
}

/// Touches a byte of the caller's own buffer, after a copy by the processor that faulted: where that
/// is what faulted, this raises the signal that touching it by a plain access raises. Leaves it as it
/// is.
///
/// The handler has a copy go on whichever side faulted, because it does not know them.
///
/// # Safety
/// The program may read the byte, or write it where the copy is out of the mapping.
#[cold]
unsafe fn crash_if_gone(buffer: *mut u8, direction: Direction) {
    let mut byte = 0u8;
    let to = match direction {
        // The byte on itself: it need not be initialized.
        Direction::Out => buffer,
        Direction::In => &raw mut byte,
    };
    // SAFETY: the caller vouches for the byte; where it is gone, that is for the handler.
    if unsafe { arch::copy(to, buffer, 1) } == 0 {
        return;
    }
    match direction {
        // SAFETY: the caller vouches that it can be written; this faults, and writes nothing.
        Direction::Out => unsafe { buffer.write_volatile(0) },
        Direction::In => {
            // SAFETY: the caller vouches that it can be read; this faults.
            let _ = unsafe { buffer.read_volatile() };
        }
    }
}

/// Calls `call` with addresses and a length until all is copied, or nothing more can be.
///
/// A call copies some bytes and says how many. It may refuse all for the sake of one page: then the
/// pages are tried one by one, so that what is done is exact.
fn by_kernel(
    from: *const u8,
    to: *mut u8,
    len: usize,
    direction: Direction,
    call: impl Fn(*const u8, *mut u8, usize) -> Result<usize, Errno>,
) -> Result<(), Stop> {
    let mut done = 0;
    let mut at_most = usize::MAX;
    while done < len {
        let (from, to) = (from.wrapping_add(done), to.wrapping_add(done));
        match call(from, to, at_most.min(len - done)) {
            Ok(copied @ 1..) => {
                done += copied;
                at_most = usize::MAX;
            }
            Err(libc::EINTR) => {}
            Err(errno) if errno != libc::EFAULT => return Err(Stop::new(done, errno)),
            _ => {
                let address = match direction {
                    Direction::Out => from.addr(),
                    Direction::In => to.addr(),
                };
                let in_page = page_size() - address % page_size();
                if at_most.min(len - done) <= in_page {
                    return Err(Stop::new(done, libc::EFAULT));
                }
                at_most = in_page;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    /// A kernel that copies at most `most` bytes at a time, and refuses every call that has a byte
    /// of what is gone, from `gone` on; it is interrupted every third time.
    fn done(most: usize, start: usize, len: usize, gone: usize) -> Result<(), Stop> {
        let calls = Cell::new(0);
        let copied = Cell::new(start);
        let from = core::ptr::without_provenance::<u8>(start);
        let to = core::ptr::without_provenance_mut::<u8>(start + 7);
        let result = by_kernel(from, to, len, Direction::Out, |from, to, len| {
            assert_eq!(to.addr(), from.addr() + 7);
            assert_eq!(from.addr(), copied.get(), "on from where it was");
            calls.set(calls.get() + 1);
            if calls.get() % 3 == 0 {
                return Err(libc::EINTR);
            }
            if from.addr() + len > gone {
                return Err(libc::EFAULT);
            }
            let len = len.min(most);
            copied.set(from.addr() + len);
            Ok(len)
        });
        let end = copied.get() - start;
        assert_eq!(end, result.map_or_else(|stop| stop.done, |()| len));
        result
    }

    #[test]
    fn a_refusal_of_all_is_looked_into() {
        let page = page_size();
        for most in [1000, page - 1, page, 3 * page, usize::MAX] {
            for start in [page, page + 1, 2 * page - 1] {
                for len in [1, page, 3 * page, 5 * page + 9] {
                    for gone in [page, 2 * page, 3 * page, 6 * page] {
                        let result = done(most, start, len, gone);
                        let expected = if start + len <= gone {
                            Ok(())
                        } else {
                            let done = gone.saturating_sub(start);
                            Err(Stop::new(done, libc::EFAULT))
                        };
                        assert_eq!(result, expected, "{most} {start} {len} {gone}");
                    }
                }
            }
        }
    }

    #[test]
    fn other_errors_are_told_at_once() {
        let address = core::ptr::without_provenance_mut::<u8>(page_size());
        let result = by_kernel(address, address, 9, Direction::In, |_, _, _| {
            Err(libc::EPERM)
        });
        assert_eq!(result, Err(Stop::new(0, libc::EPERM)));
    }
}
