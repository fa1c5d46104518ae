//! Why a byte of a mapping cannot be reached, where the file can be asked.

use std::fs::File;

use tests::copies::stopped;
use tests::lacks;
use unix_memory::{Error, FaultCause, MapOptions, ReadWrite, Reason, page_size};

/// A file of that many pages, and another descriptor of it.
fn file(pages: usize) -> (File, File) {
    let file = tempfile::tempfile().unwrap();
    file.set_len((pages * page_size()) as u64).unwrap();
    (file.try_clone().unwrap(), file)
}

fn truncated(done: usize, at: usize) -> Reason {
    let cause = FaultCause::Truncated;
    Reason::Fault { done, at, cause }
}

#[test]
fn a_mapping_that_keeps_its_file_knows_that_it_was_truncated() {
    let check = "a truncated file";
    if lacks::shared_files(check) || lacks::own_pages(check) {
        return;
    }
    let page = page_size();
    for start in [0, page] {
        let (other, file) = file(5);
        let options = MapOptions::new().offset(start as u64).len(3 * page);
        let mapped = options.map_file(file, ReadWrite).unwrap();
        other.set_len((start + page + 5) as u64).unwrap();
        let gone = 2 * page;
        let mut bytes = vec![0; 2 * page];
        let error = mapped.read_at(page - 1, &mut bytes).unwrap_err();
        assert_eq!(error.reason(), truncated(page + 1, gone), "{start}");
        assert_eq!(
            error.to_string(),
            format!(
                "read_at of {} bytes at {}: Bad address (after {} bytes: byte {gone} cannot be reached, \
                 because the file was truncated and now ends before it: lengthen the file, or map what \
                 is left of it)",
                2 * page,
                page - 1,
                page + 1
            )
        );
        let error = mapped.write_at(gone - 2, b"some").unwrap_err();
        assert_eq!(error.reason(), truncated(2, gone), "{start}");
        // This one is of the mapping alone.
        let error = mapped.fill(gone + 3.., 1).unwrap_err();
        assert_eq!(error.reason(), stopped(0, gone + 3), "{start}");
        assert_eq!(mapped.explain(error).reason(), truncated(0, gone + 3));
        // Now nothing is the matter with the byte.
        other.set_len((start + 3 * page) as u64).unwrap();
        assert_eq!(mapped.explain(error), error);
    }
}

#[test]
fn what_is_no_fault_is_not_explained() {
    if lacks::shared_files("a file that is mapped") {
        return;
    }
    let (_other, file) = file(1);
    let mapped = MapOptions::new().map_file(file, ReadWrite).unwrap();
    let error: Error = mapped.read_at(page_size(), &mut [0]).unwrap_err();
    assert_eq!(error.reason(), Reason::MappingLength(page_size()));
    assert_eq!(mapped.explain(error), error);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 duplicates no descriptors"
)]
fn a_file_is_asked_where_it_ends() {
    let (other, file) = file(2);
    let page = page_size() as u64;
    for at in [0, page, 2 * page - 1] {
        assert_eq!(FaultCause::of(&file, at), FaultCause::Unknown, "{at}");
    }
    other.set_len(page + 1).unwrap();
    assert_eq!(FaultCause::of(&file, 2 * page - 1), FaultCause::Unknown);
    for at in [2 * page, 3 * page, u64::MAX] {
        assert_eq!(FaultCause::of(&file, at), FaultCause::Truncated, "{at}");
    }
    other.set_len(0).unwrap();
    assert_eq!(FaultCause::of(&file, 0), FaultCause::Truncated);
}

#[test]
fn what_has_no_end_or_cannot_be_read_says_nothing() {
    let zero = File::open("/dev/zero").unwrap();
    assert_eq!(FaultCause::of(&zero, 0), FaultCause::Unknown);
    let (reader, _writer) = std::io::pipe().unwrap();
    assert_eq!(FaultCause::of(&reader, 0), FaultCause::Unknown);
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(1).unwrap();
    let to_write = File::options().write(true).open(file.path()).unwrap();
    assert_eq!(FaultCause::of(&to_write, 0), FaultCause::Unknown);
}

/// A byte that is there, and that this descriptor refuses to read alone.
#[test]
#[cfg(any(target_os = "linux", target_os = "android"))]
fn how_a_file_was_opened_is_no_fault_of_its_bytes() {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    use tests::skip;

    let check = "a file that is read without the cache";
    if lacks::own_process(check) {
        return;
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&vec![7; page_size()]).unwrap();
    file.as_file().sync_all().unwrap();
    let direct = File::options()
        .read(true)
        .custom_flags(libc::O_DIRECT)
        .open(file.path());
    match direct {
        Ok(direct) => assert_eq!(FaultCause::of(&direct, 0), FaultCause::Unknown),
        Err(error) => skip(check, &error.to_string()),
    }
}
