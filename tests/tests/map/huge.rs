//! Explicit huge pages, of which the system's pool may have none: SIGBUS ends no safe code.
// Only Linux has a pool of huge pages that a program can ask for.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod pool;

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{EINVAL, ENOMEM};
use pool::pool;
use tests::{ReservedHugePages, is_true_in_a_child, spawn};
use unix_memory::{
    Backing, Call, HugePageSize, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, Reason,
    page_size,
};

/// A program that is killed leaves its pages in the pool, to the next one that adds some. (Another size than
/// the default one would do, but few machines have one.)
#[test]
fn what_a_killed_program_has_added_is_taken_back() {
    let check = "huge pages of a program that was killed";
    let Some((size, reserved)) = pool(1, check) else {
        return;
    };
    drop(reserved);
    let program = std::env::current_exe().unwrap();
    let ended = std::process::Command::new(program)
        .args(["adds_huge_pages_and_is_killed", "--ignored"])
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(ended.signal(), Some(libc::SIGKILL), "{ended}");
    let reserved = ReservedHugePages::new(size.bytes(), 1).unwrap();
    assert_eq!(size.pool(), Some(1));
    drop(reserved);
}

/// Not a test by itself: the program of the one above.
#[test]
#[ignore = "it is a part of another test"]
fn adds_huge_pages_and_is_killed() {
    let size = HugePageSize::system_default().unwrap();
    let _reserved = ReservedHugePages::new(size.bytes(), 2).unwrap();
    assert_eq!(size.pool(), Some(2));
    // SAFETY: the call takes integers.
    unsafe { libc::raise(libc::SIGKILL) };
}

#[test]
fn those_of_a_mapping_are_set_aside_whatever_is_asked_for() {
    let Some((size, _reserved)) = pool(2, "huge pages that are not set aside") else {
        return;
    };
    let options = |pages: usize| {
        MapOptions::new()
            .len(pages * size.bytes())
            .huge_pages(size)
            .no_reserve(true)
    };
    let mut mapping = options(2).map_anonymous(ReadWrite).unwrap();
    // There are no more, whatever they are for, though none of these has been used.
    let none = (ENOMEM, Reason::HugePagePool(size.bytes()));
    let error = options(1).map_anonymous(ReadWrite).unwrap_err();
    assert_eq!((error.errno(), error.reason()), none);
    let error = options(1).map_anonymous(ReadOnly).unwrap_err();
    assert_eq!((error.errno(), error.reason()), none);
    let error = options(1).map_anonymous(NoAccess).unwrap_err();
    assert_eq!((error.errno(), error.reason()), none);
    mapping.fill(1);
    assert_eq!(mapping.backing(), Backing::Other);
    assert_eq!(mapping.huge_bytes(), Ok(2 * size.bytes()));
    assert_eq!(mapping.huge_bytes_range(1..2), Ok(page_size()));
    // Nor are there for atomics, which are memory itself.
    let error = options(1).map_anonymous_shared(ReadWrite).unwrap_err();
    assert_eq!((error.errno(), error.reason()), none);
    drop(mapping);
    let shared = options(2).map_anonymous_shared(ReadWrite).unwrap();
    let error = options(1).map_anonymous(ReadWrite).unwrap_err();
    assert_eq!((error.errno(), error.reason()), none);
    assert_eq!(shared.huge_bytes(), Ok(0));
    for page in 0..2 {
        let atomic = shared.atomic::<AtomicU32>(page * size.bytes()).unwrap();
        assert_eq!(atomic.fetch_add(1, Ordering::Relaxed), 0);
    }
    assert_eq!(shared.huge_bytes(), Ok(2 * size.bytes()));
    drop(shared);
    // Closed, they are there when they are opened.
    let mapping = options(2).map_anonymous(NoAccess).unwrap();
    let others = options(1).map_anonymous(ReadWrite).unwrap_err();
    assert_eq!(others.errno(), ENOMEM);
    mapping.protect(ReadWrite).unwrap().fill(2);
}

/// A child that asks first is not ended if there are too few.
#[test]
fn a_child_can_ask_for_its_copies() {
    let Some((size, _reserved)) = pool(2, "a child's own huge pages") else {
        return;
    };
    let options = MapOptions::new().len(2 * size.bytes()).huge_pages(size);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    mapping[..size.bytes()].fill(1);
    // None is left, and the second was never touched.
    assert!(is_true_in_a_child(|| mapping.populate_write().is_err()));
    mapping.fill(2);
    drop(mapping);
    // There is one for each.
    let options = MapOptions::new().len(1).huge_pages(size);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    mapping.fill(1);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let (mut told, tell) = std::io::pipe().unwrap();
    let child = spawn(|| {
        mapping.populate_write().unwrap();
        (&tell).write_all(b"x").unwrap();
        let mut byte = [0];
        (&reader).read_exact(&mut byte).unwrap();
        assert!(mapping.iter().all(|&byte| byte == 1));
        mapping.fill(3);
    });
    let mut byte = [0];
    told.read_exact(&mut byte).unwrap();
    mapping.fill(2);
    writer.write_all(b"x").unwrap();
    assert!(child.wait().success());
    assert!(mapping.iter().all(|&byte| byte == 2));
}

/// What is shared is set aside for all processes together.
#[test]
fn a_child_uses_what_is_set_aside_for_all() {
    let Some((size, _reserved)) = pool(2, "huge pages that a child shares") else {
        return;
    };
    let options = MapOptions::new().len(2 * size.bytes()).huge_pages(size);
    let shared = options.map_anonymous_shared(ReadWrite).unwrap();
    let add = |page: usize| {
        let atomic = shared.atomic::<AtomicU32>(page * size.bytes()).unwrap();
        atomic.fetch_add(1, Ordering::Relaxed)
    };
    assert_eq!(add(0), 0);
    assert!(is_true_in_a_child(|| (add(0), add(1)) == (1, 0)));
    assert_eq!((add(0), add(1)), (2, 1));
}

/// No part of a mapping that is cut loses what was set aside for another.
#[test]
fn what_is_cut_off_gives_back_its_own() {
    let Some((size, _reserved)) = pool(4, "parts of huge pages") else {
        return;
    };
    let bytes = size.bytes();
    let options = |pages: usize| MapOptions::new().len(pages * bytes).huge_pages(size);
    let mapping = options(4).map_anonymous(ReadWrite).unwrap();
    let (first, rest) = mapping.split_at(bytes).unwrap();
    let (middle, mut last) = rest.split_at(2 * bytes).unwrap();
    drop(middle);
    // Exactly as many as were given back.
    let others = options(2).map_anonymous_shared(ReadWrite).unwrap();
    assert!(options(1).map_anonymous(ReadWrite).is_err());
    others.fill(.., 3).unwrap();
    let mut first = first.protect(NoAccess).unwrap().protect(ReadWrite).unwrap();
    first.fill(1);
    // Half of one is not given back.
    last.fill(2);
    let error = last.resize(bytes / 2).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Munmap, EINVAL));
    assert_eq!(error.reason(), Reason::HugePage);
    assert_eq!(last.len(), bytes);
    assert!(last.iter().all(|&byte| byte == 2));
    assert!(first.iter().all(|&byte| byte == 1));
}

/// While a child shares them, a write of the parent's takes another page for its copy, or the child's.
#[test]
fn a_parent_writes_to_what_a_child_shares() {
    let Some((size, _reserved)) = pool(1, "a parent's huge pages") else {
        return;
    };
    let options = MapOptions::new().len(1).huge_pages(size).no_reserve(true);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    mapping.fill(1);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let child = spawn(|| {
        // Until the parent has written.
        let mut byte = [0];
        let _told = (&reader).read(&mut byte);
    });
    mapping[0] = 2;
    assert_eq!(mapping[..2], [2, 1]);
    writer.write_all(b"x").unwrap();
    drop(child);
}

#[test]
fn they_do_not_grow() {
    let Some((size, _reserved)) = pool(2, "growing huge pages") else {
        return;
    };
    let options = MapOptions::new().len(2 * size.bytes()).huge_pages(size);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    mapping.fill(1);
    let error = mapping.resize(4 * size.bytes()).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::NotAnonymous)
    );
    assert!(mapping.iter().all(|&byte| byte == 1));
    // Cut between two, and no part of one.
    let failed = mapping.split_at(page_size()).unwrap_err();
    assert_eq!(failed.error().reason(), Reason::HugePage);
    let (first, second) = failed.into_mapping().split_at(size.bytes()).unwrap();
    first.unmap().unwrap();
    assert!(second.iter().all(|&byte| byte == 1));
    // An ordinary mapping is cut anywhere.
    let ordinary = Mapping::anonymous(2 * page_size()).unwrap();
    assert_eq!(ordinary.backing(), Backing::PrivateAnonymous);
    drop(ordinary.split_at(page_size()).unwrap());
}

/// A child may read and write what was set aside, as long as there are enough for both.
#[test]
fn a_child_has_copies_while_there_are_some() {
    let Some((size, _reserved)) = pool(2, "huge pages in a child") else {
        return;
    };
    let options = MapOptions::new().len(1).huge_pages(size);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    mapping.fill(1);
    assert!(is_true_in_a_child(|| {
        mapping[0] = 2;
        mapping[1] == 1
    }));
    assert_eq!(mapping[0], 1);
}

/// Only root fills the pool; anybody may take pages out of it.
#[test]
fn other_users_take_them_too() {
    let Some((size, _reserved)) = pool(2, "huge pages of a user that is not root") else {
        return;
    };
    assert!(is_true_in_a_child(|| {
        // SAFETY: the calls take integers.
        assert_eq!(unsafe { libc::setgid(65534) }, 0);
        // SAFETY: as above.
        assert_eq!(unsafe { libc::setuid(65534) }, 0);
        let options = |pages: usize| {
            let options = MapOptions::new().len(pages * size.bytes());
            options.huge_pages(size)
        };
        for _ in 0..2 {
            let mut mapping = options(2).map_anonymous(ReadWrite).unwrap();
            mapping.fill(1);
            let error = options(1).map_anonymous(ReadWrite).unwrap_err();
            let none = (ENOMEM, Reason::HugePagePool(size.bytes()));
            assert_eq!((error.errno(), error.reason()), none);
        }
        true
    }));
}

/// The kernel would apply the advice to the whole of a huge page, or to nothing, and might not report it;
/// and before Linux 6.9, somebody else can take a page that was given back, so that a write raises SIGBUS.
#[test]
fn what_is_discarded_is_zeros_and_stays() {
    let Some((size, _reserved)) = pool(2, "huge pages discarded") else {
        return;
    };
    let (page, huge) = (page_size(), size.bytes());
    let options = MapOptions::new().len(2 * huge).huge_pages(size);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    let sevens =
        |mapping: &[u8]| -> usize { mapping.iter().map(|&byte| usize::from(byte == 7)).sum() };
    for part in [
        0..page,
        huge..huge + page,
        huge - page..huge,
        page..huge + page,
        huge..2 * huge,
        0..2 * huge,
        page..page,
    ] {
        mapping.fill(7);
        mapping.discard(part.clone()).unwrap();
        assert_eq!(sevens(&mapping), 2 * huge - part.len(), "{part:?}");
        assert!(mapping[part.clone()].iter().all(|&byte| byte == 0));
        assert_eq!(mapping.residency().resident(), Ok(2 * huge / page));
    }
    mapping.fill(7);
    let error = mapping.discard(1..page).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Discard, EINVAL));
    assert_eq!(error.reason(), Reason::Unaligned(page));
    // What begins behind pages of another protection is a mapping of its own.
    let (first, mut second) = mapping.split_at(huge).unwrap();
    let first = first.protect(ReadOnly).unwrap();
    second.discard(..).unwrap();
    assert_eq!((sevens(&first), sevens(&second)), (huge, 0));
    // A length that is not whole pages.
    second.fill(7);
    second.resize(huge - 1).unwrap();
    second.discard(page..).unwrap();
    assert_eq!((sevens(&second), second.len()), (page, huge - 1));
}
