//! The system calls that can be refused, and with what: every errno that the man page of each lists.

use std::ffi::c_long;

use libc::{
    E2BIG, EACCES, EAGAIN, EBADF, EBUSY, EDESTADDRREQ, EDQUOT, EEXIST, EFAULT, EFBIG, EHWPOISON,
    EINTR, EINVAL, EIO, EISDIR, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENODEV, ENOENT, ENOLCK,
    ENOMEM, ENOSPC, ENOSYS, ENOTDIR, ENOTTY, ENXIO, EOPNOTSUPP, EOVERFLOW, EPERM, EPIPE, EROFS,
    ESPIPE, ESRCH, ETXTBSY,
};
use unix_memory::Call;

/// A system call.
pub struct SystemCall {
    pub name: &'static str,
    pub number: c_long,
    /// What its man page lists, and `ENOSYS` if a kernel or a filter may lack the call.
    pub errnos: &'static [i32],
    /// The names that the library's errors may have for it.
    pub names: &'static [Call],
}

macro_rules! calls {
    ($($name:ident [$($errno:ident)*] as $($call:ident)*;)*) => {
        &[$(SystemCall {
            name: stringify!($name),
            number: libc::$name,
            errnos: &[$($errno),*],
            names: &[$(Call::$call),*],
        },)*]
    };
}

/// Calls that are not refused: nobody makes them for a result, or what they do is not the library's.
pub const NEVER_REFUSED: &[c_long] = &[
    // Gives the descriptor up regardless of what it returns, on Linux.
    libc::SYS_close,
    // The standard library's calls, which panic if they are refused, or keep a file open.
    libc::SYS_getrandom,
    // The allocator's heap.
    libc::SYS_brk,
    // Numbers, which cannot be refused.
    libc::SYS_getpid,
    libc::SYS_gettid,
    // What a thread waits by, and the end of a handler or of the process.
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigreturn,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// All others: a call that is in neither list is a mistake of this test, which reports it.
pub const CALLS: &[SystemCall] = calls! {
    SYS_mmap [EACCES EAGAIN EBADF EEXIST EINVAL ENFILE ENODEV ENOMEM EOVERFLOW EPERM ETXTBSY]
        as Mmap;
    SYS_munmap [EINVAL ENOMEM] as Munmap;
    SYS_mprotect [EACCES EINVAL ENOMEM] as Mprotect;
    SYS_madvise [EACCES EAGAIN EBADF EBUSY EFAULT EHWPOISON EINVAL EIO ENOMEM EPERM ESRCH]
        as Madvise;
    SYS_process_madvise [EBADF EFAULT EINVAL ENOMEM EPERM ENOSYS ESRCH] as Madvise;
    SYS_mremap [EAGAIN EFAULT EINVAL ENOMEM ENOSYS] as Mremap;
    SYS_mlock [EAGAIN EINVAL ENOMEM EPERM] as Mlock;
    SYS_mlock2 [EAGAIN EINVAL ENOMEM ENOSYS EPERM] as Mlock;
    SYS_munlock [EAGAIN EINVAL ENOMEM EPERM] as Munlock;
    SYS_mlockall [EINVAL ENOMEM EPERM] as Mlockall;
    SYS_munlockall [EPERM] as;
    SYS_msync [EBUSY EINVAL EIO ENOMEM] as Msync;
    SYS_mincore [EAGAIN EFAULT EINVAL ENOMEM] as Mincore;
    SYS_mseal [EINVAL ENOMEM ENOSYS EPERM] as Mseal;
    SYS_fsync [EBADF EDQUOT EINTR EINVAL EIO ENOSPC EROFS] as Fsync;
    SYS_ftruncate [EBADF EFBIG EINTR EINVAL EIO EPERM ETXTBSY] as Ftruncate;
    SYS_statx [EACCES EBADF EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR] as Fstat;
    SYS_fstat [EBADF EFAULT ENOMEM EOVERFLOW] as Fstat;
    SYS_newfstatat [EACCES EBADF EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EOVERFLOW]
        as Fstat;
    SYS_fstatfs [EBADF EFAULT EINTR EIO ENOMEM ENOSYS EOVERFLOW] as;
    SYS_fcntl [EACCES EAGAIN EBADF EBUSY EFAULT EINTR EINVAL EMFILE ENOLCK ENOTDIR EPERM]
        as Fcntl AddSeals GetSeals;
    SYS_memfd_create [EFAULT EINVAL EMFILE ENFILE ENOMEM ENOSYS EPERM] as MemfdCreate;
    SYS_memfd_secret [EINVAL EMFILE ENFILE ENOMEM ENOSYS] as MemfdSecret;
    SYS_openat [
        EACCES EBADF EBUSY EDQUOT EEXIST EFAULT EFBIG EINTR EINVAL EISDIR ELOOP EMFILE ENAMETOOLONG
        ENFILE ENODEV ENOENT ENOMEM ENOSPC ENOTDIR ENXIO EOPNOTSUPP EOVERFLOW EPERM EROFS ETXTBSY
    ] as ShmOpen Open;
    SYS_unlinkat [EACCES EBADF EBUSY EFAULT EINVAL EIO EISDIR ELOOP ENOENT ENOMEM ENOTDIR EPERM EROFS]
        as ShmUnlink;
    SYS_pipe2 [EFAULT EINVAL EMFILE ENFILE] as;
    SYS_read [EAGAIN EBADF EFAULT EINTR EINVAL EIO EISDIR] as ReadFile;
    SYS_pread64 [EAGAIN EBADF EFAULT EINTR EINVAL EIO EISDIR ENXIO EOVERFLOW ESPIPE] as ReadFile;
    SYS_write [EAGAIN EBADF EDESTADDRREQ EDQUOT EFAULT EFBIG EINTR EINVAL EIO ENOSPC EPERM EPIPE]
        as WriteFile;
    SYS_lseek [EBADF EINVAL ENXIO EOVERFLOW ESPIPE] as;
    SYS_fadvise64 [EBADF EINVAL ESPIPE] as;
    SYS_ioctl [EAGAIN EBADF EBUSY EFAULT EINVAL ENOENT ENOMEM ENOTTY EPERM ESRCH]
        as Userfaultfd UffdioRegister UffdioWriteprotect PagemapScan;
    SYS_prctl [EACCES EBADF EFAULT EINVAL ENOMEM EPERM] as SetName;
    SYS_pkey_alloc [EINVAL ENOSPC ENOSYS] as PkeyAlloc;
    SYS_pkey_free [EINVAL] as;
    SYS_pkey_mprotect [EACCES EINVAL ENOMEM ENOSYS] as PkeyMprotect;
    SYS_userfaultfd [EINVAL EMFILE ENFILE ENOMEM ENOSYS EPERM] as Userfaultfd;
    SYS_mbind [EFAULT EINVAL EIO ENOMEM ENOSYS EPERM] as Mbind;
    SYS_get_mempolicy [EFAULT EINVAL ENOSYS EPERM] as GetMempolicy;
    SYS_set_mempolicy [EFAULT EINVAL ENOMEM ENOSYS] as;
    SYS_set_mempolicy_home_node [EFAULT EINVAL EOPNOTSUPP ENOSYS] as;
    SYS_migrate_pages [EFAULT EINVAL ENOSYS EPERM ESRCH] as;
    SYS_move_pages [E2BIG EACCES EFAULT EINVAL ENODEV ENOENT ENOSYS EPERM ESRCH] as MovePages;
    SYS_pidfd_open [EINVAL EMFILE ENFILE ENODEV ENOMEM ENOSYS ESRCH] as;
    SYS_process_mrelease [EAGAIN EBADF EINTR EINVAL ENOSYS ESRCH] as;
    SYS_fallocate [
        EBADF EFBIG EINTR EINVAL EIO ENODEV ENOSPC ENOSYS EOPNOTSUPP EPERM ESPIPE ETXTBSY
    ] as;
    SYS_remap_file_pages [EINVAL ENOSYS] as;
    SYS_rt_sigprocmask [EFAULT EINVAL] as;
    SYS_uname [EFAULT] as;
    SYS_process_vm_readv [EFAULT EINVAL ENOMEM ENOSYS EPERM ESRCH] as Read;
    SYS_process_vm_writev [EFAULT EINVAL ENOMEM ENOSYS EPERM ESRCH] as Write;
    SYS_rt_sigaction [EFAULT EINVAL] as Sigaction;
    SYS_prlimit64 [EFAULT EINVAL EPERM ESRCH] as;
};

/// The calls that x86-64 has beside those.
#[cfg(target_arch = "x86_64")]
pub const OLD_CALLS: &[SystemCall] = calls! {
    SYS_unlink [
        EACCES EBUSY EFAULT EIO EISDIR ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS
    ] as ShmUnlink;
};
#[cfg(not(target_arch = "x86_64"))]
pub const OLD_CALLS: &[SystemCall] = &[];

/// Calls that the libc crate does not number; they have one number everywhere.
pub const NEW_CALLS: &[SystemCall] = &[SystemCall {
    name: "SYS_cachestat",
    number: 451,
    errnos: &[EBADF, EFAULT, EINVAL, ENOSYS, EOPNOTSUPP],
    names: &[],
}];

/// All of these.
pub fn all() -> impl Iterator<Item = &'static SystemCall> {
    CALLS.iter().chain(OLD_CALLS).chain(NEW_CALLS)
}

/// The call of that number, if it is listed.
pub fn of(number: c_long) -> Option<&'static SystemCall> {
    all().find(|call| call.number == number)
}
