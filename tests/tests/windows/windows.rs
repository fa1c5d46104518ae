//! Windows over files: where they lie, what is read ahead and dropped behind, files that change.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

use libc::{EACCES, EINVAL, ENODEV, ENOMEM, ENXIO};
use proptest::prelude::*;
use tests::copies::stopped;
use tests::lacks;
use unix_memory::{Call, FileKind, Reason, Way, Windows, page_size};

/// A file of `len` bytes, each of which depends on its offset. It is on a disk, since a tmpfs has
/// no pages to drop.
fn file_of(len: usize) -> File {
    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
    file.write_all(&bytes).unwrap();
    file
}

/// Where each window is: its offset and length; and what all of them hold.
fn read(windows: Windows<&File>) -> (Vec<(u64, usize)>, Vec<u8>) {
    let mut places = Vec::new();
    let mut bytes = Vec::new();
    for window in windows {
        let window = window.unwrap();
        places.push((window.offset(), window.len()));
        bytes.extend(window.to_vec().unwrap());
    }
    (places, bytes)
}

#[test]
fn windows_follow_each_other_to_the_end() {
    let page = page_size();
    let file = file_of(3 * page + 10);
    let (places, bytes) = read(Windows::new(&file, 1).unwrap());
    let at = |n: usize| (n * page) as u64;
    assert_eq!(
        places,
        [(0, page), (at(1), page), (at(2), page), (at(3), 10)]
    );
    assert!(
        bytes
            .iter()
            .copied()
            .eq((0..=250).cycle().take(3 * page + 10))
    );

    let windows = Windows::new(&file, 2 * page).unwrap();
    assert_eq!((windows.window_size(), windows.offset()), (2 * page, 0));
    assert_eq!(read(windows).0, [(0, 2 * page), (at(2), page + 10)]);
    assert_eq!(
        Windows::new(&file, page + 1).unwrap().window_size(),
        2 * page
    );
    assert_eq!(
        read(Windows::new(&file, 1 << 30).unwrap()).0,
        [(0, 3 * page + 10)]
    );
    // Whole windows alone.
    file.set_len(at(2)).unwrap();
    assert_eq!(
        read(Windows::new(&file, page).unwrap()).0,
        [(0, page), (at(1), page)]
    );
    let owned = Windows::new(file, page).unwrap();
    assert_eq!(owned.count(), 2);
}

#[test]
fn starts_and_ends_anywhere() {
    let page = page_size();
    let file = file_of(4 * page);
    let windows = || Windows::new(&file, page).unwrap();
    let (places, bytes) = read(
        windows()
            .start_at(page as u64 - 3)
            .end_at(2 * page as u64 + 5),
    );
    assert_eq!(
        places,
        [
            (page as u64 - 3, 3),
            (page as u64, page),
            (2 * page as u64, 5)
        ]
    );
    assert!(
        bytes
            .iter()
            .copied()
            .eq((0..=250).cycle().skip(page - 3).take(page + 8))
    );
    assert_eq!(read(windows().start_at(7).end_at(9)).0, [(7, 2)]);
    for nothing in [
        windows().start_at(7).end_at(7),
        windows().start_at(7).end_at(3),
        windows().start_at(4 * page as u64),
        windows().end_at(0),
    ] {
        assert_eq!(nothing.count(), 0);
    }
}

#[test]
fn an_empty_file_has_no_windows() {
    if lacks::own_pages("the mapping of an empty file") {
        return;
    }
    let file = file_of(0);
    let mut windows = Windows::new(&file, 1).unwrap();
    assert!(windows.next().is_none());
    file.set_len(1).unwrap();
    assert!(windows.next().is_none(), "it has ended");
    assert!(format!("{windows:?}").starts_with("Windows"));
}

proptest! {
    #[test]
    fn like_a_slice(
        len in 0usize..40_000,
        size in 0usize..20_000,
        start in 0usize..45_000,
        end in prop::option::of(0usize..45_000),
        hints in any::<(bool, bool)>(),
    ) {
        let file = file_of(len);
        let mut windows = Windows::new(&file, size).unwrap().start_at(start as u64);
        windows = windows.read_ahead(hints.0).drop_behind(hints.1);
        if let Some(end) = end {
            windows = windows.end_at(end as u64);
        }
        let whole: Vec<u8> = (0..=250).cycle().take(len).collect();
        let found: Result<Vec<_>, _> = windows
            .map(|window| window.and_then(|window| window.to_vec()))
            .collect();
        let range = start..end.unwrap_or(len).max(start);
        if start > len || end.is_some_and(|end| end > len) {
            prop_assert_eq!(found.unwrap_err().reason(), Reason::FileLength(len as u64));
        } else {
            prop_assert_eq!(found.unwrap().concat(), &whole[range]);
        }
    }
}

#[test]
fn a_file_that_grows_is_read_to_its_new_end() {
    if lacks::own_pages("windows over a file that grows") {
        return;
    }
    let page = page_size();
    let file = file_of(page + 1);
    let mut windows = Windows::new(&file, page).unwrap();
    assert_eq!(windows.next().unwrap().unwrap().len(), page);
    // The next window is mapped already, and too short now.
    file.set_len(2 * page as u64 + 3).unwrap();
    let window = windows.next().unwrap().unwrap();
    assert_eq!((window.len(), window.to_vec().unwrap().len()), (page, page));
    assert_eq!(windows.next().unwrap().unwrap().len(), 3);
    // After a short window, the next one continues where it stopped, up to the same places.
    file.set_len(2 * page as u64 + 8).unwrap();
    let window = windows.next().unwrap().unwrap();
    assert_eq!((window.offset(), window.len()), (2 * page as u64 + 3, 5));
    assert!(windows.next().is_none());
}

#[test]
fn a_file_that_shrinks_ends_or_is_an_error() {
    if lacks::own_pages("windows over a file that shrinks") {
        return;
    }
    let page = page_size();
    for (len, reason) in [
        (page, None),
        (page + 7, None),
        (page - 1, Some(Reason::FileLength(page as u64 - 1))),
        (0, Some(Reason::FileLength(0))),
    ] {
        let file = file_of(3 * page);
        let mut windows = Windows::new(&file, page).unwrap();
        windows.next().unwrap().unwrap().to_vec().unwrap();
        file.set_len(len as u64).unwrap();
        if len > page {
            let window = windows.next().unwrap().unwrap();
            assert_eq!(window.to_vec().unwrap().len(), len - page);
        }
        match (windows.next(), reason) {
            (None, None) => {}
            (Some(Err(error)), Some(reason)) => {
                assert_eq!((error.call(), error.errno()), (Call::Mmap, ENXIO));
                assert_eq!(error.reason(), reason);
            }
            other => panic!("{other:?}"),
        }
        assert!(windows.next().is_none());
    }
    // What was asked for is not there any more.
    let file = file_of(3 * page);
    let mut windows = Windows::new(&file, page).unwrap().end_at(3 * page as u64);
    drop(windows.next().unwrap().unwrap());
    file.set_len(2 * page as u64).unwrap();
    let error = windows.next().unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "mmap of {} bytes at file offset {page}: No such device or address (the file has {} \
             bytes)",
            2 * page,
            2 * page
        )
    );
    assert!(windows.next().is_none());
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten maps copies of files")]
fn a_window_that_loses_its_pages_is_an_error() {
    if lacks::own_pages("windows that lose their pages") {
        return;
    }
    let page = page_size();
    let file = file_of(4 * page);
    let mut windows = Windows::new(&file, 2 * page).unwrap();
    let first = windows.next().unwrap().unwrap();
    file.set_len(page as u64).unwrap();
    let error = first.to_vec().unwrap_err();
    assert_eq!(error.reason(), stopped(page, page));
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 has no sockets, and no status of pipes"
)]
fn what_cannot_be_mapped_is_refused() {
    let directory = File::open("/").unwrap();
    let (reader, _writer) = std::io::pipe().unwrap();
    let error = Windows::new(&directory, 1).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (ENODEV, Reason::NotMappable(FileKind::Directory))
    );
    let error = Windows::new(&reader, 1).unwrap_err();
    assert_eq!(error.reason(), Reason::NotMappable(FileKind::Pipe));
    let max = isize::MAX.unsigned_abs() / page_size() * page_size();
    for size in [max + 1, usize::MAX] {
        let error = Windows::new(&directory, size)
            .err()
            .or_else(|| Windows::new(&file_of(1), size).err());
        assert!(error.is_some());
        let error = Windows::new(&file_of(1), size).unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (ENOMEM, Reason::LengthLimit(max))
        );
    }
    let path = tempfile::NamedTempFile::new().unwrap();
    path.as_file().set_len(10).unwrap();
    let write = File::options().write(true).open(path.path()).unwrap();
    let mut windows = Windows::new(&write, 1).unwrap();
    assert_eq!(windows.next().unwrap().unwrap_err().errno(), EACCES);
    assert!(windows.next().is_none());
}

#[test]
fn devices_need_an_end() {
    if lacks::own_pages("windows over a device") {
        return;
    }
    let zero = File::open("/dev/zero").unwrap();
    let error = Windows::new(&zero, 1).unwrap().next().unwrap().unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::LengthNeeded(FileKind::CharacterDevice))
    );
    let (places, bytes) = read(
        Windows::new(&zero, 1)
            .unwrap()
            .end_at(page_size() as u64 + 1),
    );
    assert_eq!(places.len(), 2);
    assert!(bytes.iter().all(|&byte| byte == 0));
}

#[test]
fn a_window_can_be_kept() {
    let page = page_size();
    let file = file_of(3 * page);
    let windows = Windows::new(&file, page).unwrap().drop_behind(true);
    let kept: Vec<_> = windows.map(Result::unwrap).collect();
    drop(file);
    for (n, window) in kept.into_iter().enumerate() {
        let mut first = [0];
        window.read_at(0, &mut first).unwrap();
        assert_eq!(usize::from(first[0]), n * page % 251);
        assert_eq!(window.way(), Way::MappedShared);
        let mapping = window.into_mapping();
        assert_eq!(mapping.len(), page);
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 cuts off what 32 bits of an offset cannot hold"
)]
fn bytes_beyond_32_bits() {
    const LEN: u64 = (5 << 30) + 100;
    if lacks::far_offsets("windows beyond 4 GiB") {
        return;
    }
    let file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    file.set_len(LEN).unwrap();
    for at in [0, (1 << 32) - 2, LEN - 4] {
        file.write_all_at(b"here", at).unwrap();
    }
    let size = 256 << 20;
    let mut found = Vec::new();
    let mut windows = 0;
    let mut before = 0;
    for window in Windows::new(&file, size).unwrap() {
        let window = window.unwrap();
        assert_eq!(window.offset(), before);
        before += window.len() as u64;
        windows += 1;
        // A page at each end: a sparse file is long to read.
        for at in [0, window.len().saturating_sub(page_size())] {
            let mut bytes = vec![0; page_size().min(window.len())];
            window.read_at(at, &mut bytes).unwrap();
            for (i, byte) in bytes.iter().enumerate().filter(|&(_, &byte)| byte != 0) {
                found.push((window.offset() + (at + i) as u64, *byte));
            }
        }
    }
    assert_eq!((before, windows), (LEN, 21));
    found.sort_unstable();
    found.dedup();
    let expected: Vec<_> = [0, (1 << 32) - 2, LEN - 4]
        .into_iter()
        .flat_map(|at| (at..).zip(*b"here"))
        .collect();
    assert_eq!(found, expected);
}

// Only Linux has a pool of huge pages.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn huge_page_files_have_huge_windows() {
    use std::os::fd::{AsFd, AsRawFd};

    use tests::{ReservedHugePages, skip};
    use unix_memory::{HugePageSize, MemfdOptions};

    let Some(size) = HugePageSize::system_default() else {
        return skip("windows in huge pages", "the kernel has none");
    };
    let bytes = size.bytes();
    let reserved = ReservedHugePages::new(bytes, 3);
    let memory = match MemfdOptions::new()
        .huge_pages(size)
        .create(3 * bytes as u64)
    {
        Ok(memory) => memory,
        Err(error) => return skip("windows in huge pages", &error.to_string()),
    };
    let windows = Windows::new(&memory, page_size()).unwrap();
    assert_eq!(windows.window_size(), bytes);
    if let Err(reason) = reserved {
        return skip("windows in huge pages", &reason);
    }
    let fd = memory.as_fd().as_raw_fd();
    if lacks::huge_mappings(fd, bytes, "windows in huge pages") {
        return;
    }
    let mut count = 0;
    for window in windows {
        let window = window.unwrap();
        assert_eq!(
            (window.offset(), window.len()),
            (count * bytes as u64, bytes)
        );
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 cuts off what 32 bits of an offset cannot hold"
)]
fn places_beyond_4_gib() {
    if lacks::far_offsets("places of windows beyond 4 GiB") {
        return;
    }
    // Three times something: what 32 bits leave of an offset has another remainder.
    let size = 3usize << 16;
    let start = (1u64 << 32) + 10;
    let end = start + 2 * size as u64;
    let file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    file.set_len(1 << 33).unwrap();
    file.write_all_at(b"here", start).unwrap();
    let windows = Windows::new(&file, size).unwrap();
    let windows = windows.start_at(start).end_at(end);
    assert_eq!(windows.offset(), start);
    let (places, bytes) = read(windows);
    let first = size - usize::try_from(start % size as u64).unwrap();
    let second = start + first as u64;
    let third = second + size as u64;
    let expected = [(start, first), (second, size), (third, size - first)];
    assert_eq!(places, expected);
    assert_eq!(bytes[..5], *b"here\0");
}
