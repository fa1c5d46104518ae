//! The error numbers that these calls return, in words: `core` has no texts for them.

use core::ffi::c_int;

/// An `errno`.
pub type Errno = c_int;

/// What `errno` means, in the words of POSIX, if the calls of this crate return it.
pub const fn text(errno: Errno) -> Option<&'static str> {
    Some(match errno {
        libc::E2BIG => "Argument list too long",
        libc::EACCES => "Permission denied",
        libc::EAGAIN => "Resource temporarily unavailable",
        libc::EBADMSG => "Bad message",
        libc::EBADF => "Bad file descriptor",
        libc::EBUSY => "Device or resource busy",
        libc::ECONNRESET => "Connection reset",
        libc::EDESTADDRREQ => "Destination address required",
        libc::EDQUOT => "Disk quota exceeded",
        libc::EEXIST => "File exists",
        libc::EFBIG => "File too large",
        libc::EFAULT => "Bad address",
        libc::EINTR => "Interrupted system call",
        libc::EINVAL => "Invalid argument",
        libc::EIO => "Input/output error",
        libc::EISDIR => "Is a directory",
        libc::EMFILE => "Too many open files",
        libc::ELOOP => "Too many symbolic links",
        libc::ENAMETOOLONG => "File name too long",
        libc::ENFILE => "Too many open files in the system",
        libc::ENODEV => "No such device",
        libc::ENOENT => "No such file or directory",
        libc::ENOLCK => "No locks available",
        libc::ENOMEM => "Cannot allocate memory",
        libc::ENOSPC => "No space left on device",
        libc::ENOSYS => "Function not implemented",
        libc::ENOTCONN => "The socket is not connected",
        libc::ENOTDIR => "Not a directory",
        libc::ENOTSUP => "Operation not supported",
        libc::ENOTTY => "Inappropriate ioctl for device",
        libc::ENXIO => "No such device or address",
        libc::EOVERFLOW => "Value too large for its type",
        libc::EPERM => "Operation not permitted",
        libc::EPIPE => "Broken pipe",
        libc::EROFS => "Read-only file system",
        libc::ESPIPE => "Invalid seek",
        libc::ESRCH => "No such process",
        libc::ETXTBSY => "Text file busy",
        _ => return None,
    })
}

/// The limit that `errno` is about, and what to do, if it is always the same limit.
pub const fn limit(errno: Errno) -> Option<&'static str> {
    Some(match errno {
        libc::EMFILE => {
            "the process has as many descriptors as it may have (RLIMIT_NOFILE): close some, or raise \
             the limit"
        }
        libc::ENFILE => "the system has as many open files as it can have: close some",
        _ => return None,
    })
}
