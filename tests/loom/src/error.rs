//! Errors without words.

pub type Errno = i32;
pub type Result<T> = std::result::Result<T, Error>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Commit,
    Consume,
    Mmap,
    Ring,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arguments {
    None,
    Length(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Kernel,
    OtherProcess,
    RingBytes(usize),
    RingPeer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    pub call: Call,
    pub errno: Errno,
    pub arguments: Arguments,
    pub reason: Reason,
}

impl Error {
    pub const fn new(call: Call, errno: Errno, arguments: Arguments, reason: Reason) -> Self {
        Self {
            call,
            errno,
            arguments,
            reason,
        }
    }

    pub const fn kernel(call: Call, errno: Errno, arguments: Arguments) -> Self {
        Self::new(call, errno, arguments, Reason::Kernel)
    }
}
