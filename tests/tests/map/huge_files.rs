//! Files in huge pages, of which the system's pool may have none: SIGBUS ends no safe code.
// Only Linux has a pool of huge pages that a program can ask for.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod pool;

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{EACCES, EINVAL, ENOMEM};
use pool::pool;
use tests::{ReservedHugePages, kernel, lacks, skip};
use unix_memory::{
    Call, Error, FileBytes, HugePageSize, MapOptions, Mapping, MemfdOptions, NoAccess, ReadOnly,
    ReadWrite, Reason, SealedMemory, Way, Windows, page_size,
};
use unix_memory_sys as sys;

#[test]
fn huge_page_files_are_mapped_in_whole_pages() {
    // SAFETY: the name ends in NUL.
    let fd = unsafe { sys::memfd_create(c"huge".as_ptr(), sys::MFD_HUGETLB) };
    if fd == -1 {
        return skip(
            "files in huge pages",
            &std::io::Error::last_os_error().to_string(),
        );
    }
    // SAFETY: the descriptor was made above, and nobody else owns it.
    let file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    let size = usize::try_from(file.metadata().unwrap().blksize()).unwrap();
    file.set_len(2 * size as u64).unwrap();
    if lacks::huge_mappings(file.as_raw_fd(), size, "files in huge pages") {
        return;
    }
    file.set_len(0).unwrap();
    let options = MapOptions::new();
    let empty = options.map_shared(&file, ReadOnly).unwrap();
    assert!(empty.is_empty());
    assert_eq!(
        kernel::mappings_named("memfd:huge"),
        0,
        "nothing stays mapped"
    );
    file.set_len(2 * size as u64).unwrap();
    for wrong in [options.len(100), options.offset(page_size() as u64)] {
        let error = wrong.map_shared(&file, ReadOnly).unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EINVAL, Reason::HugePages(size))
        );
    }
    // They are set aside, though none is touched.
    let reserved = ReservedHugePages::new(size, 2);
    if let Err(reason) = &reserved {
        return skip("mappings of files in huge pages", reason);
    }
    for right in [options, options.len(size), options.offset(size as u64)] {
        let mapping = right.map_shared(&file, ReadOnly).unwrap();
        mapping.protect(NoAccess).unwrap().unmap().unwrap();
    }
}

/// Those of files too: what they lack is set aside for whoever maps them.
#[test]
fn those_of_a_file_are_set_aside_whatever_is_asked_for() {
    let Some((size, _reserved)) = pool(2, "huge pages of a file") else {
        return;
    };
    let bytes = size.bytes();
    let memory = MemfdOptions::new().huge_pages(size);
    let memory = memory.create(3 * bytes as u64).unwrap();
    let options = MapOptions::new().no_reserve(true);
    let none = (ENOMEM, Reason::HugePagePool(bytes));
    let refused = |error: Error| assert_eq!((error.errno(), error.reason()), none);
    refused(options.map_shared(&memory, ReadWrite).unwrap_err());
    refused(options.map_shared(&memory, ReadOnly).unwrap_err());
    refused(options.map_private(&memory, ReadWrite).unwrap_err());
    // Read-only, it could become writable.
    refused(options.map_private(&memory, ReadOnly).unwrap_err());
    let options = options.len(2 * bytes);
    let shared = options.map_shared(&memory, ReadWrite).unwrap();
    refused(options.map_private(&memory, ReadOnly).unwrap_err());
    for page in 0..2 {
        let atomic = shared.atomic::<AtomicU32>(page * bytes).unwrap();
        atomic.store(7, Ordering::Relaxed);
    }
    // What is there needs no other page, and copies do.
    let second = options.map_shared(&memory, ReadOnly).unwrap();
    let mut byte = [0];
    second.read_at(bytes, &mut byte).unwrap();
    refused(options.map_private(&memory, ReadWrite).unwrap_err());
    let all = MapOptions::new().map_shared(&memory, ReadWrite);
    refused(all.unwrap_err());
}

/// A place that fits transparent huge pages may not fit those of the file, which are larger.
#[test]
fn files_of_larger_pages_lie_where_these_fit() {
    let what = "files of larger huge pages";
    let transparent = HugePageSize::transparent().map_or(0, HugePageSize::bytes);
    let sizes = [32 << 20, 512 << 20, 1 << 30].map(HugePageSize::from_bytes);
    let larger = sizes.into_iter().flatten();
    let mut larger = larger.filter(|size| size.pool().is_some() && size.bytes() > transparent);
    let Some(size) = larger.next() else {
        return skip(what, "the kernel has none");
    };
    let memory = MemfdOptions::new().huge_pages(size);
    let memory = match memory.create(size.bytes() as u64) {
        Ok(memory) => memory,
        Err(error) => return skip(what, &error.to_string()),
    };
    // If there are none in the pool, the error says so.
    let mapped = [false, true].map(|transparent| {
        let options = MapOptions::new().transparent_huge_pages(transparent);
        let mapping = options.map_shared(&memory, ReadWrite);
        mapping.map(|mapping| mapping.len())
    });
    // (How it is refused may differ: with few addresses there is no room for the larger alignment.)
    assert_eq!(mapped[0].is_ok(), mapped[1].is_ok());
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

/// A mapping that grows with its file sets its pages aside before there is an atomic in one.
#[test]
fn a_mapped_file_grows_as_far_as_the_pool_has_pages() {
    let Some((size, _reserved)) = pool(2, "huge pages of a file that grows") else {
        return;
    };
    let bytes = size.bytes();
    let memory = MemfdOptions::new().huge_pages(size);
    let memory = memory.create(bytes as u64).unwrap();
    let options = MapOptions::new().no_reserve(true);
    let mut file = options.map_file(memory, ReadWrite).unwrap();
    let error = file.grow(3 * bytes).unwrap_err();
    let none = (ENOMEM, Reason::HugePagePool(bytes));
    assert_eq!((error.errno(), error.reason()), none);
    assert_eq!(file.len(), bytes);
    assert_eq!(file.file().len(), Ok(bytes as u64));
    file.grow(2 * bytes).unwrap();
    let (_, mut mapping) = file.into_parts();
    for page in 0..2 {
        let atomic = mapping.atomic::<AtomicU32>(page * bytes).unwrap();
        atomic.store(7, Ordering::Relaxed);
    }
    // The kernel makes no such mapping longer, and cuts none within a page.
    for (len, call) in [(3 * bytes, Call::Mremap), (bytes / 2, Call::Munmap)] {
        let error = mapping.resize(len).unwrap_err();
        assert_eq!((error.call(), error.errno()), (call, EINVAL));
        assert_eq!(mapping.len(), 2 * bytes);
    }
    mapping.resize(bytes).unwrap();
    let atomic = mapping.atomic::<AtomicU32>(0).unwrap();
    assert_eq!(atomic.load(Ordering::Relaxed), 7);
}

/// Pages that nobody has written to take others, and there may be none.
#[test]
fn sealed_pages_that_are_missing_are_an_error() {
    let Some((size, _reserved)) = pool(1, "sealed huge pages that are missing") else {
        return;
    };
    let bytes = size.bytes();
    let memory = MemfdOptions::new().huge_pages(size).sealing(true);
    let memory = memory.create(2 * bytes as u64).unwrap();
    let first = MapOptions::new().len(bytes);
    let mapping = first.map_shared(&memory, ReadWrite).unwrap();
    mapping.write_at(0, b"first").unwrap();
    drop(mapping);
    let (error, memory) = memory.seal().unwrap_err().into_parts();
    assert_eq!(error.call(), Call::Madvise, "{error}");
    // The part that is there is one.
    let sealed = first.map_sealed(&memory).unwrap();
    assert!(sealed.starts_with(b"first"));
    // By reading, all is there: a page that is missing has zeros.
    let read = FileBytes::load(&memory).unwrap();
    assert_eq!((read.way(), read.len()), (Way::Read, 2 * bytes));
    assert!(read.starts_with(b"first"));
    assert!(read[bytes..].iter().all(|&byte| byte == 0));
}

#[test]
fn windows_that_are_missing_are_an_error() {
    let Some((size, _reserved)) = pool(1, "huge windows that are missing") else {
        return;
    };
    let bytes = size.bytes();
    let memory = MemfdOptions::new().huge_pages(size);
    let memory = memory.create(2 * bytes as u64).unwrap();
    let mut windows = Windows::new(&memory, bytes).unwrap();
    let window = windows.next().unwrap().unwrap();
    assert!(window.to_vec().unwrap().iter().all(|&byte| byte == 0));
    let error = windows.next().unwrap().unwrap_err();
    let none = (ENOMEM, Reason::HugePagePool(bytes));
    assert_eq!((error.errno(), error.reason()), none);
}
