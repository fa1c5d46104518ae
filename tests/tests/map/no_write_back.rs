//! A C library that stands in for the kernel would write a shared mapping back to the wrong place.
#![cfg(target_os = "emscripten")]

use std::fs;

use unix_memory::{MapOptions, Mapping, ReadOnly, ReadWrite, Reason, page_size};

#[test]
fn a_shared_mapping_to_be_written_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"content").unwrap();
    let error = MapOptions::new().map_shared(&file, ReadWrite).unwrap_err();
    assert_eq!(error.errno(), libc::ENOTSUP);
    assert_eq!(error.reason(), Reason::NotWrittenBack);
    assert!(error.to_string().contains("map it privately"), "{error}");
}

#[test]
fn no_mapping_of_a_file_reaches_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let content = vec![b'a'; page_size() + 7];
    fs::write(file.path(), &content).unwrap();
    let private = MapOptions::new().map_private(&file, ReadWrite).unwrap();
    let shared = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    let shared = shared.protect(ReadWrite).unwrap();
    for mapping in [private, shared] {
        mapping.write_at(0, b"changed").unwrap();
        mapping.flush(unix_memory::Flush::Sync).unwrap();
        mapping.unmap().unwrap();
        assert_eq!(fs::read(file.path()).unwrap(), content);
    }
}

#[test]
fn only_whole_mappings_become_shorter() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"content").unwrap();
    let mapping = MapOptions::new().map_private(&file, ReadWrite).unwrap();
    // SAFETY: it is a copy, which nobody else has.
    let mut mapping = unsafe { mapping.assume_unshared() };
    let error = mapping.resize(3).unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL);
    assert_eq!(error.reason(), Reason::Unsupported);
    assert_eq!(*mapping, *b"content");
    mapping.unmap().unwrap();

    let mut mapping = Mapping::anonymous(2 * page_size()).unwrap();
    mapping.resize(page_size() + 1).unwrap();
    let error = mapping.resize(page_size()).unwrap_err();
    assert_eq!(error.reason(), Reason::Unsupported);
    mapping.resize(0).unwrap();
}
