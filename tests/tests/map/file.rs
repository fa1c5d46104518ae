//! Files, devices and what cannot be mapped.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use libc::{EACCES, EBADF, EINVAL, ENODEV, ENXIO, EOVERFLOW};
use tests::{Permissions, kernel, lacks, map_at};
use unix_memory::{
    Call, FileKind, MapOptions, NoAccess, ReadExecute, ReadOnly, ReadWrite, Reason, page_size,
};

/// A file of `len` bytes, each of which depends on its offset.
fn file_of(len: usize) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes(0, len)).unwrap();
    file
}

/// What [`file_of`] has at `offset`.
fn bytes(offset: usize, len: usize) -> Vec<u8> {
    (offset..offset + len)
        .map(|i| u8::try_from(i % 251).unwrap())
        .collect()
}

fn content(mut file: &File) -> Vec<u8> {
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut content).unwrap();
    content
}

/// An offset inside a page puts the last bytes into one more page, which goes with the others.
#[test]
fn every_page_is_unmapped_whatever_the_offset() {
    let page = page_size();
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(4 * page as u64).unwrap();
    let name = file.path().file_name().unwrap().to_str().unwrap();
    for (offset, len) in [(page - 1, 2), (1, page), (10, 2 * page - 5)] {
        let options = MapOptions::new().offset(offset as u64).len(len);
        let mapping = options.map_shared(&file, ReadOnly).unwrap();
        assert_eq!(mapping.len(), len);
        assert_eq!(kernel::mappings_named(name), 1);
        drop(mapping);
        assert_eq!(kernel::mappings_named(name), 0, "offset {offset}");
    }
}

#[test]
fn the_length_is_the_files_unless_given() {
    let len = 2 * page_size() + 10;
    let file = file_of(len);
    let whole = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    assert_eq!(whole.len(), len);
    assert_eq!(whole.to_vec().unwrap(), bytes(0, len));
    let part = MapOptions::new()
        .len(7)
        .map_private(&file, ReadOnly)
        .unwrap();
    assert_eq!(part.to_vec().unwrap(), bytes(0, 7));
    if lacks::own_pages("the whole pages of a file") {
        return;
    }
    if let Some(map) = map_at(whole.as_ptr()).get() {
        let map = map.unwrap();
        assert_eq!(map.addresses.len(), 3 * page_size());
        let expected = Permissions::SHARED | Permissions::READ;
        assert!(map.permissions.contains(expected));
        assert!(map.path.is_some());
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten does not report what is in memory"
)]
fn any_offset_will_do() {
    let whole_pages = !lacks::own_pages("the whole pages of a file");
    let page = page_size();
    let len = 3 * page + 10;
    let file = file_of(len);
    for offset in [
        0,
        1,
        7,
        page - 1,
        page,
        page + 1,
        2 * page + 5,
        len - 1,
        len,
    ] {
        let options = MapOptions::new().offset(offset as u64);
        for mapping in [
            options.map_shared(&file, ReadOnly).unwrap(),
            options.map_private(&file, ReadOnly).unwrap(),
        ] {
            assert_eq!(
                mapping.to_vec().unwrap(),
                bytes(offset, len - offset),
                "{offset}"
            );
            if offset < len {
                assert_eq!(mapping.as_ptr().addr() % page, offset % page);
                let in_file = kernel::place_in_file(mapping.as_ptr());
                assert_eq!(in_file, offset as u64);
            }
            // All of it, though the start is inside a page, and none of the neighbours.
            let expected = if offset == len {
                0
            } else {
                (len - 1) / page - offset / page + 1
            };
            if whole_pages {
                assert_eq!(mapping.residency().count(), expected, "{offset}");
            }
            let mapping = mapping.protect(NoAccess).unwrap();
            mapping.unmap().unwrap();
        }
    }
}

#[test]
fn what_was_written_is_in_the_file_when_it_is_unmapped_and_no_more() {
    if lacks::shared_files("what is written when it is unmapped") {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    mapping.write_at(2, b"written").unwrap();
    mapping.unmap().unwrap();
    assert_eq!(content(&file), b"\0\0written\0");
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten maps copies of files")]
fn shared_writes_reach_the_file_and_private_ones_do_not() {
    let file = file_of(100);
    let private = MapOptions::new().map_private(&file, ReadWrite).unwrap();
    private.write_at(10, b"private").unwrap();
    assert_eq!(content(&file), bytes(0, 100));
    let shared = MapOptions::new()
        .offset(50)
        .len(10)
        .map_shared(&file, ReadWrite)
        .unwrap();
    shared.write_at(1, b"shared").unwrap();
    let mut expected = bytes(0, 100);
    expected[51..57].copy_from_slice(b"shared");
    assert_eq!(content(&file), expected);
    assert_eq!(private.to_vec().unwrap()[10..17], *b"private");
}

#[test]
fn a_mapping_outlives_its_file() {
    let file = file_of(30);
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    drop(file);
    assert_eq!(mapping.to_vec().unwrap(), bytes(0, 30));
}

#[test]
fn an_empty_file_is_an_empty_mapping() {
    let check = "mapping an empty file";
    if lacks::own_pages(check) || lacks::shared_files(check) {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    assert!(mapping.is_empty());
    mapping.write_at(0, &[]).unwrap();
    mapping.read_at(0, &mut []).unwrap();
    assert_eq!(mapping.write_at(0, b"x").unwrap_err().errno(), EINVAL);
    assert!(mapping.to_vec().unwrap().is_empty());
}

#[test]
fn past_the_end_is_refused() {
    let file = file_of(100);
    for (offset, len) in [(0, 101), (100, 1), (99, 2), (50, usize::MAX), (0, 1 << 20)] {
        let options = MapOptions::new().offset(offset).len(len);
        for error in [
            options.map_shared(&file, ReadOnly).unwrap_err(),
            options.map_private(&file, ReadOnly).unwrap_err(),
        ] {
            assert_eq!((error.call(), error.errno()), (Call::Mmap, ENXIO));
            assert_eq!(error.reason(), Reason::FileLength(100));
            let noun = if len == 1 { "byte" } else { "bytes" };
            assert_eq!(
                error.to_string(),
                format!(
                    "mmap of {len} {noun} at file offset {offset}: No such device or address (the \
                     file has 100 bytes)"
                )
            );
        }
    }
    let error = MapOptions::new()
        .offset(101)
        .map_shared(&file, ReadOnly)
        .unwrap_err();
    assert_eq!(error.reason(), Reason::FileLength(100));
    let error = MapOptions::new()
        .offset(u64::MAX)
        .map_shared(&file, ReadOnly)
        .unwrap_err();
    assert_eq!(error.reason(), Reason::FileLength(100));
}

#[test]
fn offsets_beyond_every_file_are_refused() {
    let zero = File::open("/dev/zero").unwrap();
    let max = u64::try_from(i64::MAX).unwrap();
    for (offset, len) in [(u64::MAX, 1), (max, 1), (max - 1, 2), (max + 1, 0)] {
        let error = MapOptions::new()
            .offset(offset)
            .len(len)
            .map_private(&zero, ReadOnly)
            .unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EOVERFLOW, Reason::OffsetLimit(max))
        );
    }
    // A length that is fine by itself, but not with the bytes before it in its page.
    let most = isize::MAX.unsigned_abs() / page_size() * page_size();
    let error = MapOptions::new()
        .offset(1)
        .len(most)
        .map_private(&zero, ReadOnly)
        .unwrap_err();
    assert_eq!(error.reason(), Reason::LengthLimit(most));
}

#[test]
fn devices_need_a_length() {
    let zero = File::open("/dev/zero").unwrap();
    let error = MapOptions::new().map_private(&zero, ReadOnly).unwrap_err();
    assert_eq!(error.errno(), EINVAL);
    assert_eq!(
        error.reason(),
        Reason::LengthNeeded(FileKind::CharacterDevice)
    );
    assert_eq!(
        error.to_string(),
        "mmap at file offset 0: Invalid argument (give the length with len, since a character \
         device has none)"
    );
    if lacks::own_pages("mapping a device") {
        return;
    }
    let len = 2 * page_size();
    let mapping = MapOptions::new()
        .len(len)
        .map_private(&zero, ReadWrite)
        .unwrap();
    assert_eq!(mapping.to_vec().unwrap(), vec![0; len]);
    mapping.fill(.., 1).unwrap();
    assert_eq!(mapping.to_vec().unwrap(), vec![1; len]);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 has no sockets, and no status of pipes"
)]
fn what_cannot_be_mapped_says_so() {
    let directory = File::open("/").unwrap();
    let (reader, _writer) = std::io::pipe().unwrap();
    let (socket, _peer) = UnixStream::pair().unwrap();
    for options in [MapOptions::new(), MapOptions::new().len(10)] {
        for (result, kind, name) in [
            (
                options.map_shared(&directory, ReadOnly),
                FileKind::Directory,
                "a directory",
            ),
            (
                options.map_shared(&reader, ReadOnly),
                FileKind::Pipe,
                "a pipe",
            ),
        ] {
            let error = result.unwrap_err();
            assert_eq!(
                (error.errno(), error.reason()),
                (ENODEV, Reason::NotMappable(kind))
            );
            assert!(
                error
                    .to_string()
                    .ends_with(&format!(" ({name} cannot be mapped)")),
                "{error}"
            );
        }
    }
    // Some sockets can be mapped; the kernel knows which.
    let error = MapOptions::new().map_shared(&socket, ReadOnly).unwrap_err();
    assert_eq!(error.reason(), Reason::LengthNeeded(FileKind::Socket));
    if lacks::own_pages("mapping a socket or device") {
        return;
    }
    let error = MapOptions::new()
        .len(10)
        .map_shared(&socket, ReadOnly)
        .unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (ENODEV, Reason::NotMappable(FileKind::Socket))
    );
    // A device that has no memory: the kernel's own error.
    let null = File::open("/dev/null").unwrap();
    let error = MapOptions::new()
        .len(1)
        .map_shared(&null, ReadOnly)
        .unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (ENODEV, Reason::NoMappings)
    );
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 does not ask how a file was opened"
)]
fn access_beyond_the_files_is_refused() {
    let path = tempfile::NamedTempFile::new().unwrap();
    path.as_file().set_len(10).unwrap();
    let read = File::open(path.path()).unwrap();
    let error = MapOptions::new().map_shared(&read, ReadWrite).unwrap_err();
    assert_eq!(
        (error.call(), error.errno(), error.reason()),
        (Call::Mmap, EACCES, Reason::NotWritable)
    );
    assert_eq!(
        error.to_string(),
        "mmap of 10 bytes at file offset 0: Permission denied (the file is not open for writing)"
    );
    assert_eq!(
        MapOptions::new()
            .map_private(&read, ReadWrite)
            .unwrap()
            .len(),
        10
    );

    let mapping = MapOptions::new().map_shared(&read, ReadOnly).unwrap();
    let (error, mapping) = mapping.protect(ReadWrite).unwrap_err().into_parts();
    assert_eq!((error.call(), error.errno()), (Call::Mprotect, EACCES));
    assert_eq!(mapping.to_vec().unwrap(), [0; 10]);
    assert_eq!(
        mapping.protect(ReadExecute).unwrap().to_vec().unwrap(),
        [0; 10]
    );

    let write = OpenOptions::new().write(true).open(path.path()).unwrap();
    let error = MapOptions::new().map_shared(&write, ReadWrite).unwrap_err();
    assert_eq!(error.errno(), EACCES);
}

#[test]
fn raw_descriptors_need_a_length() {
    let file = file_of(100);
    let fd = file.as_raw_fd();
    // SAFETY: `file` is open to the end of this function.
    let error = unsafe { MapOptions::new().map_shared_raw(fd, ReadOnly) }.unwrap_err();
    assert_eq!(error.reason(), Reason::LengthNeeded(FileKind::Other));
    let options = MapOptions::new().len(10).offset(3);
    // SAFETY: as above.
    let mapping = unsafe { options.map_shared_raw(fd, ReadOnly) }.unwrap();
    assert_eq!(mapping.to_vec().unwrap(), bytes(3, 10));
    // SAFETY: as above.
    let mapping = unsafe { options.map_private_raw(fd, ReadWrite) }.unwrap();
    mapping.write_at(0, b"x").unwrap();
    assert_eq!(content(&file), bytes(0, 100));
    if !lacks::own_process("rights that a descriptor does not give") {
        let named = tempfile::NamedTempFile::new().unwrap();
        let read = File::open(named.path()).unwrap();
        // SAFETY: `read` is open to the end of the block.
        let error = unsafe { options.map_shared_raw(read.as_raw_fd(), ReadWrite) }.unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EACCES, Reason::NotWritable)
        );
        let write = OpenOptions::new().write(true).open(named.path()).unwrap();
        // SAFETY: `write` is open to the end of the block.
        let error = unsafe { options.map_private_raw(write.as_raw_fd(), ReadOnly) }.unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EACCES, Reason::NotReadable)
        );
    }
    // SAFETY: nobody owns a descriptor of this number.
    let error = unsafe { options.map_private_raw(i32::MAX, ReadOnly) }.unwrap_err();
    assert_eq!((error.errno(), error.reason()), (EBADF, Reason::Kernel));
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 cuts off what 32 bits of an offset cannot hold"
)]
fn a_large_sparse_file_maps_whole() {
    // More than 32 bits can hold, if the address space has room.
    let len: u64 = if cfg!(target_pointer_width = "64") {
        5 << 30
    } else {
        // There may be no more than 2 GiB in all.
        256 << 20
    };
    let file = tempfile::tempfile().unwrap();
    file.set_len(len).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    assert_eq!(mapping.len() as u64, len);
    mapping.write_at(mapping.len() - 3, b"end").unwrap();
    let far = MapOptions::new()
        .offset(len - 3)
        .map_shared(&file, ReadOnly)
        .unwrap();
    assert_eq!(far.to_vec().unwrap(), b"end");
}

#[test]
fn the_mapped_files_position_stays() {
    let mut file = file_of(100);
    file.seek(SeekFrom::Start(42)).unwrap();
    MapOptions::new()
        .map_shared(&file, ReadOnly)
        .unwrap()
        .to_vec()
        .unwrap();
    assert_eq!(file.stream_position().unwrap(), 42);
}

#[test]
fn what_only_says_that_it_is_empty_is_no_empty_mapping() {
    if lacks::own_pages("mapping an empty file") {
        return;
    }
    let Some(proc) = kernel::file_that_says_it_is_empty() else {
        return;
    };
    let error = MapOptions::new().map_shared(&proc, ReadOnly).unwrap_err();
    assert_eq!(error.call(), Call::Mmap);
    match error.reason() {
        Reason::NoMappings => assert_eq!(error.errno(), ENODEV),
        reason => assert_eq!((error.errno(), reason), (libc::EIO, Reason::Kernel)),
    }
    // Nor is an empty file that may not be read.
    let path = tempfile::NamedTempFile::new().unwrap();
    let write = OpenOptions::new().write(true).open(path.path()).unwrap();
    assert_eq!(
        MapOptions::new()
            .map_shared(&write, ReadOnly)
            .unwrap_err()
            .errno(),
        EACCES
    );
}
