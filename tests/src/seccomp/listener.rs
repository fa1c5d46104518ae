//! System calls that wait until somebody else answers in place of the kernel: `SECCOMP_RET_USER_NOTIF`
//! of seccomp_unotify(2), since Linux 5.5. This way, a test can choose one call among many similar
//! ones, by when it comes.

use std::ffi::{c_int, c_long};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::filter_any;

/// Where the calls of a thread wait.
#[derive(Debug)]
pub struct Listener(OwnedFd);

/// A call that waits.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    id: u64,
    /// Its number, `SYS_...`.
    pub call: c_long,
    /// Its arguments.
    pub arguments: [u64; 6],
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The kernel makes it.
    Go,
    /// It is not made, and returns zero.
    Zero,
    /// It is not made, and fails with this `errno`.
    Refuse(i32),
}

impl Listener {
    /// Makes `calls` of the calling thread, and of threads that it makes, wait from now on.
    ///
    /// # Errors
    /// If this kernel, or an emulator in its place, has no such filters.
    ///
    /// # Panics
    /// For a negative number.
    pub fn new(calls: &[c_long]) -> io::Result<Self> {
        Self::install(calls, libc::SECCOMP_RET_USER_NOTIF, libc::SECCOMP_RET_ALLOW)
    }

    /// Makes all calls except `calls` wait, of the calling thread and of threads that it makes.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// For a negative number.
    pub fn of_all_but(calls: &[c_long]) -> io::Result<Self> {
        Self::install(calls, libc::SECCOMP_RET_ALLOW, libc::SECCOMP_RET_USER_NOTIF)
    }

    fn install(calls: &[c_long], action: u32, otherwise: u32) -> io::Result<Self> {
        let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        let fd = filter_any(calls, action, otherwise, flags)?;
        let fd = c_int::try_from(fd).expect("a descriptor");
        // SAFETY: it was just made.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The listener of another process, which has the descriptor `fd` there: pidfd_getfd(2), since
    /// Linux 5.6.
    ///
    /// # Errors
    /// If there is no such call, or this process may not trace the other.
    pub fn of(process: libc::pid_t, fd: c_int) -> io::Result<Self> {
        let new = |fd: c_long| match c_int::try_from(fd) {
            // SAFETY: the calls return a new descriptor.
            Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
            _ => Err(io::Error::last_os_error()),
        };
        // SAFETY: the call takes integers.
        let process = new(unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) })?;
        let process = process.as_raw_fd();
        // SAFETY: the call takes integers.
        new(unsafe { libc::syscall(libc::SYS_pidfd_getfd, process, fd, 0) }).map(Self)
    }

    /// The number of the descriptor.
    #[must_use]
    pub fn number(&self) -> c_int {
        self.0.as_raw_fd()
    }

    /// Waits for the next call; `None` when the threads are gone.
    #[must_use]
    pub fn next(&self) -> Option<Waiting> {
        let fd = self.0.as_raw_fd();
        loop {
            let mut poll = libc::pollfd {
                fd,
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: it is one such structure.
            let _ready = unsafe { libc::poll(&raw mut poll, 1, -1) };
            if poll.revents & libc::POLLIN == 0 {
                return None;
            }
            let mut call = MaybeUninit::<libc::seccomp_notif>::zeroed();
            // SAFETY: the command writes the structure, which is zeros.
            if unsafe { libc::ioctl(fd, libc::SECCOMP_IOCTL_NOTIF_RECV, call.as_mut_ptr()) } != 0 {
                // A signal has ended its thread in between.
                continue;
            }
            // SAFETY: the command succeeded; and any bytes are a value.
            let call = unsafe { call.assume_init() };
            return Some(Waiting {
                id: call.id,
                call: call.data.nr.into(),
                arguments: call.data.args,
            });
        }
    }

    /// Answers a call, if its thread still waits.
    pub fn answer(&self, waiting: &Waiting, answer: Answer) {
        let flags = match answer {
            Answer::Go => libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE,
            _ => 0,
        };
        let response = libc::seccomp_notif_resp {
            id: waiting.id,
            val: 0,
            error: match answer {
                Answer::Refuse(errno) => -errno,
                _ => 0,
            },
            flags: u32::try_from(flags).unwrap_or(0),
        };
        let fd = self.0.as_raw_fd();
        // SAFETY: the command reads the structure.
        let _or_gone =
            unsafe { libc::ioctl(fd, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const response) };
    }
}
