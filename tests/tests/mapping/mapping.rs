//! `Mapping`: private memory, its protection, its end.

use libc::{EACCES, EINVAL, ENOMEM};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use std::ops::{Deref, DerefMut};
use tests::seccomp::{SYS_MPROTECT, SYS_MUNMAP};
use tests::{Flags, Permissions, flags, is_memory_limit, kernel, lacks, permissions, refusing};
use unix_memory::{
    Call, MapOptions, Mapping, NoAccess, Protection, ReadExecute, ReadOnly, ReadWrite,
    ReadWriteExecute, Reason, SharedMapping, page_size,
};

assert_impl_all!(Mapping<ReadOnly>: Deref, AsRef<[u8]>, Send, Sync);
assert_impl_all!(Mapping<ReadWrite>: DerefMut, AsMut<[u8]>);
assert_impl_all!(Mapping<ReadExecute>: Deref);
assert_not_impl_any!(Mapping<ReadOnly>: DerefMut, AsMut<[u8]>, Clone);
assert_not_impl_any!(Mapping<ReadExecute>: DerefMut);
assert_not_impl_any!(Mapping<NoAccess>: Deref, AsRef<[u8]>);
assert_not_impl_any!(SharedMapping<ReadWrite>: Deref, AsRef<[u8]>, AsMut<[u8]>, Clone);

const PRIVATE: Permissions = Permissions::PRIVATE;

#[test]
fn is_zeroed_and_keeps_what_is_written() {
    let len = 3 * page_size() + 1;
    let mut mapping = Mapping::anonymous(len).unwrap();
    assert_eq!(mapping.len(), len);
    assert!(!mapping.is_empty());
    assert_eq!(mapping.as_ptr().addr() % page_size(), 0);
    assert!(mapping.iter().all(|&byte| byte == 0));
    mapping[0] = 1;
    mapping[len - 1] = 2;
    assert_eq!((mapping[0], mapping[len - 1]), (1, 2));
    assert_eq!(mapping.as_mut_ptr().cast_const(), mapping.as_ptr());
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn protection_is_what_maps_say() {
    let options = MapOptions::new().len(page_size());
    let at = |pointer| permissions(pointer).map(|all| all - PRIVATE);
    let none = options.map_anonymous(NoAccess).unwrap();
    assert_eq!(at(none.as_ptr()), Permissions::empty());
    let read = options.map_anonymous(ReadOnly).unwrap();
    assert_eq!(at(read.as_ptr()), Permissions::READ);
    let write = options.map_anonymous(ReadWrite).unwrap();
    assert_eq!(at(write.as_ptr()), Permissions::READ | Permissions::WRITE);
    let all = options.map_anonymous(ReadWriteExecute).unwrap();
    assert_eq!(all.protection(), Protection::all());
    if lacks::execution("execution in maps") {
        return;
    }
    let execute = options.map_anonymous(ReadExecute).unwrap();
    assert_eq!(
        at(execute.as_ptr()),
        Permissions::READ | Permissions::EXECUTE
    );
    assert_eq!(
        at(all.as_ptr()),
        Permissions::READ | Permissions::WRITE | Permissions::EXECUTE
    );
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn protect_keeps_content_and_changes_maps() {
    let mut mapping = Mapping::anonymous(2 * page_size()).unwrap();
    mapping[page_size()] = 42;
    let mapping = mapping.protect(ReadOnly).unwrap();
    assert_eq!(mapping[page_size()], 42);
    assert_eq!(permissions(mapping.as_ptr()), Permissions::READ | PRIVATE);
    let mapping = mapping.protect(NoAccess).unwrap();
    assert_eq!(permissions(mapping.as_ptr()), PRIVATE);
    let mut mapping = mapping.protect(ReadWrite).unwrap();
    assert_eq!(mapping[page_size()], 42);
    mapping[page_size()] = 43;
    assert_eq!(
        permissions(mapping.as_ptr()),
        Permissions::READ | Permissions::WRITE | PRIVATE
    );
}

#[test]
fn drop_and_unmap_unmap() {
    // Of a file, so that no other test's mapping can be taken for this one.
    let file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    let map = || MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    let (first, second) = (map(), map());
    assert_eq!(kernel::mappings_of(&file), 2);
    drop(first);
    assert_eq!(kernel::mappings_of(&file), 1);
    second.unmap().unwrap();
    assert_eq!(kernel::mappings_of(&file), 0);
}

#[test]
fn a_refused_unmap_gives_the_mapping_back() {
    let mut mapping = Mapping::anonymous(page_size()).unwrap();
    mapping[0] = 5;
    let address = mapping.as_ptr();
    let done = refusing(SYS_MUNMAP, address, ENOMEM, move || {
        let (error, mapping) = mapping.unmap().unwrap_err().into_parts();
        assert_eq!((error.call(), error.errno()), (Call::Munmap, ENOMEM));
        assert_eq!(
            error.to_string(),
            format!("munmap of {} bytes: Cannot allocate memory", page_size())
        );
        assert_eq!(mapping[0], 5);
        // Refused as well: a drop cannot report it, and does not panic.
        drop(mapping);
    });
    if done.is_none() {
        return;
    }
    // It is tried again when something else is unmapped; `release.rs` looks for that.
    drop(Mapping::anonymous(1).unwrap());
}

#[test]
fn length_zero_is_an_empty_guard() {
    let mut mapping = Mapping::anonymous(0).unwrap();
    assert!(mapping.is_empty());
    assert_eq!(&*mapping, &[]);
    assert_eq!(&mut *mapping, &mut []);
    assert_eq!(mapping.as_ptr().addr() % page_size(), 0);
    assert!(!mapping.as_ptr().is_null());
    let mapping = mapping.protect(ReadOnly).unwrap();
    mapping.advise(unix_memory::Advice::WillNeed).unwrap();
    mapping.populate().unwrap();
    mapping.flush(unix_memory::Flush::Sync).unwrap();
    assert!(mapping.lock().unwrap().is_empty());
    assert_eq!(mapping.residency().count(), 0);
    mapping.unmap().unwrap();
}

#[test]
fn lengths_beyond_the_limit_are_refused() {
    let max = isize::MAX.unsigned_abs() / page_size() * page_size();
    for len in [
        max + 1,
        isize::MAX.unsigned_abs(),
        isize::MAX.unsigned_abs() + 1,
        usize::MAX,
    ] {
        let error = Mapping::anonymous(len).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
        assert_eq!(error.reason(), Reason::LengthLimit(max));
        assert_eq!(
            error.to_string(),
            format!(
                "mmap of {len} bytes: Cannot allocate memory (the length in whole pages must be at \
                 most {max})"
            )
        );
    }
    // What a slice can have, the kernel may refuse: it is more than any address space of today has,
    // but for a 32-bit program, to which a 64-bit kernel may give nearly 4 GiB.
    match Mapping::anonymous(max) {
        Ok(mapping) => assert_eq!((mapping.len(), size_of::<usize>()), (max, 4)),
        Err(error) => {
            assert_eq!(error.errno(), ENOMEM);
            assert!(is_memory_limit(error.reason()), "{error}");
        }
    }
}

#[test]
fn anonymous_memory_needs_a_length_and_has_no_offset() {
    let error = MapOptions::new().map_anonymous(ReadOnly).unwrap_err();
    assert_eq!(error.errno(), EINVAL);
    assert_eq!(
        error.to_string(),
        "mmap: Invalid argument (give the length with len)"
    );
    let error = MapOptions::new()
        .len(1)
        .offset(1)
        .map_anonymous(ReadOnly)
        .unwrap_err();
    assert_eq!((error.errno(), error.reason()), (EINVAL, Reason::NoOffset));
}

#[test]
fn debug_shows_no_content() {
    let mut mapping = Mapping::anonymous(20).unwrap();
    mapping.fill(b'S');
    let address = mapping.as_ptr();
    let text = format!(
        "Mapping {{ address: {address:?}, len: 20, protection: Protection(READ | WRITE) }}"
    );
    assert_eq!(format!("{mapping:?}"), text);
    let failed = refusing(SYS_MPROTECT, address, EACCES, || mapping.protect(ReadOnly));
    let Some(failed) = failed else { return };
    assert!(!format!("{:?}", failed.unwrap_err()).contains("SSSS"));
}

#[test]
fn errors_become_io_errors() {
    let error: std::io::Error = Mapping::anonymous(usize::MAX).unwrap_err().into();
    assert_eq!(error.kind(), std::io::ErrorKind::OutOfMemory);
    assert!(error.to_string().starts_with("mmap of "));
    let mapping = Mapping::anonymous(1).unwrap();
    let address = mapping.as_ptr();
    let protect = || mapping.protect(ReadOnly);
    let Some(failed) = refusing(SYS_MPROTECT, address, EACCES, protect) else {
        return;
    };
    let error: std::io::Error = failed.unwrap_err().into();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
}

#[test]
fn a_hint_is_kept_to_when_free_and_never_replaces() {
    let first = Mapping::anonymous(4 * page_size()).unwrap();
    let taken = first.as_ptr().addr();
    let second = MapOptions::new()
        .len(page_size())
        .hint(taken)
        .map_anonymous(ReadWrite)
        .unwrap();
    assert_ne!(second.as_ptr().addr(), taken);
    assert!(first.iter().all(|&byte| byte == 0));
}

#[test]
fn populate_and_no_reserve() {
    let options = MapOptions::new().len(8 * page_size());
    let mapping = options.no_reserve(true).map_anonymous(ReadWrite).unwrap();
    assert!(
        lacks::no_reserve("space that is not set aside")
            || flags(mapping.as_ptr()).contains(Flags::NR)
    );
    if lacks::populate_flag("MAP_POPULATE") || lacks::own_pages("MAP_POPULATE") {
        return;
    }
    let mapping = options.populate(true).map_anonymous(ReadWrite).unwrap();
    assert_eq!(mapping.residency().resident().unwrap(), 8);
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no threads")]
fn a_mapping_is_shared_with_threads() {
    let mut mapping = Mapping::anonymous(1 << 16).unwrap();
    let (left, right) = mapping.split_at_mut(1 << 15);
    std::thread::scope(|scope| {
        scope.spawn(|| left.fill(1));
        scope.spawn(|| right.fill(2));
    });
    let sum: u64 = mapping.iter().map(|&byte| u64::from(byte)).sum();
    assert_eq!(sum, 3 << 15);
}

#[test]
fn pages_are_as_large_as_the_kernel_says() {
    assert_eq!(kernel::page_size_at_start(), page_size());
    // And as large as `cargo xtask emulate` says that it runs this with.
    if let Ok(size) = std::env::var("UNIX_MEMORY_PAGE_SIZE") {
        assert_eq!(page_size().to_string(), size);
    }
}
