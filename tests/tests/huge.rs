//! Explicit huge pages, of which the system's pool may have none: no safe code is ended by SIGBUS.

use libc::{EINVAL, ENOMEM, ENOSYS};
use tests::{ReservedHugePages, is_true_in_a_child, skip};
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
fn those_that_are_not_set_aside_are_taken_at_once() {
    let Some((size, _reserved)) = pool(2, "huge pages that are not set aside") else {
        return;
    };
    let options = |pages: usize| {
        MapOptions::new()
            .len(pages * size.bytes())
            .huge_pages(size)
            .no_reserve(true)
    };
    let mut mapping = match options(2).map_anonymous(ReadWrite) {
        Err(error) if error.errno() == ENOSYS => {
            assert_eq!(error.reason(), Reason::Unsupported);
            return skip("huge pages that are not set aside", "before Linux 5.14");
        }
        mapped => mapped.unwrap(),
    };
    mapping.fill(1);
    assert_eq!(mapping.backing(), Backing::Other);
    // There are no more, whatever they are for.
    let none = (ENOMEM, Reason::HugePagePool(size.bytes()));
    let error = options(1).map_anonymous(ReadWrite).unwrap_err();
    assert_eq!((error.errno(), error.reason()), none);
    let error = options(1).map_anonymous(ReadOnly).unwrap_err();
    assert_eq!((error.errno(), error.reason()), none);
    let error = options(1).map_anonymous(NoAccess).unwrap_err();
    assert_eq!((error.errno(), error.reason()), none);
    // Set aside, they are refused by the kernel; shared, a copy is.
    let aside = options(1).no_reserve(false).map_anonymous(ReadWrite);
    assert_eq!(aside.unwrap_err().errno(), ENOMEM);
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

#[test]
fn a_sealed_file_is_copied_as_a_whole_or_not() {
    let Some((size, _reserved)) = pool(3, "copies of sealed huge pages") else {
        return;
    };
    let sealed = || {
        let memory = MemfdOptions::new().huge_pages(size).sealing(true);
        let memory = memory.create(2 * size.bytes() as u64).unwrap();
        let mapping = memory.map(ReadWrite).unwrap();
        mapping.write_at(0, b"sealed").unwrap();
        mapping.write_at(size.bytes(), b"too").unwrap();
        drop(mapping);
        memory.seal().unwrap()
    };
    let read_only = sealed();
    // Two are the file's; of the copy's, one is there.
    let failed = SealedMemory::from_fd(&read_only)
        .unwrap()
        .into_mapping()
        .protect(ReadWrite)
        .unwrap_err();
    let error = failed.error();
    assert_eq!(
        (error.errno(), error.reason()),
        (ENOMEM, Reason::HugePagePool(size.bytes()))
    );
    let mapping = failed.into_mapping();
    assert!(mapping.starts_with(b"sealed"));
    drop((mapping, read_only));

    let memory = MemfdOptions::new()
        .huge_pages(size)
        .sealing(true)
        .create(1)
        .unwrap();
    memory
        .map(ReadWrite)
        .unwrap()
        .write_at(0, b"sealed")
        .unwrap();
    let mut copy = memory
        .seal()
        .unwrap()
        .into_mapping()
        .protect(ReadWrite)
        .unwrap();
    copy[0] = b'S';
    copy[size.bytes() - 1] = 1;
    assert!(copy.starts_with(b"Sealed"));
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
