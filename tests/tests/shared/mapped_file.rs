//! Mappings that keep their files, and grow with them.

use std::fs::{self, File};
use std::io::Write;

use libc::{EBADF, EINVAL};
use tests::{in_a_child, kernel, lacks, limit_address_space, limit_file_size, skip};
use unix_memory::{Advice, Call, MapOptions, MappedFile, ReadOnly, ReadWrite, Reason, page_size};

/// An empty file, mapped.
fn empty() -> (tempfile::NamedTempFile, MappedFile<File, ReadWrite>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mapped = MapOptions::new().map_file(file.reopen().unwrap(), ReadWrite);
    (file, mapped.unwrap())
}

/// Empty files that can be mapped to be written.
fn lacks_empty_files(check: &str) -> bool {
    lacks::shared_files(check) || lacks::own_pages(check)
}

#[test]
fn an_empty_file_grows() {
    if lacks_empty_files("an empty file that grows") {
        return;
    }
    let (file, mut mapped) = empty();
    assert!(mapped.is_empty());
    mapped.grow(0).unwrap();
    let page = page_size();
    for len in [1, page - 1, page, page + 1, 100 * page + 7] {
        mapped.grow(len).unwrap();
        mapped.write_at(len - 1, b"x").unwrap();
        assert_eq!(mapped.len(), len);
        let content = fs::read(file.path()).unwrap();
        assert_eq!(content.len(), len);
        assert_eq!(content, mapped.to_vec().unwrap());
        assert!(content.ends_with(b"x"));
        // The kernel has no more of it mapped.
        let mapped_bytes = kernel::bytes_mapped_of(mapped.file());
        assert!(mapped_bytes.is(|&bytes| bytes == len.next_multiple_of(page)));
    }
    // It does not become shorter.
    mapped.grow(3).unwrap();
    assert_eq!(mapped.len(), 100 * page + 7);
}

#[test]
fn a_log_is_appended_to_and_followed() {
    if lacks_empty_files("a log") {
        return;
    }
    let (file, mut writer) = empty();
    let reader = file.reopen().unwrap();
    let mut reader = MapOptions::new().map_file(reader, ReadOnly).unwrap();
    let mut expected = Vec::new();
    for entry in 0..200_u32 {
        let bytes = entry.to_string().repeat(50);
        assert_eq!(writer.append(bytes.as_bytes()).unwrap(), expected.len());
        expected.extend_from_slice(bytes.as_bytes());
        assert!(reader.follow().unwrap());
        assert!(!reader.follow().unwrap());
        assert_eq!(reader.len(), expected.len());
    }
    assert_eq!(reader.to_vec().unwrap(), expected);
    // Others write to the file in their own way.
    let mut other = File::options().append(true).open(file.path()).unwrap();
    other.write_all(b"other").unwrap();
    assert!(writer.follow().unwrap());
    assert!(writer.eq_at(expected.len(), b"other").unwrap());
    // And make it shorter.
    other.set_len(2).unwrap();
    assert!(reader.follow().unwrap());
    assert_eq!(reader.to_vec().unwrap(), b"01"[..1].repeat(2));
    other.set_len(0).unwrap();
    assert!(reader.follow().unwrap());
    assert!(reader.is_empty());
    other.write_all(b"again").unwrap();
    assert!(reader.follow().unwrap());
    assert_eq!(reader.to_vec().unwrap(), b"again");
}

#[test]
fn the_file_is_cut_off_with_the_mapping() {
    if lacks_empty_files("a file that is cut off") {
        return;
    }
    let (file, mut mapped) = empty();
    mapped.append(&vec![b'a'; 3 * page_size()]).unwrap();
    mapped.truncate(usize::MAX).unwrap();
    assert_eq!(mapped.len(), 3 * page_size());
    for len in [2 * page_size() + 1, 5, 0] {
        mapped.truncate(len).unwrap();
        assert_eq!(mapped.len(), len);
        assert_eq!(fs::read(file.path()).unwrap(), vec![b'a'; len]);
    }
    // What was cut off comes back as zeros.
    mapped.grow(5).unwrap();
    assert_eq!(mapped.to_vec().unwrap(), [0; 5]);
}

#[test]
fn a_part_grows_over_what_the_file_has() {
    if lacks::shared_files("a part of a file") {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    let page = page_size();
    file.set_len(10 * page as u64).unwrap();
    let offset = page as u64 + 9;
    let options = MapOptions::new().offset(offset).len(10);
    let mut mapped = options.map_file(&file, ReadWrite).unwrap();
    // Nothing of the file is lost.
    mapped.grow(2 * page).unwrap();
    assert_eq!(file.metadata().unwrap().len(), 10 * page as u64);
    mapped.write_at(2 * page - 1, b"x").unwrap();
    mapped.grow(12 * page).unwrap();
    assert_eq!(file.metadata().unwrap().len(), offset + 12 * page as u64);
    assert_eq!(mapped.read_value::<u8>(2 * page - 1).unwrap(), b'x');
    // A file that is shorter than the offset has no rest.
    file.set_len(3).unwrap();
    assert!(mapped.follow().unwrap());
    assert!(mapped.is_empty());
    let (file, mapping) = mapped.into_parts();
    assert_eq!((file.metadata().unwrap().len(), mapping.len()), (3, 0));
}

#[test]
fn several_mappings_of_the_kernel_grow_as_one() {
    if lacks_empty_files("a mapping that was advised on") {
        return;
    }
    let (_file, mut mapped) = empty();
    let page = page_size();
    mapped.append(&vec![7; 3 * page]).unwrap();
    mapped.advise_range(page..2 * page, Advice::Random).unwrap();
    mapped.grow(50 * page).unwrap();
    mapped.write_at(50 * page - 1, &[7]).unwrap();
    assert_eq!(mapped.to_vec().unwrap()[..3 * page], vec![7; 3 * page]);
    mapped.truncate(page + 1).unwrap();
    assert_eq!(mapped.to_vec().unwrap(), vec![7; page + 1]);
}

#[test]
fn a_file_that_is_not_open_for_writing_stays_as_it_was() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"content").unwrap();
    let read_only = File::open(file.path()).unwrap();
    let mut mapped = MapOptions::new().map_file(read_only, ReadOnly).unwrap();
    for error in [mapped.grow(8).unwrap_err(), mapped.truncate(6).unwrap_err()] {
        assert_eq!(error.call(), Call::Ftruncate);
        assert!([EINVAL, EBADF].contains(&error.errno()), "{error}");
        assert_eq!(mapped.len(), 7);
        assert_eq!(mapped.to_vec().unwrap(), b"content");
    }
    assert_eq!(fs::read(file.path()).unwrap(), b"content");
}

#[test]
fn what_is_too_long_is_refused() {
    if lacks_empty_files("what is too long") {
        return;
    }
    let (file, mut mapped) = empty();
    mapped.append(b"kept").unwrap();
    for len in [usize::MAX, isize::MAX as usize] {
        assert!(mapped.grow(len).is_err(), "{len}");
        assert_eq!(mapped.to_vec().unwrap(), b"kept");
        assert_eq!(file.as_file().metadata().unwrap().len(), 4);
    }
    let far = MapOptions::new().offset(i64::MAX.unsigned_abs());
    let far = far.len(0).past_end(true);
    if let Ok(mut mapped) = far.map_file(file.reopen().unwrap(), ReadWrite) {
        assert!(mapped.grow(2).is_err());
        assert_eq!(file.as_file().metadata().unwrap().len(), 4);
    }
}

#[test]
fn the_limit_of_files_is_an_error_and_no_signal() {
    if lacks_empty_files("the limit of files") {
        return;
    }
    let (file, mut mapped) = empty();
    mapped.append(b"kept").unwrap();
    let ended = in_a_child(|| {
        limit_file_size(1000).unwrap();
        let error = mapped.grow(1001).unwrap_err();
        assert_eq!(error.reason(), Reason::FileSizeLimit(1000));
        assert_eq!(mapped.len(), 4);
        mapped.append(&[b'x'; 996]).unwrap();
    });
    assert!(ended.success(), "{ended}");
    // What the child made of the file, this mapping follows.
    assert!(mapped.follow().unwrap());
    assert_eq!(mapped.len(), 1000);
    drop(file);
}

#[test]
fn the_limit_of_addresses_loses_nothing() {
    if lacks_empty_files("the limit of addresses") {
        return;
    }
    let (file, mut mapped) = empty();
    mapped.append(b"kept").unwrap();
    let ended = in_a_child(|| {
        limit_address_space(1 << 24).unwrap();
        let Err(error) = mapped.grow(1 << 30) else {
            skip("a mapping that is too long", "RLIMIT_AS has no effect");
            return;
        };
        assert_eq!(error.errno(), libc::ENOMEM);
        assert_eq!(mapped.to_vec().unwrap(), b"kept");
        assert_eq!(file.as_file().metadata().unwrap().len(), 4);
        mapped.append(b"more").unwrap();
    });
    assert!(ended.success(), "{ended}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_sealed_length_stays() {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

    if lacks_empty_files("a sealed length") {
        return;
    }
    let memory = memfd_create("sealed", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC).unwrap();
    let mut mapped = MapOptions::new().map_file(memory, ReadWrite).unwrap();
    mapped.append(b"content").unwrap();
    fcntl_add_seals(mapped.file(), SealFlags::GROW | SealFlags::SHRINK).unwrap();
    for error in [mapped.grow(8).unwrap_err(), mapped.truncate(6).unwrap_err()] {
        assert_eq!(
            (error.call(), error.errno()),
            (Call::Ftruncate, libc::EPERM)
        );
        assert_eq!(mapped.to_vec().unwrap(), b"content");
    }
}
