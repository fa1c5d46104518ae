//! The two ways in which Linux reports a map, compared with each other.
//!
//! In a program of its own: what other tests have mapped would be in the child too, and its names change
//! when they remove their files.

use std::fs::{self, File};
use std::io::Write;

use tests::seccomp::{PROCMAP_QUERY, SYS_IOCTL};
use tests::{StillChild, lacks, refusing_argument};
use unix_memory::process_map::{ProcessMap, Region, Sharing};
use unix_memory::{MapOptions, Mapping, NoAccess, ReadExecute, ReadOnly, ReadWrite, page_size};

/// All regions of the map of a process.
fn regions(process: u32) -> Vec<Region<Vec<u8>>> {
    let mut map = ProcessMap::of(process).expect("a map");
    map.regions()
        .map(|region| region.expect("a region"))
        .collect()
}

/// Runs `f` while the kernel refuses to answer about one address, so that its text is read.
fn by_text<R: Send>(errno: i32, f: impl FnOnce() -> R + Send) -> Option<R> {
    refusing_argument(SYS_IOCTL, 1, PROCMAP_QUERY, errno, f)
}

#[test]
fn both_ways_say_the_same() {
    let (page, check) = (page_size(), "both ways to read a map");
    if lacks::process_map(check) {
        return;
    }
    // All of it is in the child too, at the same addresses.
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = directory.path().join(name);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .unwrap();
        file.write_all(&vec![1; 3 * page]).unwrap();
        file
    };
    let options = MapOptions::new().offset(page as u64);
    let files = [
        file("plain"),
        file("a\nnew\n\nline"),
        file("gone"),
        file(&"x".repeat(255)),
    ];
    let _files: Vec<_> = files
        .iter()
        .map(|file| options.map_shared(file, ReadWrite).unwrap())
        .collect();
    let _private: Vec<_> = files
        .iter()
        .map(|file| options.map_private(file, ReadOnly).unwrap())
        .collect();
    fs::remove_file(directory.path().join("gone")).unwrap();
    let _shared = MapOptions::new()
        .len(page)
        .map_anonymous_shared(ReadWrite)
        .unwrap();
    let _memory = unix_memory::SharedMemory::unnamed(1)
        .unwrap()
        .map(ReadOnly)
        .unwrap();
    let _none = Mapping::anonymous(page).unwrap().protect(NoAccess).unwrap();
    let _code = Mapping::anonymous(page).unwrap().protect(ReadExecute);
    let child = StillChild::new();
    let id = child.id();

    let asked = regions(id);
    assert!(asked.len() > 20, "{} regions", asked.len());
    for pair in asked.windows(2) {
        assert!(pair[0].addresses.end <= pair[1].addresses.start, "{pair:?}");
    }
    let named = |name: &str| {
        asked
            .iter()
            .filter(|region| region.name().ends_with(name.as_bytes()))
            .count()
    };
    assert_eq!(named("/a\nnew\n\nline"), 2);
    assert_eq!(named("/gone (deleted)"), 2);
    assert!(
        asked
            .iter()
            .any(|region| region.sharing == Some(Sharing::Shared))
    );
    for errno in [libc::ENOTTY, libc::EPERM, libc::ENOSYS, libc::EINVAL] {
        let Some(read) = by_text(errno, || regions(id)) else {
            return;
        };
        assert_eq!(read, asked);
    }
    // About one address at a time, with rooms of all sizes, and backwards.
    let Some(()) = by_text(libc::ENOTTY, || {
        let mut map = ProcessMap::of(id).unwrap();
        let mut name = [0; 64];
        for expected in asked.iter().rev() {
            let last = expected.addresses.end - 1;
            let region = map.containing_into(last, &mut name).unwrap().unwrap();
            assert_eq!(region.addresses, expected.addresses);
            let whole = expected.name();
            assert_eq!(region.name(), &whole[..whole.len().min(64)]);
            assert_eq!(region.name.is_whole(), whole.len() <= 64);
            let start = expected.addresses.start;
            let before = map
                .regions_from(start.saturating_sub(1))
                .next_into(&mut [])
                .unwrap()
                .unwrap();
            assert!(before.addresses.end >= start);
        }
    }) else {
        return;
    };
    drop(child);
}
