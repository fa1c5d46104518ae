//! What is counted: an operation, as done by one of the implementations that are compared.

/// An operation.
#[derive(Clone, Copy)]
pub struct Operation {
    /// What is done.
    pub name: &'static str,
    /// Who does it: `unix-memory`, `libc` or another crate.
    pub by: &'static str,
    /// Does it so many times.
    pub run: fn(usize),
}

/// Declares `OPERATIONS`: what is done, by each implementation that can do it.
macro_rules! operations {
    (
        $(#[$doc:meta])*
        $($name:literal => { $($by:literal => $run:expr),+ $(,)? }),+ $(,)?
    ) => {
        $(#[$doc])*
        pub const OPERATIONS: &[$crate::operation::Operation] = &[
            $($($crate::operation::Operation { name: $name, by: $by, run: $run },)+)+
        ];
    };
}

pub(crate) use operations;
