//! Secrets, compared with what the kernel reports about their pages.

use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libc::{EINVAL, ENOMEM};
use proptest::prelude::*;
use tests::{Flags, Permissions, Reported, effort, flags, lacks, map_at, permissions};
use unix_memory::secret::{Protections, Secret, SecretOptions};
use unix_memory::{Call, Protection, Reason, page_size};

/// The first byte, as a pointer to ask the kernel about.
fn first(secret: &Secret) -> *const u8 {
    std::ptr::without_provenance(secret.address())
}

/// The kernel's protection of the page of the first byte.
fn access(secret: &Secret) -> Reported<String> {
    permissions(first(secret)).map(|found| {
        let letter = |flag, letter| if found.contains(flag) { letter } else { '-' };
        let (read, write) = (Permissions::READ, Permissions::WRITE);
        [letter(read, 'r'), letter(write, 'w')].iter().collect()
    })
}

/// Ordinary memory, and memory that the kernel cannot reach, where there is such.
fn kinds() -> Vec<(&'static str, SecretOptions)> {
    let mut kinds = vec![("ordinary", SecretOptions::new())];
    let options = SecretOptions::new().demand(Protections::SECRET_MEMORY);
    match options.zeroed(1) {
        Ok(_) => kinds.push(("secret", options)),
        Err(error) => tests::skip("secret memory", &error.to_string()),
    }
    kinds
}

#[test]
fn the_kernel_confirms_what_it_is_protected_by() {
    for (kind, options) in kinds() {
        let secret = options.zeroed(100).unwrap();
        let had = secret.protections();
        let found = flags(first(&secret));
        if had.contains(Protections::LOCKED) && !lacks::own_pages("locks of secrets") {
            assert!(found.contains(Flags::LO), "{kind}: {found:?}");
        }
        if had.contains(Protections::NOT_DUMPED) && !lacks::advice("core dumps without secrets") {
            assert!(found.contains(Flags::DD), "{kind}: {found:?}");
        }
        if had.contains(Protections::NOT_INHERITED) {
            let absent = had.contains(Protections::SECRET_MEMORY);
            let flag = if absent { Flags::DC } else { Flags::WF };
            assert!(found.contains(flag), "{kind}: {found:?}");
        }
        assert_eq!(had.contains(Protections::CLOSED), Protection::is_enforced());
        assert_eq!(
            had.contains(Protections::GUARDED),
            Protection::is_enforced()
        );
    }
}

/// Of Linux all is known that it has.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn this_system_gives_everything() {
    if lacks::advice("all protections") {
        return;
    }
    let ordinary = Protections::all().difference(Protections::SECRET_MEMORY);
    assert_eq!(Secret::zeroed(1).unwrap().protections(), ordinary);
    for (kind, options) in kinds() {
        let had = options.zeroed(1).unwrap().protections();
        let expected = if kind == "secret" {
            Protections::all()
        } else {
            ordinary
        };
        assert_eq!(had, expected, "{kind}");
    }
}

#[test]
fn it_is_open_while_it_is_borrowed() {
    for (kind, options) in kinds() {
        let mut secret = options
            .new_with(3, |bytes| bytes.copy_from_slice(b"key"))
            .unwrap();
        assert_eq!(access(&secret), "--", "{kind}: made");
        let one = secret.borrow().unwrap();
        assert_eq!(access(&secret), "r-", "{kind}: one");
        let two = secret.borrow().unwrap();
        drop(one);
        assert_eq!(access(&secret), "r-", "{kind}: the other");
        assert_eq!(*two, *b"key");
        drop(two);
        assert_eq!(access(&secret), "--", "{kind}: none");
        let address = first(&secret);
        let mut writer = secret.borrow_mut().unwrap();
        assert!(permissions(address).contains(Permissions::READ | Permissions::WRITE));
        writer[0] = b'K';
        drop(writer);
        assert_eq!(access(&secret), "--", "{kind}: written");
        assert!(secret.ct_eq(b"Key").unwrap());
        assert_eq!(access(&secret), "--", "{kind}: compared");
    }
}

#[test]
fn its_neighbours_cannot_be_accessed() {
    let page = page_size();
    for (kind, options) in kinds() {
        let secret = options.zeroed(page).unwrap();
        let reader = secret.borrow().unwrap();
        let start = first(&secret);
        // The canary has a page of its own here.
        let spots = [
            start.wrapping_sub(page + 1),
            start.wrapping_add(page),
            start.wrapping_add(2 * page - 1),
        ];
        let none = |at: *const u8| {
            permissions(at).lacks(Permissions::READ | Permissions::WRITE | Permissions::EXECUTE)
        };
        assert!(spots.map(none) == [true; 3], "{kind}");
        drop(reader);
    }
}

/// The pages are one mapping, which no neighbour is merged with: a change of protection cuts nothing.
#[test]
fn its_pages_are_a_mapping_of_their_own() {
    if lacks::own_process("the mappings of a secret") {
        return;
    }
    let page = page_size();
    for (kind, options) in kinds() {
        let many: Vec<_> = (0..4).map(|_| options.zeroed(2 * page).unwrap()).collect();
        for secret in &many {
            let alone = || {
                map_at(first(secret)).is(|map| {
                    let map = map.as_ref().expect("mapped");
                    map.addresses == (secret.address() - page..secret.address() + 2 * page)
                })
            };
            assert!(alone(), "{kind}, closed");
            let _open = secret.borrow().unwrap();
            assert!(alone(), "{kind}, open");
        }
    }
}

#[test]
fn a_panic_closes_it() {
    let mut secret = Secret::zeroed(8).unwrap();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut bytes = secret.borrow_mut().unwrap();
        bytes[0] = 1;
        panic!("while it is borrowed");
    }));
    assert!(result.is_err());
    assert_eq!(access(&secret), "--");
    let result = catch_unwind(AssertUnwindSafe(|| secret.with(|_| panic!("once more"))));
    assert!(result.is_err());
    assert_eq!(access(&secret), "--");
    let made = catch_unwind(|| Secret::new_with(8, |_| panic!("while it is filled")));
    assert!(made.is_err());
}

/// A guard that is forgotten leaves the pages open, and is not waited for.
#[test]
fn forgotten_guards_leave_it_open_only() {
    let mut secret = Secret::zeroed(8).unwrap();
    forget(secret.borrow().unwrap());
    assert_eq!(access(&secret), "r-");
    drop(secret.borrow().unwrap());
    assert_eq!(access(&secret), "r-", "the other is still counted");
    drop(secret.borrow_mut().unwrap());
    assert_eq!(access(&secret), "--");

    forget(secret.borrow_mut().unwrap());
    assert_eq!(access(&secret), "rw");
    assert!(secret.ct_eq(&[0; 8]).unwrap());
    secret.borrow_mut().unwrap()[0] = 1;
    assert_eq!(access(&secret), "--");
    forget(secret.borrow().unwrap());
    forget(secret.borrow_mut().unwrap());
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no threads")]
fn many_threads_read() {
    for (kind, options) in kinds() {
        let secret = options.new_with(64, |bytes| bytes.fill(0x5a)).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..effort(3000) {
                        let first = secret.borrow().unwrap();
                        let second = (round % 3 == 0).then(|| secret.borrow().unwrap());
                        assert!(first.iter().all(|&byte| byte == 0x5a), "{kind}");
                        drop(first);
                        if let Some(second) = second {
                            assert_eq!(second[63], 0x5a, "{kind}");
                        }
                    }
                });
            }
        });
        assert_eq!(access(&secret), "--", "{kind}");
    }
}

/// A guard may end in another thread than it began in.
#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no threads")]
fn guards_go_to_other_threads() {
    let secret = Secret::zeroed(4).unwrap();
    std::thread::scope(|scope| {
        let guard = secret.borrow().unwrap();
        scope.spawn(move || assert_eq!(*guard, [0; 4]));
    });
    assert_eq!(access(&secret), "--");
}

#[test]
fn sources_are_wiped_and_copies_are_equal() {
    let mut source = *b"correct horse battery staple";
    let secret = Secret::from_slice_wiping(&mut source[8..]).unwrap();
    assert_eq!(source, *b"correct \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    assert!(secret.ct_eq(b"horse battery staple").unwrap());
    assert!(!secret.ct_eq(b"horse battery stapLe").unwrap());
    assert!(!secret.ct_eq(b"horse battery").unwrap());
    let copy = secret.try_clone().unwrap();
    assert_ne!(copy.address(), secret.address());
    assert!(copy.ct_eq(&secret.borrow().unwrap()).unwrap());
    assert_eq!(access(&secret), "--");
    assert_eq!(copy.protections(), secret.protections());
}

#[test]
fn nothing_shows_its_content() {
    let mut secret = Secret::new_with(5, |bytes| bytes.copy_from_slice(b"hello")).unwrap();
    let texts = [
        format!("{secret:?}"),
        format!("{:?}", secret.borrow().unwrap()),
        format!("{:?}", secret.borrow_mut().unwrap()),
    ];
    for text in texts {
        assert!(text.contains("len: 5"), "{text}");
        assert!(!text.contains("104") && !text.contains("hello"), "{text}");
    }
}

#[test]
fn plain_data_in_it() {
    let mut secret = Secret::zeroed(32).unwrap();
    let mut bytes = secret.borrow_mut().unwrap();
    bytes.view_mut::<u64>(..).unwrap()[3] = u64::MAX;
    assert_eq!(bytes.view::<[u8; 16]>(..).unwrap()[1][8..], [0xff; 8]);
    drop(bytes);
    let bytes = secret.borrow().unwrap();
    assert_eq!(bytes.view::<u128>(..).unwrap().len(), 2);
    let error = bytes.view::<u64>(1..9).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::View, EINVAL));
}

#[test]
fn too_long() {
    for len in [
        usize::MAX,
        isize::MAX as usize,
        isize::MAX as usize - page_size(),
    ] {
        let error = Secret::zeroed(len).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
        assert!(matches!(error.reason(), Reason::LengthLimit(_)), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.min(48),
        failure_persistence: None,
        ..Default::default()
    })]

    /// Whatever its length: it ends at the end of a page, begins as zeros, and keeps what is written.
    #[test]
    fn lengths(len in 0..=3 * page_size(), seed: u8) {
        for (_, options) in kinds() {
            let mut secret = options.zeroed(len).unwrap();
            prop_assert_eq!(secret.len(), len);
            prop_assert_eq!(secret.is_empty(), len == 0);
            prop_assert_eq!((secret.address() + len) % page_size(), 0);
            prop_assert!(secret.with(|bytes| bytes.iter().all(|&byte| byte == 0)).unwrap());
            let byte = |i: usize| seed ^ i.to_le_bytes()[0] ^ i.to_le_bytes()[1];
            secret.with_mut(|bytes| {
                bytes.iter_mut().enumerate().for_each(|(i, at)| *at = byte(i));
            }).unwrap();
            let kept = |bytes: &[u8]| bytes.iter().enumerate().all(|(i, &at)| at == byte(i));
            prop_assert!(secret.with(kept).unwrap());
            prop_assert!(secret.try_clone().unwrap().with(kept).unwrap());
        }
    }
}
