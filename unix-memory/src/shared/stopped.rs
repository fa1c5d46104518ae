//! The errors of copies that stopped.

use crate::copy::{Copier, Stop};
use crate::error::{Arguments, Call, Error, FaultCause, Reason};
use crate::protection::Writable;
use crate::shared::SharedMapping;

/// The error of a copy that stopped: `done` bytes were copied, and the byte at `at` was not.
#[cold]
pub const fn stopped(
    call: Call,
    arguments: Arguments,
    stop: Stop,
    done: usize,
    at: usize,
) -> Error {
    let reason = if stop.is_gone {
        let cause = FaultCause::Unknown;
        Reason::Fault { done, at, cause }
    } else {
        Reason::Kernel
    };
    Error::new(call, stop.errno, arguments, reason)
}

/// The error of a copy of `len` bytes at `offset` that stopped.
#[cold]
#[inline(never)]
pub const fn stopped_in(call: Call, offset: usize, len: usize, stop: Stop) -> Error {
    let arguments = Arguments::Range { start: offset, len };
    stopped(call, arguments, stop, stop.done, offset + stop.done)
}

impl<A: Writable> SharedMapping<A> {
    /// The same `error`, of a write; if its byte can be read, the error says so.
    #[cold]
    pub(super) fn asked(&self, copier: &mut Copier, error: Error) -> Error {
        match error.reason() {
            Reason::Fault { done, at, .. } if self.load(copier, at, &mut [0]).is_ok() => {
                let cause = FaultCause::NotWritable;
                error.because(Reason::Fault { done, at, cause })
            }
            _ => error,
        }
    }
}
