//! Explicit huge pages, of which the system's pool may have none: no safe code is ended by SIGBUS.
// Only Linux has a pool of huge pages that a program can ask for.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::io::Read;

use libc::{EACCES, EINVAL, ENOMEM};
use tests::{ReservedHugePages, is_true_in_a_child, skip, spawn};
use unix_memory::{
    Backing, HugePageSize, MapOptions, Mapping, MemfdOptions, NoAccess, ReadOnly, ReadWrite,
    Reason, SealedMemory,
};

/// As many more huge pages in the pool as there is a need for, and no others that are free.
fn pool(pages: u64, what: &str) -> Option<(HugePageSize, ReservedHugePages)> {
    if std::env::var_os("UNIX_MEMORY_RUNNER").is_some() {
        // Some emulate pages, and take this from the machine's.
        skip(what, "an emulator may take huge pages for others");
        return None;
    }
    let Some(size) = HugePageSize::system_default() else {
        skip(what, "the kernel has none");
        return None;
    };
    let reserved = match ReservedHugePages::new(size.bytes(), pages) {
        Ok(reserved) => reserved,
        Err(reason) => {
            skip(what, &reason);
            return None;
        }
    };
    if size.pool() != Some(pages) {
        skip(what, "somebody else has huge pages");
        return None;
    }
    Some((size, reserved))
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
    // Shared, none is set aside, and a copy is refused.
    let shared = options(1).map_anonymous_shared(ReadWrite).unwrap();
    let error = shared.write_at(0, b"x").unwrap_err();
    assert_eq!(error.reason(), Reason::Fault { done: 0, at: 0 });
    drop((mapping, shared));
    // Closed, they are there when they are opened.
    let mapping = options(2).map_anonymous(NoAccess).unwrap();
    let others = options(1).map_anonymous(ReadWrite).unwrap_err();
    assert_eq!(others.errno(), ENOMEM);
    mapping.protect(ReadWrite).unwrap().fill(2);
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
    std::io::Write::write_all(&mut writer, b"x").unwrap();
    drop(child);
}

#[test]
fn they_neither_grow_nor_are_discarded() {
    let Some((size, _reserved)) = pool(2, "a discard of huge pages") else {
        return;
    };
    let options = MapOptions::new().len(2 * size.bytes()).huge_pages(size);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    mapping.fill(1);
    let error = mapping.discard(..size.bytes()).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::NotAnonymous)
    );
    let error = mapping.resize(4 * size.bytes()).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::NotAnonymous)
    );
    assert!(mapping.iter().all(|&byte| byte == 1));
    // Cut between two, and no part of one.
    let failed = mapping.split_at(unix_memory::page_size()).unwrap_err();
    assert_eq!(failed.error().reason(), Reason::HugePage);
    let (first, second) = failed.into_mapping().split_at(size.bytes()).unwrap();
    first.unmap().unwrap();
    assert!(second.iter().all(|&byte| byte == 1));
    // An ordinary mapping is cut anywhere.
    let ordinary = Mapping::anonymous(2 * unix_memory::page_size()).unwrap();
    assert_eq!(ordinary.backing(), Backing::PrivateAnonymous);
    drop(ordinary.split_at(unix_memory::page_size()).unwrap());
}

/// None are set aside for copies of their pages.
#[test]
fn a_sealed_file_stays_read_only() {
    let Some((size, _reserved)) = pool(3, "copies of sealed huge pages") else {
        return;
    };
    let memory = MemfdOptions::new().huge_pages(size).sealing(true);
    let memory = memory.create(2 * size.bytes() as u64).unwrap();
    let mapping = memory.map(ReadWrite).unwrap();
    mapping.write_at(0, b"sealed").unwrap();
    mapping.write_at(size.bytes(), b"too").unwrap();
    drop(mapping);
    let sealed = memory.seal().unwrap();
    let refused = |mapping: Mapping<ReadOnly>| {
        let failed = mapping.protect(ReadWrite).unwrap_err();
        let error = failed.error();
        assert_eq!(
            (error.errno(), error.reason()),
            (EACCES, Reason::HugePagesOfFile)
        );
        failed.into_mapping()
    };
    let mapping = refused(SealedMemory::from_fd(&sealed).unwrap().into_mapping());
    // Whatever becomes of it.
    let mapping = mapping.protect(NoAccess).unwrap();
    let failed = mapping.protect(ReadWrite).unwrap_err();
    let mapping = failed.into_mapping().protect(ReadOnly).unwrap();
    let (first, second) = mapping.split_at(size.bytes()).unwrap();
    let (first, second) = (refused(first), refused(second));
    let mapping = refused(first.join(second).unwrap());
    assert!(mapping.starts_with(b"sealed"));
    // Also joined to pages in front of it that may become writable.
    let page = unix_memory::page_size();
    let small = SealedMemory::from_bytes(&vec![1; 2 * page]).unwrap();
    let front = MapOptions::new().at(mapping.as_ptr().addr() - 2 * page);
    match front.map_sealed(&small) {
        Ok(front) => drop(refused(front.into_mapping().join(mapping).unwrap())),
        Err(error) => skip("small pages in front of huge ones", &error.to_string()),
    }
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
