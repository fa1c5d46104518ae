//! Secrets if the kernel refuses a call.

use libc::{EINVAL, ENOMEM, EPERM};
use tests::seccomp::{MADV_DONTDUMP, MADV_WIPEONFORK, SYS_MADVISE, SYS_MLOCK, SYS_MPROTECT};
use tests::{Permissions, permissions, refusing, refusing_argument};
use unix_memory::secret::{Protections, Secret, SecretOptions};
use unix_memory::{Call, Reason, page_size};

/// The first byte, as a pointer to ask the kernel about.
fn first(secret: &Secret) -> *const u8 {
    std::ptr::without_provenance(secret.address())
}

/// Whether the process cannot access the page of the first byte. Also true if that is not reported.
fn is_closed(secret: &Secret) -> bool {
    permissions(first(secret)).lacks(Permissions::READ | Permissions::WRITE)
}

/// A call that the kernel refuses is an error, unless it is optional.
#[test]
fn refused_protections() {
    let cases = [
        (
            SYS_MADVISE,
            2,
            MADV_DONTDUMP,
            Protections::NOT_DUMPED,
            Call::Madvise,
        ),
        (
            SYS_MADVISE,
            2,
            MADV_WIPEONFORK,
            Protections::NOT_INHERITED,
            Call::Minherit,
        ),
    ];
    // What is made once for the process has to be there.
    drop(Secret::zeroed(1).unwrap());
    for (number, index, value, protection, call) in cases {
        let make = || {
            let error = Secret::zeroed(1).unwrap_err();
            let optional = SecretOptions::new().optional(protection);
            (error, optional.zeroed(1).unwrap().protections())
        };
        let value = value.unsigned_abs().into();
        let Some((error, had)) = refusing_argument(number, index, value, EPERM, make) else {
            return;
        };
        assert_eq!((error.call(), error.errno()), (call, EPERM));
        assert!(!had.contains(protection), "{had:?}");
    }
    // As of a kernel that does not know the number: it is left out, or was demanded.
    let make = || {
        let demanded = SecretOptions::new().demand(Protections::NOT_INHERITED);
        let error = demanded.zeroed(1).unwrap_err();
        (error, Secret::zeroed(1).unwrap().protections())
    };
    let value = MADV_WIPEONFORK.unsigned_abs().into();
    if let Some((error, had)) = refusing_argument(SYS_MADVISE, 2, value, EINVAL, make) {
        assert_eq!((error.call(), error.errno()), (Call::Minherit, EINVAL));
        assert_eq!(error.reason(), Reason::Unsupported);
        assert!(!had.contains(Protections::NOT_INHERITED), "{had:?}");
    }
}

/// Whatever `mlock` says of the lock; where the system lacks it, that is no error.
#[test]
fn refused_locks() {
    let one_page = page_size() as u64;
    let make = || {
        let optional = SecretOptions::new().optional(Protections::LOCKED);
        let had = optional.zeroed(1).unwrap().protections();
        (Secret::zeroed(1).map(drop), had)
    };
    for errno in [ENOMEM, EPERM, libc::EAGAIN, libc::ENOSYS] {
        let refused = refusing_argument(SYS_MLOCK, 1, one_page, errno, make);
        let Some((result, had)) = refused else { return };
        assert!(!had.contains(Protections::LOCKED), "{had:?}");
        if errno == libc::ENOSYS {
            assert_eq!(result, Ok(()));
        } else {
            let error = result.unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Mlock, errno));
        }
    }
}

/// Secret memory that a child would have too is not made.
// Only Linux has such memory.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn secret_memory_that_would_be_inherited_is_refused() {
    let secret = Protections::SECRET_MEMORY;
    let demanded = SecretOptions::new().demand(secret);
    if let Err(error) = demanded.zeroed(1) {
        return tests::skip("secret memory that is inherited", &error.to_string());
    }
    let make = || {
        let optional = SecretOptions::new().secret_memory(true).optional(secret);
        let error = demanded.zeroed(1).unwrap_err();
        (error, optional.zeroed(1).unwrap().protections())
    };
    let value = libc::MADV_DONTFORK.unsigned_abs().into();
    if let Some((error, had)) = refusing_argument(SYS_MADVISE, 2, value, EPERM, make) {
        assert_eq!((error.call(), error.errno()), (Call::Minherit, EPERM));
        assert!(!had.contains(secret), "{had:?}");
    }
}

/// Pages that the kernel refuses to close are reported, and closed when it no longer refuses.
#[test]
fn a_close_that_is_refused_is_reported() {
    let mut secret = Secret::zeroed(1).unwrap();
    let pages = std::ptr::without_provenance(secret.address() & !(page_size() - 1));
    let closes = Protections::CLOSED;
    let guard = secret.borrow().unwrap();
    let Some(()) = refusing(SYS_MPROTECT, pages, EPERM, || drop(guard)) else {
        return;
    };
    assert!(!secret.protections().contains(closes));
    assert!(permissions(first(&secret)).contains(Permissions::READ));
    drop(secret.borrow().unwrap());
    assert!(secret.protections().contains(closes));
    assert!(is_closed(&secret));

    // And those that it refuses to open stay closed.
    let refused = refusing(SYS_MPROTECT, pages, ENOMEM, || {
        (secret.borrow().map(drop), secret.borrow_mut().map(drop))
    });
    let (read, write) = refused.expect("there was a filter before");
    for refused in [read, write] {
        let error = refused.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
    }
    assert!(secret.protections().contains(closes));
    assert!(is_closed(&secret));
    assert!(secret.ct_eq(&[0]).unwrap());
    // A secret that cannot be opened for wiping is unmapped nevertheless.
    refusing(SYS_MPROTECT, pages, EPERM, || drop(secret)).expect("there was a filter before");
}
