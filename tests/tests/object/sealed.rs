//! Sealed memory: what may no longer be done to it, and what is refused as not sealed. No test forks: a
//! child would have another test's writable mappings, and keep that memory from being sealed.
// Few systems have seals.
#![cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]

use std::fs::File;
use std::io::{Seek, Write};
use std::ops::DerefMut;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use libc::{EACCES, EBUSY, EINVAL, ENXIO, EPERM};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use tests::{Permissions, kernel, lacks, permissions, skip};
use unix_memory::{
    Call, MapOptions, MemfdOptions, ReadOnly, ReadWrite, Reason, SealedMemory, Seals, SharedMemory,
    page_size,
};

assert_impl_all!(SealedMemory: Send, Sync, AsRef<[u8]>, AsFd);
assert_not_impl_any!(SealedMemory: DerefMut, AsMut<[u8]>, Clone);

const IMMUTABLE: Seals = Seals::SHRINK
    .union(Seals::GROW)
    .union(Seals::WRITE)
    .union(Seals::SEAL);

fn sealable(len: u64) -> SharedMemory {
    MemfdOptions::new().sealing(true).create(len).unwrap()
}

/// Every way to change it, through a descriptor, is refused.
fn cannot_change(sealed: &SealedMemory, all: &[u8]) {
    let before = sealed.to_vec();
    let memory = SharedMemory::from(sealed.as_fd().try_clone_to_owned().unwrap());
    let mut file = File::from(sealed.as_fd().try_clone_to_owned().unwrap());
    let len = all.len() as u64;
    file.rewind().unwrap();
    assert_eq!(file.write(b"x").unwrap_err().raw_os_error(), Some(EPERM));
    assert_eq!(memory.set_len(len + 1).unwrap_err().errno(), EPERM);
    if len > 0 {
        assert_eq!(memory.set_len(len - 1).unwrap_err().errno(), EPERM);
        assert_eq!(memory.map(ReadWrite).unwrap_err().errno(), EPERM);
        let hole = kernel::punch_hole(&file, 0, page_size()).unwrap_err();
        // (Without a number where no such call is known.)
        let refused = hole.raw_os_error().is_none_or(|errno| errno == EPERM);
        assert!(refused, "{hole}");
        match memory.map(ReadOnly) {
            Ok(shared) => {
                let (error, _) = shared.protect(ReadWrite).unwrap_err().into_parts();
                assert_eq!(error.errno(), EACCES);
            }
            // Kernels before 6.7.
            Err(error) => assert_eq!(error.errno(), EPERM),
        }
    }
    assert_eq!(memory.add_seals(Seals::SHRINK).unwrap_err().errno(), EPERM);
    assert_eq!(**sealed, before);
}

#[test]
fn bytes_become_immutable() {
    if lacks::own_pages("sealing nothing") {
        return;
    }
    for len in [0, 1, 100, page_size(), 3 * page_size() + 1] {
        let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
        let sealed = SealedMemory::from_bytes(&bytes).unwrap();
        assert_eq!(*sealed, *bytes);
        assert_eq!(sealed.as_ref(), bytes);
        assert!(sealed.seals().unwrap().contains(IMMUTABLE));
        if len > 0 {
            let permissions = permissions(sealed.as_ptr());
            assert_eq!(permissions, Permissions::READ | Permissions::PRIVATE);
        }
        cannot_change(&sealed, &sealed);
    }
}

#[test]
fn large_contents_without_a_copy() {
    let len = 5 * page_size() + 7;
    let memory = sealable(len as u64);
    let mapping = memory.map(ReadWrite).unwrap();
    mapping.fill(.., 5).unwrap();
    mapping.write_at(len - 3, b"end").unwrap();

    // While somebody could write, it is not sealed, and nothing is lost.
    let (error, memory) = memory.seal().unwrap_err().into_parts();
    assert_eq!((error.call(), error.errno()), (Call::AddSeals, EBUSY));
    assert_eq!(error.reason(), Reason::Mapped);
    assert_eq!(
        error.to_string(),
        "fcntl(F_ADD_SEALS): Device or resource busy (the file still has a shared mapping that is or can become writable: unmap that first)"
    );
    assert!((memory.seals().unwrap() & IMMUTABLE).is_empty());
    mapping.fill(..1, 6).unwrap();

    // A read-only mapping may become writable: the same.
    let mapping = mapping.protect(ReadOnly).unwrap();
    let (error, memory) = memory.seal().unwrap_err().into_parts();
    assert_eq!(error.reason(), Reason::Mapped);
    drop(mapping);

    let sealed = memory.seal().unwrap();
    assert_eq!((sealed.len(), sealed[0], sealed[1]), (len, 6, 5));
    assert!(sealed.ends_with(b"end"));
    cannot_change(&sealed, &sealed);
    // Sealing sealed memory again does nothing.
    let again = SharedMemory::from(sealed).seal().unwrap();
    assert!(again.ends_with(b"end"));
}

#[test]
fn what_was_never_written_is_zero() {
    let sealed = sealable(3 * page_size() as u64).seal().unwrap();
    assert!(sealed.iter().all(|&byte| byte == 0));
    cannot_change(&sealed, &sealed);
}

#[test]
fn it_outlives_its_maker_and_is_passed_on() {
    let sealed = SealedMemory::from_bytes(b"passed on").unwrap();
    let second = SealedMemory::from_fd(&sealed).unwrap();
    let third = SealedMemory::from_fd(second.as_fd()).unwrap();
    drop((sealed, second));
    assert_eq!(*third, *b"passed on");
    let fd = OwnedFd::from(third);
    let fourth = SealedMemory::try_from(SharedMemory::from(fd)).unwrap();
    assert_eq!(*fourth, *b"passed on");
    let mapping = fourth.into_mapping();
    assert_eq!(*mapping, *b"passed on");
}

#[test]
fn a_copy_is_ones_own() {
    let bytes = vec![1; 2 * page_size()];
    let sealed = SealedMemory::from_bytes(&bytes).unwrap();
    let mapping = SealedMemory::from_fd(&sealed).unwrap().into_mapping();
    let mut copy = mapping.protect(ReadWrite).unwrap();
    copy[0] = 2;
    copy[2 * page_size() - 1] = 3;
    assert_eq!((copy[0], copy[1]), (2, 1));
    assert_eq!(*sealed, *bytes);
    assert_eq!(*SealedMemory::from_fd(&sealed).unwrap(), *bytes);
}

#[test]
fn the_mapping_has_locks_and_advice() {
    let sealed = SealedMemory::from_bytes(&vec![1; page_size()]).unwrap();
    sealed
        .mapping()
        .advise(unix_memory::Advice::WillNeed)
        .unwrap();
    sealed.mapping().populate().unwrap();
    assert_eq!(sealed.mapping().residency().count(), 1);
    assert!(format!("{sealed:?}").starts_with("SealedMemory"));
}

#[test]
fn too_few_seals_are_refused_and_the_memory_comes_back() {
    let refused = |seals: Seals, shrink, write| {
        let memory = sealable(10);
        memory.add_seals(seals).unwrap();
        let error = SealedMemory::from_fd(&memory).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::GetSeals, EPERM));
        assert_eq!(error.reason(), Reason::SealsMissing { shrink, write });
        let (again, memory) = SealedMemory::try_from(memory).unwrap_err().into_parts();
        assert_eq!(again, error);
        assert_eq!(memory.seals().unwrap() & IMMUTABLE, seals & IMMUTABLE);
        error.to_string()
    };
    assert_eq!(
        refused(Seals::empty(), true, true),
        "fcntl(F_GET_SEALS): Operation not permitted (F_SEAL_SHRINK and F_SEAL_WRITE \
         are missing)"
    );
    assert!(
        refused(Seals::SHRINK | Seals::GROW, false, true).ends_with("F_SEAL_WRITE is missing)")
    );
    assert!(
        refused(Seals::WRITE | Seals::GROW, true, false).ends_with("F_SEAL_SHRINK is missing)")
    );
    // Only Linux has it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    refused(Seals::SHRINK | Seals::FUTURE_WRITE, false, true);
}

// Only Linux has this seal.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn why_future_write_is_not_enough() {
    let memory = sealable(10);
    let theirs = memory.map(ReadWrite).unwrap();
    let seals = Seals::SHRINK | Seals::GROW | Seals::FUTURE_WRITE;
    if let Err(error) = memory.add_seals(seals) {
        return skip("F_SEAL_FUTURE_WRITE", &error.to_string());
    }
    assert_eq!(memory.map(ReadWrite).unwrap_err().errno(), EPERM);
    // Nobody else can write any more, but its maker can.
    theirs.write_at(0, b"changed").unwrap();
    let ours = MapOptions::new().map_private(&memory, ReadOnly).unwrap();
    assert!(ours.to_vec().unwrap().starts_with(b"changed"));
    assert!(SealedMemory::from_fd(&memory).is_err());
}

#[test]
fn enough_seals_are_enough() {
    let memory = sealable(10);
    memory.add_seals(Seals::SHRINK | Seals::WRITE).unwrap();
    let sealed = SealedMemory::from_fd(&memory).unwrap();
    // It may grow; what is mapped stays.
    memory.set_len(1 << 20).unwrap();
    assert_eq!(*sealed, [0; 10]);
    assert_eq!(SealedMemory::from_fd(&memory).unwrap().len(), 1 << 20);
    // More seals can be added, so `seal` does.
    assert!(memory.seal().unwrap().seals().unwrap().contains(IMMUTABLE));
}

#[test]
fn a_descriptor_for_reading_will_do() {
    let sealed = SealedMemory::from_bytes(b"read").unwrap();
    let Some(path) = kernel::path_to_reopen(&sealed) else {
        return;
    };
    let Ok(read) = File::open(&path) else {
        return skip("a read-only descriptor of a memfd", "it cannot be opened");
    };
    assert_eq!(*SealedMemory::from_fd(&read).unwrap(), *b"read");
    let memory = sealable(10);
    let path = kernel::path_to_reopen(&memory).unwrap();
    let read = SharedMemory::from(OwnedFd::from(File::open(path).unwrap()));
    let error = read.add_seals(Seals::GROW).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::AddSeals, EPERM));
    let (error, _read) = read.seal().unwrap_err().into_parts();
    assert_eq!(error.errno(), EPERM);
}

#[test]
fn what_has_no_seals_says_so() {
    let file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (socket, _peer) = UnixStream::pair().unwrap();
    for fd in [file.as_fd(), socket.as_fd()] {
        let error = SealedMemory::from_fd(fd).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::GetSeals, EINVAL));
        assert_eq!(error.reason(), Reason::NotSealable);
        assert_eq!(
            error.to_string(),
            "fcntl(F_GET_SEALS): Invalid argument (only a memfd has seals: make one with MemfdOptions)"
        );
        let memory = SharedMemory::from(fd.try_clone_to_owned().unwrap());
        let error = memory.add_seals(Seals::SEAL).unwrap_err();
        assert_eq!(
            (error.call(), error.reason()),
            (Call::AddSeals, Reason::NotSealable)
        );
        let (error, memory) = memory.seal().unwrap_err().into_parts();
        assert_eq!(error.reason(), Reason::NotSealable);
        drop(memory);
    }
    // A memfd for which nobody requested seals.
    let memory = SharedMemory::unnamed(10).unwrap();
    let (error, memory) = memory.seal().unwrap_err().into_parts();
    assert_eq!(
        (error.call(), error.errno(), error.reason()),
        (Call::AddSeals, EPERM, Reason::SealingOff)
    );
    drop(memory.map(ReadWrite).unwrap());
    // A seal that no kernel has.
    let unknown = Seals::from_bits_retain(1 << 30);
    let error = sealable(1).add_seals(unknown).unwrap_err();
    assert_eq!((error.errno(), error.reason()), (EINVAL, Reason::Kernel));
}

#[test]
fn a_part_is_mapped_and_nothing_past_the_end() {
    let page = page_size();
    let bytes: Vec<u8> = (0..=250).cycle().take(3 * page + 5).collect();
    let sealed = SealedMemory::from_bytes(&bytes).unwrap();
    let map = |offset: usize, len: Option<usize>| {
        let options = MapOptions::new().offset(offset as u64);
        match len {
            Some(len) => options.len(len),
            None => options,
        }
        .map_sealed(&sealed)
    };
    for (offset, len) in [
        (0, bytes.len()),
        (page - 1, 2),
        (page, page),
        (3 * page, 5),
        (bytes.len(), 0),
    ] {
        let part = map(offset, Some(len)).unwrap();
        assert_eq!(*part, bytes[offset..offset + len]);
        cannot_change(&part, &bytes);
        assert_eq!(*map(offset, None).unwrap(), bytes[offset..]);
    }
    for (offset, len) in [(0, bytes.len() + 1), (3 * page, 6), (bytes.len() + 1, 0)] {
        let error = map(offset, Some(len)).unwrap_err();
        assert_eq!(
            (error.call(), error.errno(), error.reason()),
            (Call::Mmap, ENXIO, Reason::FileLength(bytes.len() as u64))
        );
    }
    // What is not sealed is refused in part, too.
    let error = MapOptions::new()
        .len(1)
        .map_sealed(sealable(10))
        .unwrap_err();
    let reason = Reason::SealsMissing {
        shrink: true,
        write: true,
    };
    assert_eq!((error.errno(), error.reason()), (EPERM, reason));
}

// Only Linux has the seal against executing.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn an_old_kernel_seals_all_the_same() {
    use tests::refusing_argument;
    use tests::seccomp::SYS_FCNTL;
    use unix_memory_sys as sys;

    let memory = sealable(10);
    // As one does that does not know the seal against executing.
    let all: u64 = (IMMUTABLE | Seals::EXEC).bits().unsigned_abs().into();
    let Some(sealed) = refusing_argument(SYS_FCNTL, 2, all, EINVAL, || memory.seal()) else {
        return;
    };
    assert!(sealed.unwrap().seals().unwrap().contains(IMMUTABLE));
    // And one without seals at all.
    let memory = sealable(10);
    let get: u64 = sys::F_GET_SEALS.unsigned_abs().into();
    let Some(refused) = refusing_argument(SYS_FCNTL, 1, get, libc::ENOSYS, || memory.seal()) else {
        return;
    };
    let (error, memory) = refused.unwrap_err().into_parts();
    assert_eq!(
        (error.call(), error.reason()),
        (Call::GetSeals, Reason::Kernel)
    );
    drop(memory);
}

// Only Linux has a pool of huge pages.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn huge_pages_are_sealed_too() {
    use std::os::fd::AsRawFd;

    use tests::{ReservedHugePages, map_at};
    use unix_memory::HugePageSize;

    let Some(size) = HugePageSize::system_default() else {
        return skip("sealed huge pages", "the kernel has none");
    };
    let reserved = match ReservedHugePages::new(size.bytes(), 2) {
        Ok(reserved) => reserved,
        Err(reason) => return skip("sealed huge pages", &reason),
    };
    let memory = MemfdOptions::new()
        .huge_pages(size)
        .sealing(true)
        .create(1)
        .unwrap();
    let fd = memory.as_fd().as_raw_fd();
    if lacks::huge_mappings(fd, size.bytes(), "sealed huge pages") {
        return;
    }
    let mapping = memory.map(ReadWrite).unwrap();
    mapping.write_at(size.bytes() - 3, b"end").unwrap();
    let unit = |address| map_at(address).map(|map| map.unwrap().page_size);
    assert_eq!(unit(mapping.as_ptr()), Some(size.bytes() as u64));
    drop(mapping);
    let sealed = memory.seal().unwrap();
    assert_eq!(unit(sealed.as_ptr()), Some(size.bytes() as u64));
    assert_eq!(sealed.len(), size.bytes());
    assert!(sealed.ends_with(b"end"));
    assert!(SealedMemory::from_fd(&sealed).unwrap().ends_with(b"end"));
    drop(sealed);

    // Pages that nobody has written to, and that the pool does not have, are an error and not a signal.
    let many: u64 = 1 << 20;
    let memory = MemfdOptions::new().huge_pages(size).sealing(true);
    let memory = memory.create(many * size.bytes() as u64).unwrap();
    let (error, _memory) = memory.seal().unwrap_err().into_parts();
    assert!(
        [Call::Madvise, Call::Mmap].contains(&error.call()),
        "{error}"
    );
    drop(reserved);
}
