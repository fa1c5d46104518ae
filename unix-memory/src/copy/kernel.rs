//! Copies made by the kernel, by any of its calls.

use super::pipe::Pipe;
use crate::error::Errno;
use crate::os::{self, call};
use crate::page::page_size;

/// A copy that ended early: after `done` bytes, with the error `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    pub done: usize,
    pub errno: Errno,
    /// Whether the mapping's memory is gone there; if not, `EFAULT` concerns the caller's own buffer.
    pub is_gone: bool,
}

impl Stop {
    pub const fn new(done: usize, errno: Errno) -> Self {
        Self {
            done,
            errno,
            is_gone: errno == libc::EFAULT,
        }
    }
}

/// Which of the two addresses lies in the memory that may be gone.
#[derive(Clone, Copy)]
pub enum Direction {
    Out,
    In,
}

#[derive(Clone, Copy)]
pub enum Chosen {
    Processor,
    ProcessVm,
    Pipe,
    /// The kernel, by whichever call works.
    Kernel,
}

/// The kernel's copies, with the pipe that some of them need.
pub struct Kernel {
    /// Opened when it is first needed.
    pipe: Option<Pipe>,
}

impl Kernel {
    /// Without a pipe.
    pub const fn new() -> Self {
        Self { pipe: None }
    }

    /// Copies `len` bytes from `from` to `to`.
    ///
    /// # Safety
    /// The same as [`Copier::load`](super::Copier::load) or [`store`](super::Copier::store),
    /// depending on `direction`.
    pub unsafe fn copy(
        &mut self,
        chosen: Chosen,
        from: *const u8,
        to: *mut u8,
        len: usize,
        direction: Direction,
    ) -> Result<(), Stop> {
        match chosen {
            Chosen::ProcessVm => {
                // SAFETY: as the caller vouches. [caller]
                unsafe { by_process_vm(from, to, len, direction) }
            }
            Chosen::Pipe => {
                // SAFETY: as the caller vouches. [caller]
                unsafe { self.by_pipe(from, to, len, direction) }
            }
            Chosen::Kernel | Chosen::Processor => {
                // SAFETY: as the caller vouches. [caller]
                let Err(first) = (unsafe { by_process_vm(from, to, len, direction) }) else {
                    return Ok(());
                };
                // It is missing or forbidden; or the memory is gone, which it also reports for a
                // device's memory, where a pipe gives the right answer.
                let (rest, done) = (len - first.done, first.done);
                let (from, to) = (from.wrapping_add(done), to.wrapping_add(done));
                // SAFETY: the rest of what the caller vouches for. [caller]
                unsafe { self.by_pipe(from, to, rest, direction) }.map_err(|second| Stop {
                    done: done + second.done,
                    // Without a pipe, the first error stands.
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
    /// The same as for [`copy`](Self::copy).
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
            // SAFETY: a part of what the caller vouches for. [caller]
            unsafe { pipe.copy(from, to, len) }
        })
    }
}

/// # Safety
/// The same as for [`Kernel::copy`].
unsafe fn by_process_vm(
    from: *const u8,
    to: *mut u8,
    len: usize,
    direction: Direction,
) -> Result<(), Stop> {
    // Requested each time: a child made by `vfork` has the same memory, but another number. A number
    // kept in that memory would outlive the child, and could become that of an unrelated process.
    let process = call::process_id();
    by_kernel(from, to, len, direction, |from, to, len| match direction {
        // SAFETY: a part of what the caller vouches for: `to` can be written. [caller]
        Direction::Out => unsafe { os::process_vm_read(process, from, to, len) },
        // SAFETY: a part of what the caller vouches for: `from` can be read. [caller]
        Direction::In => unsafe { os::process_vm_write(process, from, to, len) },
    })
}

/// Calls `call` with addresses and a length until everything is copied, or nothing more can be.
///
/// A call copies some bytes and returns how many. It may refuse all of them because of one page: then
/// the pages are tried one by one, so that the number of bytes copied is exact.
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

    /// A kernel that copies at most `most` bytes at a time, and refuses every call that includes a
    /// byte that is gone, from `gone` on; every third call is interrupted.
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
