//! The bytes of files of all kinds, compared with what the kernel reports about them.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{EACCES, EBADF, EFBIG, EISDIR, ENXIO, EOVERFLOW};
use proptest::prelude::*;
use tests::kernel::{self, Permissions};
use tests::{effort, in_a_child, lacks, map_at, permissions};
use unix_memory::{
    Call, FileBytes, FileBytesOptions, FileKind, ReadWrite, Reason, Result, Way, page_size,
};

/// A file of `len` bytes, each of which depends on its offset.
fn file_of(len: usize) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes(len)).unwrap();
    file
}

fn bytes(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

const OPTIONS: FileBytesOptions = FileBytesOptions::new();

/// Each way to call, of files that nobody changes.
fn all_ways(options: &FileBytesOptions, file: impl AsFd) -> [Result<FileBytes>; 3] {
    [
        options.load(&file),
        // SAFETY: nobody changes the file.
        unsafe { options.map_private(&file) },
        // SAFETY: as above.
        unsafe { options.map_shared(&file) },
    ]
}

/// The number of an error, and its message.
fn refusal(result: Result<FileBytes>) -> (i32, String) {
    let error = result.unwrap_err();
    (error.errno(), error.to_string())
}

#[test]
fn a_regular_file_is_read_or_mapped() {
    let len = 3 * page_size() + 10;
    let mut file = file_of(len);
    file.seek(SeekFrom::Start(7)).unwrap();
    let expected = [Way::Read, Way::MappedPrivate, Way::MappedShared];
    for (loaded, way) in all_ways(&OPTIONS, &file).into_iter().zip(expected) {
        let loaded = loaded.unwrap();
        assert_eq!((loaded.way(), &loaded[..]), (way, &bytes(len)[..]));
        assert!(format!("{loaded:?}").starts_with("FileBytes"));
        let shared = match way {
            Way::MappedShared => Permissions::SHARED,
            _ => Permissions::PRIVATE,
        };
        let found = permissions(loaded.as_ptr());
        assert!(found.is(|&found| found == Permissions::READ | shared));
        let map = map_at(loaded.as_ptr());
        let has_file = |map: &Option<kernel::Map>| {
            let path = map.as_ref().and_then(|map| map.path.as_ref());
            path.is_some() == (way != Way::Read)
        };
        assert!(map.is(has_file), "{way:?}");
        assert_eq!(loaded.as_ptr().addr() % page_size(), 0);
    }
    assert_eq!(file.stream_position().unwrap(), 7, "it stands where it did");
}

#[test]
fn what_was_read_stays() {
    let len = 2 * page_size();
    let file = file_of(len);
    let loaded = FileBytes::load(&file).unwrap();
    file.write_all_at(b"changed", 0).unwrap();
    file.set_len(0).unwrap();
    drop(file);
    assert_eq!(*loaded, *bytes(len));
    let mut copy = loaded.into_mapping().protect(ReadWrite).unwrap();
    copy[0] = 1;
    assert_eq!(copy[..3], [1, 1, 2]);
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no processes")]
fn a_child_has_what_was_read() {
    let loaded = FileBytes::load(file_of(10)).unwrap();
    assert!(in_a_child(|| assert_eq!(*loaded, *bytes(10))).success());
}

#[test]
fn nothing_is_mapped_of_an_empty_file() {
    if lacks::own_process("the mapping of an empty file") {
        return;
    }
    let empty = tempfile::tempfile().unwrap();
    for loaded in all_ways(&OPTIONS, &empty) {
        let loaded = loaded.unwrap();
        assert!(loaded.is_empty());
        assert!(map_at(loaded.as_ptr()).is(Option::is_none));
    }
    for path in ["/dev/null"] {
        for loaded in all_ways(&OPTIONS.max_len(0), File::open(path).unwrap()) {
            let loaded = loaded.unwrap();
            assert_eq!((loaded.len(), loaded.way()), (0, Way::Read));
        }
    }
}

proptest! {
    #[test]
    fn like_a_slice(
        len in 0usize..20_000,
        offset in 0usize..22_000,
        part in prop::option::of(0usize..22_000),
        most in prop::option::of(0usize..22_000),
    ) {
        let file = file_of(len);
        let mut options = OPTIONS.offset(offset as u64);
        if let Some(part) = part {
            options = options.len(part);
        }
        if let Some(most) = most {
            options = options.max_len(most);
        }
        let whole = bytes(len);
        let end = part.map_or(len, |part| offset + part);
        let asked = part.unwrap_or(len.saturating_sub(offset));
        for (i, loaded) in all_ways(&options, &file).into_iter().enumerate() {
            if i > 0 && part.is_none() && offset == len && lacks::own_pages("an empty rest") {
                continue;
            }
            if most.is_some_and(|most| asked > most) {
                let error = loaded.unwrap_err();
                prop_assert_eq!((error.call(), error.errno()), (Call::ReadFile, EFBIG));
                prop_assert_eq!(error.reason(), Reason::BytesLimit(most.unwrap()));
            } else if offset > len && part == Some(0) && i == 0 {
                // No bytes can be asked for anywhere.
                prop_assert!(loaded.unwrap().is_empty());
            } else if offset > len || end > len {
                let error = loaded.unwrap_err();
                prop_assert_eq!(error.errno(), ENXIO);
                let is_length = matches!(error.reason(), Reason::FileLength(_));
                prop_assert!(is_length, "{}", error);
            } else {
                prop_assert_eq!(&*loaded.unwrap(), &whole[offset..end]);
            }
        }
    }
}

#[test]
fn an_endless_file_ends_at_the_limit() {
    let zero = File::open("/dev/zero").unwrap();
    let limit = (1 << 20) + 5;
    for loaded in all_ways(&OPTIONS.max_len(limit), &zero) {
        let message =
            "read at file offset 0: File too large (there are more than the allowed 1048581 bytes)";
        assert_eq!(refusal(loaded), (EFBIG, message.to_owned()));
    }
    let ways = all_ways(&OPTIONS.len(limit).max_len(limit), &zero);
    for loaded in ways {
        let loaded = loaded.unwrap();
        assert_eq!(loaded.len(), limit);
        assert!(loaded.iter().all(|&byte| byte == 0));
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 cuts off what 32 bits of an offset cannot hold"
)]
fn a_file_that_is_longer_than_allowed_is_not_read() {
    // Longer than memory, and all holes.
    let file = tempfile::tempfile().unwrap();
    let len = 1u64
        << if lacks::far_offsets("a long file") {
            30
        } else {
            42
        };
    file.set_len(len).unwrap();
    for loaded in all_ways(&OPTIONS.max_len(1 << 20), &file) {
        assert_eq!(loaded.unwrap_err().reason(), Reason::BytesLimit(1 << 20));
    }
    let part = OPTIONS.offset(len - 3).max_len(3).load(&file).unwrap();
    assert_eq!(*part, [0; 3]);
    for loaded in all_ways(&OPTIONS.len(2).max_len(1), &file) {
        assert_eq!(loaded.unwrap_err().reason(), Reason::BytesLimit(1));
    }
    for options in [
        OPTIONS.offset(u64::MAX),
        OPTIONS.offset(i64::MAX as u64).len(1),
    ] {
        for loaded in all_ways(&options, &file) {
            let error = loaded.unwrap_err();
            assert_eq!(error.errno(), EOVERFLOW);
            assert!(matches!(error.reason(), Reason::OffsetLimit(_)));
        }
    }
}

/// However much is asked for, a file that has less takes no more memory than it has bytes.
#[test]
fn a_length_that_no_file_has() {
    let file = file_of(10);
    let len = isize::MAX.unsigned_abs();
    for loaded in all_ways(&OPTIONS.len(len), &file) {
        let error = loaded.unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (ENXIO, Reason::FileLength(10))
        );
    }
    // No bytes can be asked for at the end, but not past it.
    for offset in [0, 10] {
        for loaded in all_ways(&OPTIONS.offset(offset).len(0), &file) {
            assert!(loaded.unwrap().is_empty());
        }
    }
    for (offset, len) in [(11, 0), (10, 1), (11, 1), (1 << 20, 1)] {
        for loaded in all_ways(&OPTIONS.offset(offset).len(len), &file) {
            let error = loaded.unwrap_err();
            assert_eq!(
                (error.errno(), error.reason()),
                (ENXIO, Reason::FileLength(10))
            );
        }
    }
    assert!(OPTIONS.max_len(usize::MAX).load(&file).is_ok());
}

#[test]
fn a_directory_has_no_bytes() {
    let directory = File::open("/").unwrap();
    for loaded in all_ways(&OPTIONS, &directory) {
        let message = "read at file offset 0: Is a directory (a directory has no bytes to read)";
        assert_eq!(refusal(loaded), (EISDIR, message.to_owned()));
    }
    let error = FileBytes::load(&directory).unwrap_err();
    assert_eq!(error.reason(), Reason::NoBytes(FileKind::Directory));
}

#[test]
fn a_file_that_is_not_open_for_reading() {
    let named = tempfile::NamedTempFile::new().unwrap();
    for content in [&b""[..], b"content"] {
        std::fs::write(named.path(), content).unwrap();
        let file = File::options().write(true).open(named.path()).unwrap();
        let error = FileBytes::load(&file).unwrap_err();
        assert_eq!(
            (error.call(), error.errno(), error.reason()),
            (Call::ReadFile, EBADF, Reason::NotReadable)
        );
        let text = error.to_string();
        assert!(
            text.ends_with("Bad file descriptor (the file is not open for reading)"),
            "{text}"
        );
        for loaded in all_ways(&OPTIONS, &file).into_iter().skip(1) {
            let error = loaded.unwrap_err();
            assert!([EBADF, EACCES].contains(&error.errno()), "{error}");
            assert_eq!(error.reason(), Reason::NotReadable);
        }
        let error = OPTIONS.max_len(1).load(&file).unwrap_err();
        assert_eq!(error.reason(), Reason::NotReadable);
    }
}

/// Another thread makes the file shorter and longer; what comes is a part of it, and zeros.
#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no threads")]
fn a_file_that_changes_its_length_meanwhile() {
    let len = 64 * page_size() + 3;
    let whole = bytes(len);
    let file = file_of(len);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut short = page_size() as u64;
            while !is_over.load(Ordering::Relaxed) {
                short = short * 5 % (len as u64);
                file.set_len(short).unwrap();
                file.write_all_at(&whole[..len / 2], 0).unwrap();
                file.write_all_at(&whole, 0).unwrap();
            }
        });
        let mut lengths = Vec::new();
        for _ in 0..effort(300) {
            let loaded = FileBytes::load(&file).unwrap();
            assert!(loaded.len() <= len);
            let is_right = |(found, expected)| found == expected || found == &0;
            assert!(loaded.iter().zip(&whole).all(is_right));
            lengths.push(loaded.len());
            match OPTIONS.len(len).load(&file) {
                Ok(loaded) => assert_eq!(loaded.len(), len),
                Err(error) => assert_eq!(error.errno(), ENXIO),
            }
        }
        is_over.store(true, Ordering::Relaxed);
        lengths.sort_unstable();
        lengths.dedup();
        println!("{} lengths", lengths.len());
    });
    assert_eq!(*FileBytes::load(&file).unwrap(), *whole);
}

/// Another thread appends until it is read to its end.
#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no threads")]
fn a_file_that_grows_meanwhile() {
    let file = file_of(page_size());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut len = page_size() as u64;
            let line: Vec<u8> = vec![b'x'; 1000];
            while !is_over.load(Ordering::Relaxed) && len < 4 << 20 {
                file.write_all_at(&line, len).unwrap();
                len += line.len() as u64;
            }
        });
        let mut before = page_size();
        for _ in 0..effort(40) {
            let loaded = FileBytes::load(&file).unwrap();
            assert!(loaded.len() >= before);
            before = loaded.len();
            assert_eq!(loaded[..page_size()], *bytes(page_size()));
            assert!(loaded[page_size()..].iter().all(|&byte| byte == b'x'));
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
