//! Reading the file of a mapping in place of the mapping.

use std::fs::File;
use std::os::unix::fs::FileExt;

use libc::{EFAULT, EINVAL};
use tests::copies::stopped;
use tests::lacks;
use unix_memory::{FaultCause, MapOptions, MappedFile, ReadOnly, ReadWrite, Reason, page_size};

/// A file of that many pages, each full of its own number, counted from 1.
fn file(pages: u8) -> File {
    let file = tempfile::tempfile().unwrap();
    for page in 0..pages {
        let offset = u64::from(page) * page_size() as u64;
        let content = vec![page + 1; page_size()];
        file.write_all_at(&content, offset).unwrap();
    }
    file
}

fn all_chunks(mapped: &MappedFile<File, ReadWrite>, size: usize) -> Vec<u8> {
    let mut buffer = vec![0; size];
    let mut chunks = mapped.chunks_in(&mut buffer);
    let mut all = Vec::new();
    while let Some(chunk) = chunks.next() {
        all.extend_from_slice(chunk.unwrap());
    }
    assert_eq!(chunks.offset(), mapped.len());
    all
}

#[test]
fn both_return_the_bytes_of_the_mapping() {
    if lacks::shared_files("reads of a mapped file") {
        return;
    }
    let page = page_size();
    let options = MapOptions::new().offset(page as u64).len(2 * page + 7);
    let mapped = options.map_file(file(4), ReadWrite).unwrap();
    // What is written to the mapping is read at once, and what is written to the file as well.
    mapped.write_at(page - 1, b"ab").unwrap();
    mapped.file().write_all_at(b"cd", 3 * page as u64).unwrap();
    let expected = mapped.to_vec().unwrap();
    assert_eq!(expected[page - 2..page + 2], [2, b'a', b'b', 3]);
    assert_eq!(expected[2 * page..], [b'c', b'd', 4, 4, 4, 4, 4]);
    for size in [1, 1000, page, expected.len(), expected.len() + 1] {
        assert_eq!(all_chunks(&mapped, size), expected);
    }
    for (offset, len) in [(0, 1), (page - 1, 2), (5, 2 * page), (expected.len(), 0)] {
        let mut bytes = vec![0; len];
        mapped.read_at(offset, &mut bytes).unwrap();
        assert_eq!(bytes, expected[offset..offset + len]);
    }
}

#[test]
fn a_range_past_the_end_copies_nothing() {
    if lacks::shared_files("a range past the end") {
        return;
    }
    let page = page_size();
    let mapped = MapOptions::new()
        .len(page)
        .map_file(file(2), ReadOnly)
        .unwrap();
    let mut bytes = [9; 2];
    // The file has these bytes, the mapping does not.
    for offset in [page - 1, page, usize::MAX] {
        let error = mapped.read_at(offset, &mut bytes).unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EINVAL, Reason::MappingLength(page))
        );
    }
    assert_eq!(bytes, [9; 2]);
}

/// Zeros up to the end of the last page, then a fault: as the mapping has it.
#[test]
fn a_file_that_became_shorter_is_read_like_its_mapping() {
    let check = "a file that became shorter";
    if lacks::shared_files(check) || lacks::own_pages(check) {
        return;
    }
    let page = page_size();
    let mapped = MapOptions::new().map_file(file(3), ReadWrite).unwrap();
    mapped.file().set_len(page as u64 + 5).unwrap();
    let mut bytes = vec![9; page];
    mapped.read_at(page, &mut bytes).unwrap();
    assert_eq!(bytes[..7], [2, 2, 2, 2, 2, 0, 0]);
    let mut bytes = vec![9; 2 * page];
    let error = mapped.read_at(page - 1, &mut bytes).unwrap_err();
    let cause = FaultCause::Truncated;
    let (done, at) = (page + 1, 2 * page);
    let reason = Reason::Fault { done, at, cause };
    assert_eq!((error.errno(), error.reason()), (EFAULT, reason));
    assert_eq!(bytes[..7], [1, 2, 2, 2, 2, 2, 0]);
    let mut chunks = mapped.chunks_in(&mut bytes[..page]);
    assert_eq!(chunks.next().unwrap().unwrap(), vec![1; page]);
    assert_eq!(chunks.next().unwrap().unwrap()[..6], [2, 2, 2, 2, 2, 0]);
    let error = chunks.next().unwrap().unwrap_err();
    let reason = stopped(0, 2 * page);
    assert_eq!(error.reason(), reason);
    assert!(chunks.next().is_none());
}

/// Without the calls that copy out of a mapping, a file is still read; a device is not: that may take
/// something away.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn only_regular_files_are_read() {
    use libc::EPERM;
    use tests::seccomp::{self, SYS_PIPE2, SYS_PROCESS_VM_READV};
    use tests::{in_a_child, skip};

    let check = "files that are read";
    if lacks::shared_files(check) || lacks::own_pages(check) {
        return;
    }
    let page = page_size();
    let regular = MapOptions::new().map_file(file(1), ReadOnly).unwrap();
    let zero = File::open("/dev/zero").unwrap();
    let device = MapOptions::new()
        .len(page)
        .map_file(zero, ReadOnly)
        .unwrap();
    let mut bytes = [9; 2];
    device.read_at(0, &mut bytes).unwrap();
    assert_eq!(bytes, [0; 2]);
    let ended = in_a_child(|| {
        for call in [SYS_PROCESS_VM_READV, SYS_PIPE2] {
            if let Err(error) = seccomp::refuse(call, None, EPERM) {
                return skip("files that are read", &error.to_string());
            }
        }
        regular.read_at(page - 2, &mut bytes).unwrap();
        assert_eq!(bytes, [1; 2]);
        let chunk = regular
            .chunks_in(&mut bytes)
            .next()
            .unwrap()
            .map(<[u8]>::to_vec);
        assert_eq!(chunk.unwrap(), [1; 2]);
        let error = device.read_at(0, &mut bytes).unwrap_err();
        assert_eq!(error.errno(), EPERM);
        let error = device.chunks_in(&mut bytes).next().unwrap().unwrap_err();
        assert_eq!(error.errno(), EPERM);
    });
    assert!(ended.success(), "{ended}");
}

/// Such a descriptor reads whole blocks only.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_so_is_copied_out_of_the_mapping() {
    use std::fs::OpenOptions;
    use std::os::unix::fs::OpenOptionsExt;
    use tests::skip;

    if lacks::shared_files("a file opened with O_DIRECT") {
        return;
    }
    let named = tempfile::NamedTempFile::new_in(".").unwrap();
    named.as_file().write_all_at(b"content", 0).unwrap();
    let direct = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECT)
        .open(named.path());
    let direct = match direct {
        Ok(direct) => direct,
        Err(error) => return skip("a file opened with O_DIRECT", &error.to_string()),
    };
    let mapped = match MapOptions::new().map_file(direct, ReadOnly) {
        Ok(mapped) => mapped,
        Err(error) => return skip("a file opened with O_DIRECT", &error.to_string()),
    };
    let mut bytes = [0; 3];
    mapped.read_at(1, &mut bytes).unwrap();
    assert_eq!(&bytes, b"ont");
}
