//! Secrets at limits: each in a child, which sets them for itself.
// Only Linux's limits, and who has the privilege to pass them, are known here.
#![cfg(any(target_os = "linux", target_os = "android"))]

use libc::{EAGAIN, EFBIG, EMFILE, ENOMEM, EPERM};
use tests::{
    Permissions, in_a_child, lacks, limit_address_space, limit_file_size, mappings_up_to_the_limit,
    permissions, reachable_mapping_limit, skip,
};
use unix_memory::secret::{Protections, Secret, SecretOptions};
use unix_memory::{Call, NoAccess, ReadWrite, Reason, page_size};

/// The kinds of memory that there are here.
fn kinds() -> Vec<SecretOptions> {
    let ordinary = SecretOptions::new();
    let secret = SecretOptions::new().demand(Protections::SECRET_MEMORY);
    let mut kinds = vec![ordinary];
    match secret.zeroed(1) {
        Ok(_) => kinds.push(secret),
        Err(error) => skip("secret memory", &error.to_string()),
    }
    kinds
}

/// Gives up the privilege to lock beyond the limit, and any other, permanently.
fn without_privileges() -> bool {
    // SAFETY: the call has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return true;
    }
    // SAFETY: as above. (Nobody's.)
    unsafe { libc::setuid(65534) == 0 }
}

#[test]
fn over_the_limit_on_locks() {
    let check = "the limit on locks";
    if lacks::own_process(check) {
        return;
    }
    for options in kinds() {
        let status = in_a_child(|| {
            let pages = 8;
            let limit = libc::rlimit {
                rlim_cur: (pages * page_size()) as libc::rlim_t,
                rlim_max: (pages * page_size()) as libc::rlim_t,
            };
            // SAFETY: the call reads the limit.
            let set = unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
            assert_eq!(set, 0);
            if !without_privileges() {
                return skip(check, "setuid");
            }
            let mut many: Vec<_> = (0..pages).map(|_| options.zeroed(32).unwrap()).collect();
            let error = options.zeroed(32).unwrap_err();
            let secret = many[0].protections().contains(Protections::SECRET_MEMORY);
            let expected = if secret {
                (Call::Mmap, EAGAIN)
            } else {
                (Call::Mlock, ENOMEM)
            };
            assert_eq!((error.call(), error.errno()), expected, "{error}");
            let at_limit = |reason| match reason {
                Reason::LockLimit {
                    asked,
                    limit,
                    locked,
                } => {
                    let page = page_size() as u64;
                    (asked, limit, locked) == (page, 8 * page, 8 * page)
                }
                _ => false,
            };
            assert!(at_limit(error.reason()), "{error}");
            // Allowed to do without: ordinary memory, unlocked.
            let without = Protections::LOCKED | Protections::SECRET_MEMORY;
            let less = options.clone().optional(without).secret_memory(true);
            assert!(!less.zeroed(32).unwrap().protections().intersects(without));
            // The others are as they were, and one that goes makes room.
            assert!(many.iter().all(|secret| secret.ct_eq(&[0; 32]) == Ok(true)));
            many.pop();
            drop(options.zeroed(32).unwrap());
            // A lock of nothing at all.
            let mut source = *b"password";
            many.push(options.zeroed(1).unwrap());
            let kept = options.from_slice_wiping(&mut source);
            assert!(kept.is_err());
            assert_eq!(
                source, *b"password",
                "a source is kept where no secret is made"
            );
        });
        assert!(status.success());
    }
}

#[test]
fn nothing_may_be_locked() {
    let status = in_a_child(|| {
        let limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: the call reads the limit.
        let set = unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
        assert_eq!(set, 0);
        if !without_privileges() {
            return skip("no locks at all", "setuid");
        }
        match Secret::zeroed(1) {
            Ok(_) => skip("no locks at all", "an emulator does not keep to the limit"),
            Err(error) => {
                assert_eq!((error.call(), error.errno()), (Call::Mlock, EPERM));
                assert!(
                    matches!(error.reason(), Reason::LockLimit { limit: 0, .. }),
                    "{error}"
                );
            }
        }
    });
    assert!(status.success());
}

/// At the kernel's limit of mappings, with room for so many more at each step: a secret is made as a
/// whole or not at all, and those that there are can be borrowed and dropped.
#[test]
fn the_limit_of_mappings() {
    let check = "secrets at the limit of mappings";
    if lacks::own_process(check) || reachable_mapping_limit(check).is_none() {
        return;
    }
    for options in kinds() {
        let status = in_a_child(|| {
            let mut old: Vec<_> = (0..8).map(|_| options.zeroed(32).unwrap()).collect();
            let mut made = Vec::with_capacity(64);
            let mut many = mappings_up_to_the_limit(ReadWrite);
            let mut refused = 0;
            for _ in 0..12 {
                for secret in &mut old {
                    secret.with_mut(|bytes| bytes.fill(7)).unwrap();
                    let open = secret.borrow().unwrap();
                    assert_eq!(open[31], 7);
                }
                match options.zeroed(32) {
                    Ok(secret) => {
                        drop(secret.borrow().unwrap());
                        made.push(secret);
                    }
                    Err(error) => {
                        assert_eq!(error.errno(), ENOMEM, "{error}");
                        refused += 1;
                    }
                }
                many.pop();
            }
            assert!(refused >= 1, "it was reached");
            assert!(!made.is_empty(), "with room, there are more");
            // Filled up once more, everything goes.
            let more = mappings_up_to_the_limit(NoAccess);
            assert!(
                made.iter()
                    .chain(&old)
                    .all(|secret| secret.borrow().is_ok())
            );
            made.clear();
            old.clear();
            drop(more);
            drop(many);
            let again = options.zeroed(32).unwrap();
            let address = std::ptr::without_provenance(again.address());
            assert!(permissions(address).lacks(Permissions::READ));
            assert_eq!(again.ct_eq(&[0; 32]), Ok(true));
        });
        assert!(status.success());
    }
}

/// Every failed attempt leaves the addresses as they were.
#[test]
fn the_limit_of_addresses() {
    let check = "secrets without addresses";
    if lacks::own_process(check) {
        return;
    }
    for options in kinds() {
        let status = in_a_child(|| {
            let old = options.new_with(32, |bytes| bytes.fill(7)).unwrap();
            let Some(used) = tests::kernel::virtual_size().get() else {
                return;
            };
            for pages in 0..4 {
                let bytes = (used + pages * page_size()) as u64;
                if let Err(error) = limit_address_space(bytes) {
                    return skip(check, &error.to_string());
                }
                let made = [(); 3].map(|()| options.zeroed(3 * page_size()).map(drop));
                let fine = old.ct_eq(&[7; 32]);
                // The heap needs addresses.
                limit_address_space(u64::MAX >> 1).unwrap();
                assert_eq!(fine, Ok(true));
                for error in made.map(|made| made.unwrap_err()) {
                    assert_eq!(
                        (error.call(), error.errno()),
                        (Call::Mmap, ENOMEM),
                        "{error}"
                    );
                }
                assert_eq!(tests::kernel::virtual_size(), used, "{pages} pages");
            }
        });
        assert!(status.success());
    }
}

/// More than the machine has is an error for either kind of memory, though nothing else limits it.
#[cfg(target_pointer_width = "64")]
#[test]
fn more_memory_than_there_is() {
    let check = "secrets larger than memory";
    let policy = std::fs::read_to_string("/proc/sys/vm/overcommit_memory");
    if lacks::own_process(check) || policy.map_or(true, |policy| policy.trim() == "1") {
        return skip(check, "the kernel may promise any");
    }
    for options in kinds() {
        let status = in_a_child(|| {
            // If it is tried all the same, this process is to be ended, and no other.
            let _or_not = std::fs::write("/proc/self/oom_score_adj", "1000");
            let error = options.zeroed(1 << 45).unwrap_err();
            assert_eq!(error.errno(), ENOMEM, "{error}");
        });
        assert!(status.success());
    }
}

/// The limit on the size of files is zero. To the kernel, secret memory is a file, and a signal would end the
/// process.
#[test]
fn the_limit_of_files() {
    let status = in_a_child(|| {
        if limit_file_size(1).is_err() {
            return skip("the limit of files", "it cannot be set");
        }
        let asked = SecretOptions::new().secret_memory(true);
        let error = asked.zeroed(32).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::MemfdSecret, EFBIG));
        assert_eq!(error.reason(), Reason::FileSizeLimit(1));
        let less = asked.optional(Protections::SECRET_MEMORY).zeroed(32);
        let had = less.unwrap().protections();
        assert!(!had.contains(Protections::SECRET_MEMORY), "{had:?}");
    });
    assert!(status.success());
}

/// No descriptor is left: secret memory takes one while it is made.
#[test]
fn the_limit_of_descriptors() {
    for options in kinds().into_iter().skip(1) {
        let status = in_a_child(|| {
            let limit = libc::rlimit {
                rlim_cur: 0,
                rlim_max: 0,
            };
            // SAFETY: the call reads the limit.
            let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
            assert_eq!(set, 0);
            let error = options.zeroed(32).unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::MemfdSecret, EMFILE));
        });
        assert!(status.success());
    }
}

/// If no more data is allowed, it cannot be opened for writing, and is dropped silently.
#[test]
fn the_limit_of_data() {
    let check = "the limit of data";
    if lacks::own_process(check) {
        return;
    }
    let status = in_a_child(|| {
        let mut secret = Secret::new_with(32, |bytes| bytes.fill(7)).unwrap();
        let set = |bytes| {
            let limit = libc::rlimit {
                rlim_cur: bytes,
                rlim_max: libc::RLIM_INFINITY,
            };
            // SAFETY: the call reads the limit.
            unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const limit) }
        };
        // A page that does not count as data yet, by the bare calls: which limits a kernel enforces
        // is up to the kernel.
        let (flags, len) = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, page_size());
        // SAFETY: a new mapping touches no other memory.
        let page = unsafe { libc::mmap(std::ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
        assert_ne!(page, libc::MAP_FAILED);
        // (At zero, Linux lets pages be data that were none.)
        if set(page_size() as libc::rlim_t) != 0 {
            return skip(check, "the limit cannot be set");
        }
        // SAFETY: the page was mapped for this.
        if unsafe { libc::mprotect(page, len, libc::PROT_READ | libc::PROT_WRITE) } == 0 {
            set(libc::RLIM_INFINITY);
            return skip(check, "this kernel does not keep to RLIMIT_DATA");
        }
        let read = secret.ct_eq(&[7; 32]);
        let write = secret.borrow_mut().map(drop);
        let protections = secret.protections();
        drop(secret);
        set(libc::RLIM_INFINITY);
        assert_eq!(read, Ok(true));
        let error = write.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
        let limit = page_size() as u64;
        assert_eq!(error.reason(), Reason::DataLimit(limit), "{error}");
        assert!(protections.contains(Protections::CLOSED));
    });
    assert!(status.success());
}
