//! The bytes of memory that nobody can change any more: mapped, by safe code.
// Other systems have no seals.
#![cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{ENXIO, EPERM};
use tests::kernel::{self, Permissions};
use tests::{effort, in_a_child, lacks, map_at, permissions};
use unix_memory::{FileBytes, FileBytesOptions, MemfdOptions, Reason, Seals, SharedMemory, Way};

/// A memfd with the content.
fn memfd(content: &[u8], seals: Seals) -> File {
    let memory = MemfdOptions::new().sealing(true).create(0).unwrap();
    let mut file = File::from(memory.as_fd().try_clone_to_owned().unwrap());
    file.write_all(content).unwrap();
    memory.add_seals(seals).unwrap();
    file
}

const BOTH: Seals = Seals::SHRINK.union(Seals::WRITE);

#[test]
fn sealed_memory_is_mapped() {
    let content: Vec<u8> = (0..=250).cycle().take(100_000).collect();
    let file = memfd(&content, BOTH);
    let bytes = FileBytes::load(&file).unwrap();
    assert_eq!((bytes.way(), &bytes[..]), (Way::Sealed, &content[..]));
    let found = permissions(bytes.as_ptr());
    assert!(found.is(|&found| found == Permissions::READ | Permissions::PRIVATE));
    let is_file = |map: &Option<kernel::Map>| {
        let path = map.as_ref().and_then(|map| map.path.as_ref());
        path.is_some_and(|path| path.to_string_lossy().contains("memfd:"))
    };
    assert!(map_at(bytes.as_ptr()).is(is_file));

    let refused = |result: std::io::Result<()>| {
        assert_eq!(result.unwrap_err().raw_os_error(), Some(EPERM));
    };
    refused(file.write_all_at(b"x", 0));
    refused(file.set_len(10));
    let part = FileBytesOptions::new()
        .offset(5000)
        .len(7)
        .load(&file)
        .unwrap();
    assert_eq!((part.way(), &part[..]), (Way::Sealed, &content[5000..5007]));
    drop(file);
    assert!(in_a_child(|| assert!(bytes[..] == content[..])).success());

    // Where it is the mapping that is made writable, it is a copy.
    let mut copy = bytes
        .into_mapping()
        .protect(unix_memory::ReadWrite)
        .unwrap();
    copy[5000] = 1;
    assert_eq!(part[0], content[5000]);
}

#[test]
fn limits_hold_for_sealed_memory() {
    let file = memfd(b"content", BOTH);
    let options = FileBytesOptions::new();
    assert_eq!(*options.max_len(7).load(&file).unwrap(), *b"content");
    let error = options.max_len(6).load(&file).unwrap_err();
    assert_eq!(error.reason(), Reason::BytesLimit(6));
    for options in [options.len(8), options.offset(8)] {
        let error = options.load(&file).unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (ENXIO, Reason::FileLength(7))
        );
    }
    if lacks::own_process("an empty file that is sealed") {
        return;
    }
    let empty = FileBytes::load(memfd(b"", BOTH)).unwrap();
    assert_eq!((empty.way(), empty.len()), (Way::Sealed, 0));
    assert!(map_at(empty.as_ptr()).is(Option::is_none));
}

#[test]
fn what_can_still_change_is_read() {
    for seals in [Seals::empty(), Seals::SHRINK, Seals::WRITE, Seals::GROW] {
        let file = memfd(b"content", seals);
        let bytes = FileBytes::load(&file).unwrap();
        assert_eq!((bytes.way(), &bytes[..]), (Way::Read, &b"content"[..]));
        assert!(map_at(bytes.as_ptr()).is(|map| map.as_ref().unwrap().path.is_none()));
    }
    // A seal that comes later changes nothing of what was read.
    let memory = SharedMemory::from(OwnedFd::from(memfd(b"content", Seals::empty())));
    let before = FileBytes::load(&memory).unwrap();
    memory.add_seals(BOTH).unwrap();
    assert_eq!(before.way(), Way::Read);
    assert_eq!(FileBytes::load(&memory).unwrap().way(), Way::Sealed);
}

/// Some kernels map sealed files only privately; they are still not read.
#[test]
fn the_caller_vouches_for_sealed_memory() {
    let file = memfd(b"content", BOTH);
    let options = FileBytesOptions::new();
    // SAFETY: nobody can change it.
    let bytes = unsafe { options.map_shared(&file) }.unwrap();
    assert!([Way::MappedShared, Way::MappedPrivate].contains(&bytes.way()));
    assert_eq!(*bytes, *b"content");
}

/// The number of standard input becomes that of another file at any moment, as safe functions of other
/// crates can do: what is called sealed is what was sealed.
#[test]
fn a_number_that_changes_hands() {
    let check = "a number that changes hands";
    if lacks::own_process(check) {
        return;
    }
    let status = in_a_child(|| {
        let (sealed, other) = (
            memfd(&[b's'; 100], BOTH),
            memfd(&[b'o'; 100], Seals::SHRINK),
        );
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    for file in [&sealed, &other] {
                        // SAFETY: nobody owns the number of standard input.
                        let number = unsafe { libc::dup2(file.as_raw_fd(), libc::STDIN_FILENO) };
                        assert_eq!(number, libc::STDIN_FILENO);
                    }
                }
            });
            let loads = (0..effort(20_000)).filter_map(|_| FileBytes::load(std::io::stdin()).ok());
            let sealed = loads.filter(|bytes| bytes.way() == Way::Sealed);
            let wrong = sealed.filter(|bytes| bytes[..] != [b's'; 100]).count();
            stop.store(true, Ordering::Relaxed);
            assert_eq!(wrong, 0);
        });
    });
    assert!(status.success(), "{status}");
}
