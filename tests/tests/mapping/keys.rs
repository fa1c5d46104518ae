//! Protection keys; if the processor has none, that this is reported.
// Only Linux has protection keys.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::io::{Read, Seek};
use std::os::fd::AsRawFd;
use std::sync::mpsc::channel;

use libc::{EFAULT, EINVAL, ENOSPC, ENOSYS, EPERM};
use tests::seccomp::SYS_PKEY_MPROTECT;
use tests::{Permissions, can_be_read, permissions, refusing, skip};
use unix_memory::{Call, Mapping, ProtectionKey, ReadOnly, Reason, page_size};

/// A key; if there is none, prints so.
fn key() -> Option<ProtectionKey> {
    match ProtectionKey::new() {
        Ok(key) => Some(key),
        Err(error) => {
            assert_eq!(error.call(), Call::PkeyAlloc);
            if cfg!(target_arch = "x86_64") {
                assert!(matches!(error.errno(), EINVAL | ENOSPC | ENOSYS), "{error}");
                assert_eq!(error.reason(), Reason::Kernel);
            } else {
                assert_eq!(
                    (error.errno(), error.reason()),
                    (ENOSYS, Reason::Unsupported)
                );
            }
            skip("protection keys", &format!("the CPU has none ({error})"));
            None
        }
    }
}

#[test]
fn closed_but_while_it_is_used() {
    let Some(key) = key() else { return };
    let page = page_size();
    let mapping = Mapping::anonymous(2 * page).unwrap();
    let address = mapping.as_ptr();
    let mut keyed = key.protect(mapping).unwrap();
    assert!(!can_be_read(address));
    keyed.write_at(5, b"secret").unwrap();
    assert!(!can_be_read(address));
    let mut bytes = [0; 6];
    keyed.read_at(5, &mut bytes).unwrap();
    assert_eq!(&bytes, b"secret");
    let open = keyed.with(|cells| {
        cells[0].set(cells[5].get());
        can_be_read(address)
    });
    assert!(open && !can_be_read(address));

    for refused in [
        keyed.write_at(2 * page, &[0]),
        keyed.read_at(2 * page, &mut [0]),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.reason(), Reason::MappingLength(2 * page));
    }
    let mapping = keyed.into_mapping().unwrap();
    assert!(can_be_read(address));
    assert_eq!(mapping[0], b's');
}

#[test]
fn a_panic_closes_it() {
    let Some(key) = key() else { return };
    let mut keyed = key.protect(Mapping::anonymous(10).unwrap()).unwrap();
    let mut address = std::ptr::null();
    let panics = std::panic::AssertUnwindSafe(|| {
        keyed.with(|cells| {
            address = cells.as_ptr().cast::<u8>();
            panic!("inside");
        });
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert!(!can_be_read(address));
}

#[test]
fn two_keys_are_two() {
    let (Some(one), Some(two)) = (key(), key()) else {
        return;
    };
    let [mut first, mut second] = [&one, &two].map(|key| {
        let mapping = Mapping::anonymous(page_size()).unwrap();
        (mapping.as_ptr(), key.protect(mapping).unwrap())
    });
    let can_be = || [first.0, second.0].map(can_be_read);
    assert_eq!(can_be(), [false, false]);
    let mut copied = [0; 3];
    first.1.with(|cells| {
        assert_eq!(can_be(), [true, false]);
        second.1.write_at(0, b"two").unwrap();
        // What was open stays so.
        assert_eq!(can_be(), [true, false]);
        second.1.with(|others| {
            assert_eq!(can_be(), [true, true]);
            cells[0].set(others[0].get());
        });
        assert_eq!(can_be(), [true, false]);
        second.1.read_at(0, &mut copied).unwrap();
    });
    assert_eq!(&copied, b"two");
    assert_eq!(can_be(), [false, false]);
    let mapping = first.1.into_mapping().unwrap();
    assert_eq!(mapping[0], b't');
    assert_eq!(can_be(), [true, false]);
    // The other one is as it was.
    second.1.read_at(1, &mut copied[..1]).unwrap();
    assert_eq!(copied[0], b'w');
}

#[test]
fn one_key_opens_all_its_memory() {
    let Some(key) = key() else { return };
    let [one, two] = [(), ()].map(|()| Mapping::anonymous(page_size()).unwrap());
    let two = two.protect(ReadOnly).unwrap();
    let addresses = [one.as_ptr(), two.as_ptr()];
    let mut one = key.protect(one).unwrap();
    let two = key.protect(two).unwrap();
    assert_eq!(addresses.map(can_be_read), [false, false]);
    let open = one.with(|_| addresses.map(can_be_read));
    assert_eq!(open, [true, true]);
    drop(one);
    let two = two.into_mapping().unwrap();
    assert!(permissions(two.as_ptr()).lacks(Permissions::WRITE));
    assert!(two.iter().all(|&byte| byte == 0));
}

#[test]
fn threads_have_the_rights_of_the_one_that_made_them() {
    let Some(key) = key() else { return };
    let mapping = Mapping::anonymous(page_size()).unwrap();
    let address = mapping.as_ptr().expose_provenance();
    let can_read = move || can_be_read(std::ptr::with_exposed_provenance(address));
    let mut keyed = key.protect(mapping).unwrap();
    std::thread::scope(|scope| {
        let (ask, asked) = channel::<()>();
        let before = scope.spawn(move || asked.iter().map(|()| can_read()).collect::<Vec<_>>());
        let (go_on, inside) = keyed.with(|_| {
            ask.send(()).unwrap();
            let (go_on, wait) = channel::<()>();
            let inside = scope.spawn(move || {
                let first = can_read();
                wait.recv().unwrap();
                [first, can_read()]
            });
            (go_on, inside)
        });
        ask.send(()).unwrap();
        drop(ask);
        // Open is the thread's own: not that of one that was there before.
        assert_eq!(before.join().unwrap(), [false, false]);
        // One that was made meanwhile keeps it.
        assert!(!can_read());
        go_on.send(()).unwrap();
        assert_eq!(inside.join().unwrap(), [true, true]);
        let after = scope.spawn(can_read);
        assert!(!after.join().unwrap());
    });
    // A thread opens it for itself.
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| keyed.with(|_| can_read()) && !can_read());
        assert!(thread.join().unwrap());
    });
}

#[test]
fn a_key_that_is_given_back_is_taken_again() {
    if key().is_none() {
        return;
    }
    // More often than there are keys; each time it is closed, whatever it was opened for before.
    for round in 0..40 {
        let key = ProtectionKey::new().unwrap();
        let mapping = Mapping::anonymous(1).unwrap();
        let address = mapping.as_ptr();
        let mut keyed = key.protect(mapping).unwrap();
        assert!(!can_be_read(address), "round {round}");
        keyed.with(|cells| cells[0].set(round));
        drop(keyed);
        drop(key);
    }
}

/// In a child, whose keys no other test takes.
#[test]
fn there_are_fifteen_keys() {
    if key().is_none() {
        return;
    }
    let good = tests::is_true_in_a_child(|| {
        let mut keys = Vec::new();
        let error = loop {
            match ProtectionKey::new() {
                Ok(key) => keys.push(key),
                Err(error) => break error,
            }
        };
        assert_eq!((error.call(), error.errno()), (Call::PkeyAlloc, ENOSPC));
        assert_eq!(error.reason(), Reason::Kernel);
        assert!(!keys.is_empty() && keys.len() <= 15, "{} keys", keys.len());
        // Each closes what is its own, and nothing else: the last one too.
        let memory: Vec<_> = keys
            .iter()
            .map(|key| {
                let mapping = Mapping::anonymous(1).unwrap();
                (mapping.as_ptr(), key.protect(mapping).unwrap())
            })
            .collect();
        let addresses: Vec<_> = memory.iter().map(|&(address, _)| address).collect();
        for (mine, (_, mut keyed)) in memory.into_iter().enumerate() {
            keyed.with(|cells| {
                cells[0].set(1);
                for (index, &address) in addresses.iter().enumerate().skip(mine) {
                    assert_eq!(can_be_read(address), index == mine);
                }
            });
        }
        assert!(keys.pop().is_some());
        let again = ProtectionKey::new().unwrap();
        assert!(ProtectionKey::new().is_err());
        drop(again);
        true
    });
    assert!(good);
}

#[test]
fn a_child_has_the_memory_and_the_key() {
    let Some(key) = key() else { return };
    let mapping = Mapping::anonymous(page_size()).unwrap();
    let address = mapping.as_ptr();
    let mut keyed = key.protect(mapping).unwrap();
    keyed.write_at(0, b"parent").unwrap();
    let mut bytes = [0; 6];
    let good = tests::is_true_in_a_child(|| {
        // A child's child cannot read it either.
        assert!(!can_be_read(address));
        keyed.read_at(0, &mut bytes).unwrap();
        assert_eq!(&bytes, b"parent");
        keyed.write_at(0, b"child!").unwrap();
        keyed.with(|cells| cells[0].set(b'C'));
        !can_be_read(address)
    });
    assert!(good);
    // It was a copy.
    keyed.read_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"parent");
    // One that is made while it is open begins with the rights.
    let open = keyed.with(|_| tests::is_true_in_a_child(|| can_be_read(address)));
    assert!(open);
}

#[test]
fn nothing_has_a_key_too() {
    let Some(key) = key() else { return };
    let mut keyed = key.protect(Mapping::anonymous(0).unwrap()).unwrap();
    assert!(keyed.is_empty());
    keyed.write_at(0, &[]).unwrap();
    keyed.read_at(0, &mut []).unwrap();
    assert!(keyed.read_at(1, &mut []).is_err());
    keyed.with(|cells| assert!(cells.is_empty()));
    assert!(keyed.into_mapping().unwrap().is_empty());
}

/// The kernel itself has the rights of the thread that calls it.
#[test]
fn the_kernel_reads_it_while_it_is_open() {
    let Some(key) = key() else { return };
    let mapping = Mapping::anonymous(page_size()).unwrap();
    let address = mapping.as_ptr();
    let mut keyed = key.protect(mapping).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    let write = |file: &std::fs::File| {
        // SAFETY: the page is mapped as long as `keyed` lives; the kernel checks that it may read it.
        unsafe { libc::write(file.as_raw_fd(), address.cast(), 3) }
    };
    assert_eq!(write(&file), -1);
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(EFAULT));
    keyed.write_at(0, b"yes").unwrap();
    assert_eq!(keyed.with(|_| write(&file)), 3);
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "yes");
}

#[test]
fn a_refusal_gives_the_mapping_back() {
    let Some(key) = key() else { return };
    // (Not ENOMEM, after which the kernel must not refuse to go back.)
    for errno in [ENOSYS, EPERM, EINVAL] {
        let mut mapping = Mapping::anonymous(10).unwrap();
        mapping[0] = 7;
        let mapping = mapping.protect(ReadOnly).unwrap();
        let address = mapping.as_ptr();
        let protect = || key.protect(mapping).map(drop).unwrap_err();
        let Some(failed) = refusing(SYS_PKEY_MPROTECT, address, errno, protect) else {
            return;
        };
        let error = failed.error();
        assert_eq!((error.call(), error.errno()), (Call::PkeyMprotect, errno));
        assert!(
            error.to_string().starts_with("pkey_mprotect of 10 bytes: "),
            "{error}"
        );
        assert_eq!(failed.into_mapping()[0], 7);

        let mapping = Mapping::anonymous(10).unwrap();
        let address = mapping.as_ptr();
        let keyed = key.protect(mapping).unwrap();
        let take = || keyed.into_mapping().map(drop).unwrap_err();
        let failed = refusing(SYS_PKEY_MPROTECT, address, errno, take).expect("as before");
        assert_eq!(failed.error().errno(), errno);
        let keyed = failed.into_mapping();
        assert!(!can_be_read(address));
        keyed.read_at(0, &mut [1]).unwrap();
    }
}
