//! Windows over files that cannot be mapped: they are read.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

use libc::ENODEV;
use tests::seccomp::mmap_call;
use tests::{map_at, refusing_argument};
use unix_memory::{Reason, Way, Window, Windows, page_size};

/// What all windows hold, and how they came into memory.
fn read(windows: Windows<&File>) -> (Vec<u8>, Vec<Way>) {
    let windows: Vec<_> = windows.map(Result::unwrap).collect();
    let bytes = windows.iter().flat_map(|window| window.to_vec().unwrap());
    let bytes = bytes.collect();
    (bytes, windows.iter().map(Window::way).collect())
}

/// Runs `f` where no file can be mapped.
fn without_mappings(f: impl FnOnce() + Send) {
    let Some(call) = mmap_call("a file system that does not map") else {
        return;
    };
    // The tests find out how addresses are reported by a file of their own, once.
    let _known_from_here_on = map_at((&raw const call).cast());
    let refusing = |sharing: i32, f: &mut (dyn FnMut() + Send)| {
        let sharing = sharing.unsigned_abs().into();
        let _or_skipped = refusing_argument(call, 3, sharing, ENODEV, f);
    };
    let mut f = Some(f);
    refusing(libc::MAP_SHARED, &mut || {
        refusing(libc::MAP_PRIVATE, &mut || (f.take().unwrap())());
    });
}

#[test]
fn a_file_that_cannot_be_mapped_is_read() {
    let page = page_size();
    let len = 3 * page + 10;
    let content: Vec<u8> = (0..=250).cycle().take(len).collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    without_mappings(|| {
        let (bytes, ways) = read(Windows::new(&file, page).unwrap());
        assert_eq!((bytes, ways), (content.clone(), vec![Way::Read; 4]));
        let part = Windows::new(&file, 2 * page).unwrap();
        let part = part.start_at(7).end_at(page as u64 * 2 + 3);
        assert_eq!(read(part).0, content[7..2 * page + 3]);
        assert_eq!(
            Windows::new(&file, 1).unwrap().start_at(len as u64).count(),
            0
        );

        // It is this process's own.
        let mut windows = Windows::new(&file, page).unwrap();
        let first = windows.next().unwrap().unwrap();
        assert_eq!(first.way(), Way::Read);
        assert!(map_at(first.as_ptr()).is(|map| map.as_ref().unwrap().path.is_none()));
        // A window that is not yet asked for is not yet read.
        file.write_all_at(b"new", page as u64).unwrap();
        let second = windows.next().unwrap().unwrap().to_vec().unwrap();
        assert_eq!(second[..3], *b"new");
        file.write_all_at(&content[page..page + 3], page as u64)
            .unwrap();
        // Files that grow and shrink, as where they are mapped.
        file.set_len(page as u64 * 2 + 1).unwrap();
        assert_eq!(windows.next().unwrap().unwrap().len(), 1);
        file.set_len(page as u64).unwrap();
        let error = windows.next().unwrap().unwrap_err();
        assert_eq!(error.reason(), Reason::FileLength(page as u64));
        assert!(windows.next().is_none());
        assert_eq!(first.to_vec().unwrap(), content[..page]);
        // One that has become empty is not one that has no length.
        file.set_len(page as u64 * 2).unwrap();
        let mut windows = Windows::new(&file, page).unwrap();
        assert!(windows.next().unwrap().is_ok());
        file.set_len(0).unwrap();
        let error = windows.next().unwrap().unwrap_err();
        assert_eq!(error.reason(), Reason::FileLength(0));
    });
}

// Other systems have no such files, or others.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn files_of_the_kernel_are_read() {
    use libc::ENXIO;
    use unix_memory::Call;

    if tests::lacks::own_pages("windows over files of the kernel") {
        return;
    }
    let page = page_size();
    for path in [
        "/proc/version",
        "/proc/filesystems",
        "/sys/devices/system/cpu/online",
    ] {
        let Ok(file) = File::open(path) else {
            tests::skip(path, "it is not there");
            continue;
        };
        let expected = std::fs::read(path).unwrap();
        let len = expected.len();
        let (bytes, ways) = read(Windows::new(&file, page).unwrap());
        assert_eq!(bytes, expected, "{path}");
        assert_eq!(ways, [Way::Read]);
        let rest = Windows::new(&file, 1 << 30).unwrap().start_at(3);
        assert_eq!(read(rest).0, expected[3..]);
        let start = Windows::new(&file, page).unwrap().end_at(3);
        assert_eq!(read(start).0, expected[..3]);
        // It does not have as much as was asked for.
        let end = len as u64 + 1;
        let mut windows = Windows::new(&file, page).unwrap().end_at(end);
        let error = windows.next().unwrap().unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::ReadFile, ENXIO));
        assert_eq!(error.reason(), Reason::FileLength(len as u64));
        assert!(windows.next().is_none());
        // Nor is there anything behind its end.
        assert_eq!(Windows::new(&file, 1).unwrap().start_at(end).count(), 0);
    }
    // In several windows. An emulator writes the file itself.
    if tests::lacks::own_process("a list of mappings in several windows") {
        return;
    }
    let maps: Vec<_> = (0..page / 8)
        .map(|_| unix_memory::MapOptions::new().len(page))
        .map(|options| {
            options
                .map_anonymous_shared(unix_memory::ReadWrite)
                .unwrap()
        })
        .collect();
    let file = File::open("/proc/self/maps").unwrap();
    let (bytes, ways) = read(Windows::new(&file, page).unwrap());
    assert!(ways.len() > 1 && ways.iter().all(|&way| way == Way::Read));
    assert!(bytes.split(|&byte| byte == b'\n').count() > maps.len());
}
