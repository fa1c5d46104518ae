//! The bytes of the kernel's files, and huge pages for what is read.
// Other systems have no such files, or others; and no such advice.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use libc::{EBADF, ENOMEM, ENXIO, EOVERFLOW, O_DIRECT};
use rustix::fs::{Mode, OFlags};
use tests::kernel::{Flags, system_calls};
use tests::{effort, flags, lacks, map_at, skip};
use unix_memory::{
    Advice, Call, FileBytes, FileBytesOptions, MemfdOptions, ReadWrite, Reason, Result, Way,
    page_size,
};

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

fn memfd() -> File {
    File::from(OwnedFd::from(MemfdOptions::new().create(0).unwrap()))
}

fn lines(bytes: &[u8]) -> usize {
    bytes.split(|&byte| byte == b'\n').count() - 1
}

/// A small file on a disk is read by few calls.
#[test]
fn a_small_file_takes_few_calls() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(100).unwrap();
    if rustix::fs::major(file.metadata().unwrap().dev()) == 0 {
        return skip(
            "the calls for a file on a disk",
            "the directory is not on one",
        );
    }
    let calls = |times| {
        system_calls(|| {
            for _ in 0..times {
                assert_eq!(FileBytes::load(&file).unwrap().len(), 100);
            }
        })
        .get()
    };
    // (The first time, the size of a page is looked up.)
    if let (Some(few), Some(more)) = (calls(1), calls(11)) {
        assert_eq!(
            more - few,
            10 * 6,
            "fstat, statx, mmap, pread, mprotect, munmap"
        );
    }
}

/// Whatever room its length leaves behind it.
#[test]
fn a_file_is_read_to_its_end() {
    let page = page_size();
    for len in [1, page - 1, page, page + 1, 17 * page, 100 * page + 3] {
        let file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..=255).cycle().take(len).collect();
        rustix::io::pwrite(&file, &content, 0).unwrap();
        assert_eq!(*FileBytes::load(&file).unwrap(), *content);
        let part = OPTIONS.offset(1).load(&file).unwrap();
        assert_eq!(*part, content[1..]);
        let error = OPTIONS.max_len(len - 1).load(&file).unwrap_err();
        assert_eq!(error.reason(), Reason::BytesLimit(len - 1));
        assert_eq!(*OPTIONS.max_len(len).load(&file).unwrap(), *content);
    }
}

/// Files of the kernel, which report that they are empty, or as long as a page.
#[test]
fn files_of_the_kernel() {
    for path in [
        "/proc/version",
        "/proc/filesystems",
        "/sys/devices/system/cpu/online",
        "/sys/devices/system/cpu/possible",
    ] {
        let Ok(file) = File::open(path) else {
            skip(path, "it is not there");
            continue;
        };
        let expected = std::fs::read(path).unwrap();
        assert!(!expected.is_empty());
        let len = expected.len();
        for loaded in all_ways(&OPTIONS.max_len(len), &file) {
            let loaded = loaded.unwrap();
            assert_eq!(*loaded, *expected, "{path}");
            // (An emulator may have made an ordinary file of it.)
            if !lacks::own_process("how files of the kernel are read") {
                assert_eq!(loaded.way(), Way::Read, "{path}");
            }
        }
        for part in all_ways(&OPTIONS.offset(2).len(len - 3), &file) {
            assert_eq!(*part.unwrap(), expected[2..len - 1]);
        }
        for rest in all_ways(&OPTIONS.offset(2), &file) {
            assert_eq!(*rest.unwrap(), expected[2..]);
        }
        for nothing in all_ways(&OPTIONS.offset(2).len(0), &file) {
            assert!(nothing.unwrap().is_empty());
        }
        let error = OPTIONS.len(len + 1).load(&file).unwrap_err();
        let message = format!(
            "read of {} bytes at file offset 0: No such device or address (the file has {len} \
             bytes)",
            len + 1
        );
        assert_eq!((error.errno(), error.to_string()), (ENXIO, message));
        let error = OPTIONS.max_len(len - 1).load(&file).unwrap_err();
        assert_eq!(error.reason(), Reason::BytesLimit(len - 1));
    }
    // They change, but have these lines.
    let status = FileBytes::load(File::open("/proc/self/status").unwrap()).unwrap();
    assert!(status.starts_with(b"Name:") && status.ends_with(b"\n"));
    assert!(lines(&status) > 20);
    let processors = FileBytes::load(File::open("/proc/cpuinfo").unwrap()).unwrap();
    let processors = str::from_utf8(&processors).unwrap();
    assert!(processors.contains("processor"), "{processors}");
    // Longer than the first piece.
    let maps: Vec<_> = (0..effort(2000))
        .map(|_| unix_memory::MapOptions::new().len(page_size()))
        .map(|options| options.map_anonymous_shared(ReadWrite).unwrap())
        .collect();
    let list = FileBytes::load(File::open("/proc/self/maps").unwrap()).unwrap();
    assert!(lines(&list) >= maps.len());
}

/// Files that are opened with `O_DIRECT` are read in whole blocks.
#[test]
fn a_file_without_the_page_cache() {
    let named = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let page = page_size();
    for len in [0, 1, 511, page, 3 * page + 10, 300_000] {
        let content: Vec<u8> = (0..=250).cycle().take(len).collect();
        std::fs::write(named.path(), &content).unwrap();
        let mut options = File::options();
        let file = match options.read(true).custom_flags(O_DIRECT).open(named.path()) {
            Ok(file) => file,
            Err(error) => return skip("a file without the page cache", &error.to_string()),
        };
        let loaded = OPTIONS.load(&file).unwrap();
        assert!(*loaded == *content, "{len}");
        // A limit need not be whole blocks.
        let loaded = OPTIONS.max_len(len).load(&file).unwrap();
        assert!(*loaded == *content, "{len}");
        if let Some(less) = len.checked_sub(1) {
            let error = OPTIONS.max_len(less).load(&file).unwrap_err();
            assert_eq!(error.reason(), Reason::BytesLimit(less));
        }
    }
}

/// A descriptor that is open only as a path.
#[test]
fn a_file_that_is_not_open() {
    let named = tempfile::NamedTempFile::new().unwrap();
    // (With musl, what std opens does not have the flag, which is part of musl's O_ACCMODE.)
    let file = rustix::fs::open(named.path(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    let file = File::from(file.unwrap());
    for loaded in all_ways(&OPTIONS, &file) {
        let error = loaded.unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EBADF, Reason::NotReadable)
        );
    }
}

/// The offsets that a file can have end somewhere.
#[test]
fn the_last_offsets() {
    if lacks::far_offsets("the last offsets") {
        return;
    }
    let zero = File::open("/dev/zero").unwrap();
    let last = i64::MAX.unsigned_abs();
    for (offset, len) in [(last - 5, 5), (last, 0)] {
        let loaded = OPTIONS.offset(offset).load(&zero).unwrap();
        assert_eq!(*loaded, vec![0; len]);
    }
    let error = OPTIONS.offset(last - 5).len(6).load(&zero).unwrap_err();
    assert_eq!(error.errno(), EOVERFLOW);
}

/// All holes, and longer than any memory.
#[test]
fn a_file_longer_than_all_addresses() {
    let file = memfd();
    let len = 1 << 62;
    if let Err(error) = file.set_len(len) {
        return skip("a file longer than all addresses", &error.to_string());
    }
    for loaded in all_ways(&OPTIONS, &file) {
        let error = loaded.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
    }
    for loaded in all_ways(&OPTIONS.max_len(1 << 20), &file) {
        assert_eq!(loaded.unwrap_err().reason(), Reason::BytesLimit(1 << 20));
    }
    for loaded in all_ways(&OPTIONS.offset(len - 3), &file) {
        assert_eq!(*loaded.unwrap(), [0; 3]);
    }
}

/// What is read from a large file is in huge pages, if the system has some.
#[test]
fn a_large_file_is_read_into_huge_pages() {
    let path = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size";
    let size = std::fs::read_to_string(path).ok();
    let size = size.and_then(|text| text.trim().parse::<usize>().ok());
    let Some(size) = size.filter(|&size| size <= 32 << 20) else {
        return skip(
            "huge pages of what is read",
            "the kernel has none, or larger ones",
        );
    };
    if lacks::advice("huge pages of what is read") || !Advice::HugePage.is_supported() {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    file.set_len(size as u64 + 1).unwrap();
    let loaded = FileBytes::load(&file).unwrap();
    assert_eq!(loaded.as_ptr().addr() % size, 0);
    assert!(flags(loaded.as_ptr()).contains(Flags::HG));
    assert!(flags(&raw const loaded[size]).contains(Flags::HG));
    let map = map_at(loaded.as_ptr()).get().flatten();
    if map.and_then(|map| map.anonymous_huge).unwrap_or(0) < size {
        skip("huge pages of what is read", "the kernel had none to give");
    }
    // The same holds if the file does not report its length.
    let zero = File::open("/dev/zero").unwrap();
    let loaded = OPTIONS.len(4 * size).load(&zero).unwrap();
    assert!(flags(loaded.as_ptr()).contains(Flags::HG));
    // Not if none is filled.
    file.set_len(size as u64 - 1).unwrap();
    let loaded = FileBytes::load(&file).unwrap();
    assert!(flags(loaded.as_ptr()).lacks(Flags::HG));
}
